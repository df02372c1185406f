"""Nodes of small examples: restoring corrupted images, super-resolution, the next frame, an HTML demo."""

import logging
from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from layerwise.data import DataError, DataSpec, TensorData
from layerwise.data.transforms import bouncing_videos, corrupt_images, downsample, upsample
from layerwise.evaluation import plots
from layerwise.evaluation.reports import render_html_demo, table
from layerwise.models.gan import Generator
from layerwise.training.gan import (
    GANSettings,
    PairSettings,
    generate_images,
    rollout,
    train_image_gan,
    train_paired_gan,
)
from layerwise.utils import choose_device, dense_parameters, report_metrics, torch_rng

log = logging.getLogger(__name__)
# Images of a figure, the factor of super-resolution, and frames that are predicted one from another.
SHOWN, FACTOR, N_PREDICTED = 10, 4, 5


def _image_shape(columns: DataSpec) -> tuple[int, int]:
    if columns.image_shape is None:
        raise DataError("gan_applications are of images, and this problem is a table; see gan for tables")
    return columns.image_shape


def _train_on_pairs(
    pairs: tuple[TensorData, TensorData, TensorData], settings: PairSettings, seed: int, name: str
) -> tuple[Generator, Tensor]:
    """Train a GAN on pairs; return its generator and the images that it makes for the test rows."""
    given = pairs[0].targets
    assert given is not None
    n, m = given.shape[1], pairs[0].inputs.shape[1]
    sizes = settings.hidden_sizes
    size = dense_parameters(n, *sizes, m) + dense_parameters(n + m, *sizes, 1)
    device = choose_device(size, settings.batch_size, name)
    training, validation, test = (part.to(device) for part in pairs)
    generator = train_paired_gan(training, validation, settings, seed, name).generator
    assert test.targets is not None
    generated = generate_images(generator, test.targets, seed, name).cpu()
    return generator.cpu(), generated


def _report_errors(name: str, generated: Tensor, true: Tensor, baseline: Tensor) -> dict[str, float]:
    """Report the mean squared error per pixel of generated images, beside that of a baseline."""
    found = {
        "mse": float((generated - true).square().mean()),
        "baseline_mse": float((baseline - true).square().mean()),
    }
    report_metrics({f"test/{name}_{key}": value for key, value in found.items()})
    log.info("%s: squared error per pixel %.4f, baseline %.4f", name, found["mse"], found["baseline_mse"])
    return found


def _limit_training_rows(
    training: TensorData, validation: TensorData, test: TensorData, settings: PairSettings
) -> tuple[TensorData, TensorData, TensorData]:
    return training[slice(0, settings.rows)], validation, test


def _degrade(
    parts: tuple[TensorData, TensorData, TensorData], degrade: Callable[[Tensor], Tensor]
) -> tuple[TensorData, TensorData, TensorData]:
    """Return pairs: each image as the input, and its degraded version as the target, the generator's condition."""
    training, validation, test = (TensorData(part.inputs, degrade(part.inputs)) for part in parts)
    return training, validation, test


def translate(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, Figure, dict[str, float]]:
    """Restore half-covered and noisy images; the baseline is the corrupted image."""
    shape = _image_shape(columns)
    rng = torch_rng(seed, "translation", "damage")
    parts = _limit_training_rows(training, validation, test, settings)
    pairs = _degrade(parts, lambda images: corrupt_images(images, shape, rng))
    generator, generated = _train_on_pairs(pairs, settings, seed, "translation")
    given, true = pairs[2].targets, pairs[2].inputs
    assert given is not None
    lines = {"given": given[:SHOWN], "generated": generated[:SHOWN], "true": true[:SHOWN]}
    figure = plots.plot_image_rows(lines, shape, title="Half-covered and noisy images restored")
    return generator, figure, _report_errors("translation", generated, true, given)


def sharpen(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, Figure, dict[str, float]]:
    """Super-resolution: enlarge small images; the baseline is bilinear interpolation."""
    shape = _image_shape(columns)
    if shape[0] % FACTOR or shape[1] % FACTOR:
        raise DataError(f"images of {shape[0]} x {shape[1]} cannot be shrunk {FACTOR} times; crop them")
    small = (shape[0] // FACTOR, shape[1] // FACTOR)
    parts = _limit_training_rows(training, validation, test, settings)
    pairs = _degrade(parts, lambda images: downsample(images, shape, FACTOR))
    generator, generated = _train_on_pairs(pairs, settings, seed, "super_resolution")
    given, true = pairs[2].targets, pairs[2].inputs
    assert given is not None
    baseline = upsample(given, small, FACTOR)
    blocks = given[:SHOWN].reshape(-1, *small).repeat_interleave(FACTOR, 1).repeat_interleave(FACTOR, 2)
    lines = {
        f"given, {small[0]} x {small[1]}": blocks.flatten(1),
        "bilinear": baseline[:SHOWN],
        "generated": generated[:SHOWN],
        "true": true[:SHOWN],
    }
    title = f"From {small[0]} x {small[1]} to {shape[0]} x {shape[1]} pixels"
    figure = plots.plot_image_rows(lines, shape, title=title)
    return generator, figure, _report_errors("super_resolution", generated, true, baseline)


def predict_frames(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, Figure, dict[str, float]]:
    """Predict the next frame of videos of a bouncing digit; the baseline is the last frame once more."""
    shape, n_given = _image_shape(columns), settings.frames
    videos = [
        bouncing_videos(part.inputs, shape, n_given + N_PREDICTED, torch_rng(seed, "frames", name))
        for name, part in zip(
            ("training", "validation", "test"),
            _limit_training_rows(training, validation, test, settings),
            strict=True,
        )
    ]
    # In training every video gives each of its frames after the first ones, so that walls are met often.
    windows = [
        TensorData(video[:, t + n_given], video[:, t : t + n_given].flatten(1))
        for video in videos[:1]
        for t in range(N_PREDICTED)
    ]
    whole = TensorData(
        torch.cat([w.inputs for w in windows]),
        torch.cat([w.targets for w in windows if w.targets is not None]),
    )
    others = [TensorData(video[:, n_given], video[:, :n_given].flatten(1)) for video in videos[1:]]
    shorter = settings.model_copy(update={"epochs": max(1, settings.epochs // 3)})
    generator, generated = _train_on_pairs((whole, others[0], others[1]), shorter, seed, "next_frame")
    test_video = videos[2]
    predicted = rollout(generator, test_video[:4, :n_given], N_PREDICTED, seed)
    lines = {}
    for k in range(4):
        lines[f"true {k + 1}"] = test_video[k]
        lines[f"predicted {k + 1}"] = torch.cat([test_video[k, :n_given], predicted[k]])
    title = f"{n_given} frames given, {N_PREDICTED} predicted one from another"
    figure = plots.plot_image_rows(lines, shape, title=title)
    return (
        generator,
        figure,
        _report_errors("next_frame", generated, others[1].inputs, test_video[:, n_given - 1]),
    )


def make_demo(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    classifier: Any,
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, str, Figure]:
    """Train a GAN of few latent numbers and write an HTML page with a slider for each of them."""
    shape = _image_shape(columns)
    gan_settings = GANSettings(
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
    first = training[slice(0, settings.rows)]
    device = choose_device(gan_settings.count_parameters(columns.n_inputs), gan_settings.batch_size, "demo")
    generator = train_image_gan(
        first.to(device), validation.to(device), columns, gan_settings, seed, classifier
    ).generator.cpu()
    html_demo = render_html_demo(generator, columns.class_names, shape, "A generator with sliders")
    return generator, html_demo, _plot_latent_traversal(generator, columns, shape, seed)


def _plot_latent_traversal(
    generator: Generator, columns: DataSpec, shape: tuple[int, int], seed: int
) -> Figure:
    """Plot each class along the first latent number."""
    z = generator.noise(1, torch_rng(seed, "page")).repeat(9, 1)
    z[:, 0] = torch.linspace(-3, 3, 9)
    names = columns.class_names if generator.config.n_conditions else ("samples",)
    lines = {}
    with torch.no_grad():
        for k, name in enumerate(names):
            condition = torch.eye(len(names))[[k] * 9] if generator.config.n_conditions else None
            lines[name] = generator(z, condition)
    return plots.plot_image_rows(lines, shape, title="The first latent number from -3 to 3, for each class")


def write_report(
    translation: dict[str, float], resolution: dict[str, float], frames: dict[str, float]
) -> str:
    """Return the report of the errors, in Markdown."""
    tasks = {
        "restoring half-covered or noisy images": (translation, "the corrupted image"),
        "7 x 7 to 28 x 28": (resolution, "bilinear interpolation"),
        "next frame of a bouncing digit": (frames, "the last frame once more"),
    }
    rows = [
        [name, f"{found['mse']:.4f}", f"{found['baseline_mse']:.4f}", baseline]
        for name, (found, baseline) in tasks.items()
    ]
    return (
        "# Images from images\n\nMean squared error per pixel, on test rows.\n\n"
        f"{table(['task', 'GAN', 'baseline', 'which is'], rows)}\n\n"
        "`demo.html` beside this report is a generator with a slider for each number of its noise; open it in a "
        "browser.\n"
    )
