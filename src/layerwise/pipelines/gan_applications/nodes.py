"""Small worked examples: damaged to whole, small to large, the next frame, a page with sliders."""

import logging
from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from layerwise.data.errors import DataError
from layerwise.data.tensors import DataSpec, TensorData
from layerwise.data.transforms.image_pairs import bouncing_videos, corrupt_images, downsample, upsample
from layerwise.evaluation import plots
from layerwise.evaluation.reports.html_demo import render_html_demo
from layerwise.models.gan.generator import Generator
from layerwise.training.gan.image_pairs import PairSettings, generate_images, rollout, train_paired_gan
from layerwise.training.gan.settings import GANSettings
from layerwise.training.gan.train import train_image_gan
from layerwise.utils.devices import best_device
from layerwise.utils.random_streams import torch_rng
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)
SHOWN, FACTOR, AHEAD = 10, 4, 5


def _shape(data_spec: dict[str, Any]) -> tuple[int, int]:
    columns = DataSpec(**data_spec)
    if columns.image_shape is None:
        raise DataError("gan_applications are of pictures, and this problem is a table; see gan for tables")
    return columns.image_shape


def _train_on_pairs(
    pairs: tuple[TensorData, TensorData, TensorData], settings: PairSettings, seed: int, name: str
) -> tuple[Generator, Tensor]:
    """Play on training pairs, and make the test pictures."""
    device = best_device()
    training, validation, test = (part.to(device) for part in pairs)
    generator = train_paired_gan(training, validation, settings, seed, name).generator
    assert test.targets is not None
    made = generate_images(generator, test.targets, seed, name).cpu()
    return generator.cpu(), made


def _report_errors(name: str, made: Tensor, true: Tensor, baseline: Tensor) -> dict[str, float]:
    """Report the mean squared error per pixel of what was made, beside that of a plain way."""
    found = {
        "mse": float((made - true).square().mean()),
        "baseline_mse": float((baseline - true).square().mean()),
    }
    report_metrics({f"test/{name}_{key}": value for key, value in found.items()})
    log.info(
        "%s: squared error per pixel %.4f, the plain way %.4f", name, found["mse"], found["baseline_mse"]
    )
    return found


def _parts(
    training: TensorData, validation: TensorData, test: TensorData, settings: PairSettings
) -> tuple[TensorData, TensorData, TensorData]:
    return training[slice(0, settings.rows)], validation, test


def _degraded(
    parts: tuple[TensorData, TensorData, TensorData], degrade: Callable[[Tensor], Tensor]
) -> tuple[TensorData, TensorData, TensorData]:
    """Return each picture as the input, and what is left of it as the target, which the generator is given."""
    training, validation, test = (TensorData(part.inputs, degrade(part.inputs)) for part in parts)
    return training, validation, test


def translate(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    data_spec: dict[str, Any],
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, Figure, dict[str, float]]:
    """Make whole pictures of half-covered and of noisy ones; the plain way is to leave them as they are."""
    shape = _shape(data_spec)
    rng = torch_rng(seed, "translation", "damage")
    parts = _parts(training, validation, test, settings)
    pairs = _degraded(parts, lambda images: corrupt_images(images, shape, rng))
    generator, made = _train_on_pairs(pairs, settings, seed, "translation")
    given, true = pairs[2].targets, pairs[2].inputs
    assert given is not None
    lines = {"given": given[:SHOWN], "made": made[:SHOWN], "true": true[:SHOWN]}
    figure = plots.plot_image_rows(lines, shape, title="Half-covered and noisy digits made whole")
    return generator, figure, _report_errors("translation", made, true, given)


def sharpen(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    data_spec: dict[str, Any],
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, Figure, dict[str, float]]:
    """Make large pictures of small ones; the plain way is bilinear enlargement."""
    shape = _shape(data_spec)
    if shape[0] % FACTOR or shape[1] % FACTOR:
        raise DataError(f"pictures of {shape[0]} x {shape[1]} cannot be shrunk {FACTOR} times; crop them")
    small = (shape[0] // FACTOR, shape[1] // FACTOR)
    parts = _parts(training, validation, test, settings)
    pairs = _degraded(parts, lambda images: downsample(images, shape, FACTOR))
    generator, made = _train_on_pairs(pairs, settings, seed, "super_resolution")
    given, true = pairs[2].targets, pairs[2].inputs
    assert given is not None
    baseline = upsample(given, small, FACTOR)
    blocks = given[:SHOWN].reshape(-1, *small).repeat_interleave(FACTOR, 1).repeat_interleave(FACTOR, 2)
    lines = {
        f"given, {small[0]} x {small[1]}": blocks.flatten(1),
        "bilinear": baseline[:SHOWN],
        "made": made[:SHOWN],
        "true": true[:SHOWN],
    }
    title = f"From {small[0]} x {small[1]} to {shape[0]} x {shape[1]} pixels"
    figure = plots.plot_image_rows(lines, shape, title=title)
    return generator, figure, _report_errors("super_resolution", made, true, baseline)


def predict_frames(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    data_spec: dict[str, Any],
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, Figure, dict[str, float]]:
    """Make the next frame of films of a bouncing digit; the plain way is the last frame once more."""
    shape, seen = _shape(data_spec), settings.frames
    videos = [
        bouncing_videos(part.inputs, shape, seen + AHEAD, torch_rng(seed, "frames", name))
        for name, part in zip(
            ("training", "validation", "test"), _parts(training, validation, test, settings), strict=True
        )
    ]
    # In training every film gives each of its frames after the first ones, so that walls are met often.
    windows = [
        TensorData(video[:, t + seen], video[:, t : t + seen].flatten(1))
        for video in videos[:1]
        for t in range(AHEAD)
    ]
    whole = TensorData(
        torch.cat([w.inputs for w in windows]),
        torch.cat([w.targets for w in windows if w.targets is not None]),
    )
    others = [TensorData(video[:, seen], video[:, :seen].flatten(1)) for video in videos[1:]]
    some = settings.model_copy(update={"epochs": max(1, settings.epochs // 3)})
    generator, made = _train_on_pairs((whole, others[0], others[1]), some, seed, "next_frame")
    test_video = videos[2]
    ahead = rollout(generator, test_video[:4, :seen], AHEAD, seed)
    lines = {}
    for k in range(4):
        lines[f"true {k + 1}"] = test_video[k]
        lines[f"predicted {k + 1}"] = torch.cat([test_video[k, :seen], ahead[k]])
    title = f"{seen} frames given, {AHEAD} predicted one from another"
    figure = plots.plot_image_rows(lines, shape, title=title)
    return generator, figure, _report_errors("next_frame", made, others[1].inputs, test_video[:, seen - 1])


def make_demo(
    training: TensorData,
    validation: TensorData,
    data_spec: dict[str, Any],
    classifier: Any,
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, str, Figure]:
    """Play with few latent numbers and the class, and write a page with a slider for each of them."""
    shape, columns, device = _shape(data_spec), DataSpec(**data_spec), best_device()
    own = GANSettings(
        epochs=settings.demo_epochs,
        latent_size=settings.demo_latent_size,
        generator_sizes=(128, 256),
        discriminator_sizes=(256, 128),
        dropout=0.3,
        condition="class" if columns.task == "multiclass" else "none",
        generator_learning_rate=0.0005,
        discriminator_learning_rate=0.0005,
        schedule="cosine",
        ema_decay=0.99,
        batch_size=50,
    )
    some = training[slice(0, settings.rows)]
    generator = train_image_gan(
        some.to(device), validation.to(device), columns, own, seed, classifier
    ).generator.cpu()
    html_demo = render_html_demo(generator, columns.class_names, shape, "A generator under your hand")
    return generator, html_demo, _plot_latent_traversal(generator, columns, shape, seed)


def _plot_latent_traversal(
    generator: Generator, columns: DataSpec, shape: tuple[int, int], seed: int
) -> Figure:
    """Draw what one slider does to each class."""
    z = generator.noise(1, torch_rng(seed, "page")).repeat(9, 1)
    z[:, 0] = torch.linspace(-3, 3, 9)
    names = columns.class_names if generator.config.n_conditions else ("samples",)
    lines = {}
    with torch.no_grad():
        for k, name in enumerate(names):
            condition = torch.eye(len(names))[[k] * 9] if generator.config.n_conditions else None
            lines[name] = generator(z, condition)
    return plots.plot_image_rows(lines, shape, title="The first slider from -3 to 3, for each class")


def write_report(
    translation: dict[str, float], resolution: dict[str, float], frames: dict[str, float]
) -> str:
    """Write down the errors, in Markdown."""
    rows = {
        "half-covered or noisy to whole": (translation, "the damaged picture itself"),
        "7 x 7 to 28 x 28": (resolution, "bilinear enlargement"),
        "next frame of a bouncing digit": (frames, "the last frame once more"),
    }
    lines = [
        f"| {name} | {found['mse']:.4f} | {found['baseline_mse']:.4f} | {baseline} |"
        for name, (found, baseline) in rows.items()
    ]
    return (
        "# Pictures made from pictures\n\nMean squared error per pixel, on test rows.\n\n"
        "| task | made | plain way | which is |\n| --- | --- | --- | --- |\n" + "\n".join(lines) + "\n\n"
        "`demo.html` beside this report is a generator with a slider for each number of its noise; open it in a "
        "browser.\n"
    )
