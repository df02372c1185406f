"""Nodes of small examples: restoring corrupted images, super-resolution, the next frame, an HTML demo."""

import logging

import torch
from torch import Tensor

from layerwise.data import DataError, DataSpec, ImageShape, TensorData, rows_for_training, with_size
from layerwise.data.transforms import MAX_VELOCITY, bouncing_videos, corrupt_images, downsample, upsample
from layerwise.evaluation.demos import render_gan_demo
from layerwise.evaluation.generative import PairErrors, compare_with_baseline
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.reports import table
from layerwise.models import MLP
from layerwise.models.gan import Generator, GeneratorConfig
from layerwise.parameters.sizing import size_gan
from layerwise.training.gan import (
    GANSettings,
    PairSettings,
    build_paired_networks,
    generate_images,
    train_image_gan,
    train_paired_gan,
)
from layerwise.utils import choose_device, torch_rng

log = logging.getLogger(__name__)
# Images of a figure, videos of one, the factor of super-resolution, and frames that are predicted one from another.
SHOWN, SHOWN_VIDEOS, FACTOR, N_PREDICTED = 10, 4, 4, 5
Measured = tuple[TensorData, PairErrors, LoggedMetrics]


def require_images(columns: DataSpec) -> DataSpec:
    """Return the data spec of images; a table is refused before anything is trained."""
    if columns.image_shape is None:
        raise DataError("gan_applications are of images, and this problem is a table; see gan for tables")
    return columns


def train_translator(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, TensorData]:
    """Train a GAN to restore half-covered and noisy images; return it with pairs of test images."""
    shape, rng = image_shape(columns), torch_rng(seed, "translation", "damage")
    pairs = [
        TensorData(part.inputs, corrupt_images(part.inputs, shape, rng))
        for part in (training[slice(0, settings.rows)], validation, test)
    ]
    config = settings.generator_config(shape, shape)
    return _train_on_pairs(config, pairs[0], pairs[1], settings, seed, "translation"), pairs[2]


def measure_translation(generator: Generator, pairs: TensorData, seed: int) -> Measured:
    """Restore the test images; the baseline is the corrupted image."""
    return _measure(generator, pairs, given_of(pairs), seed, "translation")


def train_sharpener(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, TensorData]:
    """Train a GAN to enlarge small images (super-resolution); return it with pairs of test images."""
    shape, small = image_shape(columns), small_shape(columns)
    pairs = [
        TensorData(part.inputs, downsample(part.inputs, shape, FACTOR))
        for part in (training[slice(0, settings.rows)], validation, test)
    ]
    config = settings.generator_config(small, shape)
    return _train_on_pairs(config, pairs[0], pairs[1], settings, seed, "super_resolution"), pairs[2]


def measure_super_resolution(
    generator: Generator, pairs: TensorData, columns: DataSpec, seed: int
) -> Measured:
    """Enlarge the small test images; the baseline is bilinear interpolation."""
    baseline = upsample(given_of(pairs), small_shape(columns), FACTOR)
    return _measure(generator, pairs, baseline, seed, "super_resolution")


def train_frame_predictor(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: PairSettings,
    seed: int,
) -> tuple[Generator, TensorData, TensorData]:
    """Train a GAN to predict the next frame of videos of a bouncing digit.

    Returns:
        The generator, the next frames of test videos with the frames before them, and some whole test videos.
    """
    shape, n_given = image_shape(columns), settings.frames
    parts = {"training": training[slice(0, settings.rows)], "validation": validation, "test": test}
    videos = {
        name: bouncing_videos(part.inputs, shape, n_given + N_PREDICTED, torch_rng(seed, "frames", name))
        for name, part in parts.items()
    }
    # In training every video gives each of its frames after the first ones, so that walls are met often.
    windows = _windows(videos["training"], n_given, N_PREDICTED)
    held_out, pairs = (_windows(videos[name], n_given, 1) for name in ("validation", "test"))
    shorter = settings.model_copy(update={"epochs": max(1, settings.epochs // N_PREDICTED)})
    config = settings.generator_config(shape, shape, n_frames=n_given, max_motion=MAX_VELOCITY)
    generator = _train_on_pairs(config, windows, held_out, shorter, seed, "next_frame")
    return generator, pairs, TensorData(videos["test"][:SHOWN_VIDEOS].flatten(1))


def measure_next_frame(generator: Generator, pairs: TensorData, columns: DataSpec, seed: int) -> Measured:
    """Predict the next frames of test videos; the baseline is the last frame once more."""
    return _measure(generator, pairs, given_of(pairs)[:, -columns.n_inputs :], seed, "next_frame")


def train_demo_generator(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    classifier: MLP,
    settings: PairSettings,
    seed: int,
) -> Generator:
    """Train the GAN of `gan`, as its rule has it for these images, with few latent numbers."""
    rows = training[slice(0, settings.rows)]
    left_to_rule = dict.fromkeys(GANSettings.names_by_rule())
    left_open = GANSettings.model_validate(
        left_to_rule
        | {
            "epochs": settings.demo_epochs,
            "latent_size": settings.demo_latent_size,
            "condition": "class" if columns.task == "multiclass" else "none",
        }
    )
    own_settings = size_gan(columns, rows, left_open)
    device = choose_device(own_settings.count_parameters(columns.n_inputs), own_settings.batch_size, "demo")
    result = train_image_gan(
        rows.to(device), rows_for_training(validation, device), columns, own_settings, seed, classifier
    )
    return result.generator.cpu()


def write_demo(generator: Generator, columns: DataSpec) -> str:
    """Write an HTML page with the generator itself and a slider for each of its latent numbers."""
    return render_gan_demo(generator, columns.class_names, image_shape(columns), "A generator with sliders")


def write_report(translation: PairErrors, resolution: PairErrors, frames: PairErrors) -> str:
    """Return the report of the errors, in Markdown."""
    tasks = {
        "restoring half-covered or noisy images": (translation, "the corrupted image"),
        "images of a quarter of each side enlarged": (resolution, "bilinear interpolation"),
        "next frame of a bouncing digit": (frames, "the last frame once more"),
    }
    rows = [
        [name, f"{found.mse:.4f}", f"{found.baseline_mse:.4f}", baseline]
        for name, (found, baseline) in tasks.items()
    ]
    return (
        "# Images from images\n\nMean squared error per pixel, on test rows.\n\n"
        f"{table(['task', 'GAN', 'baseline', 'which is'], rows)}\n\n"
        "`demo.html` beside this report is a generator with a slider for each number of its noise; open it in a "
        "browser.\n"
    )


def image_shape(columns: DataSpec) -> ImageShape:
    """Return the shape of the images."""
    assert columns.image_shape is not None
    return columns.image_shape


def small_shape(columns: DataSpec) -> ImageShape:
    """Return the shape of the shrunken images.

    Raises:
        DataError: the images cannot be shrunk.
    """
    height, width = image_shape(columns)[:2]
    if height % FACTOR or width % FACTOR:
        raise DataError(f"images of {height} x {width} cannot be shrunk {FACTOR} times; crop them")
    return with_size(image_shape(columns), height // FACTOR, width // FACTOR)


def given_of(pairs: TensorData) -> Tensor:
    """Return the given images of pairs, the generator's conditions."""
    assert pairs.targets is not None
    return pairs.targets


def _windows(videos: Tensor, n_given: int, n: int) -> TensorData:
    """Return each of the n frames after the first `n_given` ones with the frames before it."""
    starts = range(n)
    return TensorData(
        torch.cat([videos[:, t + n_given] for t in starts]),
        torch.cat([videos[:, t : t + n_given].flatten(1) for t in starts]),
    )


def _train_on_pairs(
    config: GeneratorConfig,
    training: TensorData,
    validation: TensorData,
    settings: PairSettings,
    seed: int,
    name: str,
) -> Generator:
    """Train a GAN on pairs: each image as the input, and the given one as the target, the generator's condition."""
    networks = build_paired_networks(config, settings, seed, name)
    device = choose_device(networks[0], settings.batch_size, name)
    rows, held_out = rows_for_training(training, device), rows_for_training(validation, device)
    return train_paired_gan(networks, rows, held_out, settings, seed, name).generator.cpu()


def _measure(generator: Generator, pairs: TensorData, baseline: Tensor, seed: int, name: str) -> Measured:
    """Return the images that a generator makes for the given ones, their errors, and these as a run logs them."""
    generated = generate_images(generator, given_of(pairs), seed, name)
    found = compare_with_baseline(generated, pairs.inputs, baseline)
    log.info("%s: %s", name, found)
    return TensorData(generated), found, LoggedMetrics.of(found.model_dump(), prefix=f"test/{name}_")
