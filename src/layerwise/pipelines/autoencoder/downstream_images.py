"""Downstream tasks of an autoencoder on images: denoising, and sequences of lines."""

import logging

from torch import Tensor, nn

from layerwise.data import DataSpec, ImageShape, TensorData
from layerwise.data.transforms import Corruption, CorruptionName
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.unsupervised import (
    DenoisingReport,
    SequenceReport,
    evaluate_denoising,
    evaluate_sequences,
)
from layerwise.models.autoencoder import SequenceAutoencoder, SequenceConfig, reconstruct_rows
from layerwise.training import LayerHistory
from layerwise.training.autoencoder import AutoencoderSettings, noise_of, train_sequences
from layerwise.utils import choose_device, torch_rng

log = logging.getLogger(__name__)

# Test rows of each task: enough for two significant digits within seconds.
ROWS = 1000
SEQUENCE_ROWS, SEQUENCE_EPOCHS, SEQUENCE_LATENT_SIZE = 10_000, 10, 128
# It is the number of steps that counts: of batches of 100 the lower halves stay a blurred mean.
SEQUENCE_BATCH, SEQUENCE_STEPS = 25, 1500
SEQUENCE_LEARNING = {"learning_rate": 4e-3, "optimizer": "adam", "weight_decay": 0.0}


def denoise(
    network: nn.Module, test: TensorData, columns: DataSpec, settings: AutoencoderSettings, seed: int
) -> tuple[DenoisingReport, LoggedMetrics]:
    """Return the PSNR (decibels) and the SSIM of corrupted images, before and after reconstruction."""
    rows = test.inputs[:ROWS]
    noise, corrupted = add_noise(rows, columns, settings, seed)
    found = evaluate_denoising(
        lambda x: reconstruct_rows(network, x), rows, {noise: corrupted}, image_shape_of(columns)
    )
    log.info(found)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/denoising/")


def add_noise(
    rows: Tensor, columns: DataSpec, settings: AutoencoderSettings, seed: int
) -> tuple[CorruptionName, Tensor]:
    """Return the noise that was learnt with, and images (n, pixels) that have it, clipped to [0, 1]."""
    kind, level = noise_of(settings.resolved(settings.variant), columns.bounded)
    return kind, Corruption(kind, level, torch_rng(seed, "denoising", kind))(rows).clamp(0, 1)


def train_sequence_network(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> tuple[SequenceAutoencoder, LayerHistory]:
    """Train a recurrent autoencoder that reads the upper half of images line by line and predicts the lower half."""
    height = image_shape_of(columns)[0]
    config = SequenceConfig(n_inputs=columns.n_inputs // height, latent_size=SEQUENCE_LATENT_SIZE)
    network = SequenceAutoencoder(config, torch_rng(seed, "sequences"))
    device = choose_device(network, settings.batch_size, "sequences")
    rows, batch_size = training[slice(0, SEQUENCE_ROWS)].to(device), min(SEQUENCE_BATCH, settings.batch_size)
    progress = train_sequences(
        network.to(device),
        rows,
        validation.to(device),
        settings.model_copy(update=SEQUENCE_LEARNING),
        min(SEQUENCE_EPOCHS, settings.epochs, -(-SEQUENCE_STEPS * batch_size // len(rows))),
        batch_size,
        height // 2,
        seed,
    )
    return network.cpu(), LayerHistory(epochs=tuple(progress.history), seconds=progress.seconds)


def predict_sequences(
    network: SequenceAutoencoder, training: TensorData, test: TensorData, columns: DataSpec
) -> tuple[SequenceReport, LoggedMetrics]:
    """Predict the lower halves of test images line by line, beside the mean and the last line repeated."""
    height = image_shape_of(columns)[0]
    known, new = (rows.reshape(len(rows), height, -1) for rows in (training.inputs, test.inputs[:ROWS]))
    found = evaluate_sequences(network, known, new, height // 2)
    log.info(found)
    return found, LoggedMetrics.of(found.model_dump(), prefix="test/sequences/")


def image_shape_of(columns: DataSpec) -> ImageShape:
    """Return the shape of rows that are images, as the pipeline was composed for."""
    assert columns.image_shape is not None
    return columns.image_shape
