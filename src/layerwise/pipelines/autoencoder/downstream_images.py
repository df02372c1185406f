"""Downstream tasks of an autoencoder on images: denoising, and sequences of lines; nothing for other rows."""

import logging
from typing import Any

import torch
from torch import Tensor, nn

from layerwise.data import DataSpec, TensorData
from layerwise.data.transforms import Corruption, CorruptionName
from layerwise.evaluation.unsupervised import peak_signal_to_noise_ratio, structural_similarity
from layerwise.models.autoencoder import SequenceAutoencoder, SequenceConfig, reconstruct_rows
from layerwise.training.autoencoder import DEFAULT_CORRUPTION_LEVELS, AutoencoderSettings, train_sequences
from layerwise.utils import choose_device, report_metrics, torch_rng

log = logging.getLogger(__name__)

# Test rows of each task: enough for two significant digits within seconds.
ROWS = 1000
NOISES: tuple[CorruptionName, ...] = ("gaussian", "salt_and_pepper", "masking")
SEQUENCE_ROWS, SEQUENCE_EPOCHS, SEQUENCE_LATENT_SIZE = 10_000, 10, 128


def add_noise(rows: Tensor, kind: CorruptionName, level: float | None, seed: int) -> Tensor:
    """Return images (n, pixels) with noise, clipped to [0, 1]; `level` None is the default of the kind."""
    noise = Corruption(
        kind, DEFAULT_CORRUPTION_LEVELS[kind] if level is None else level, torch_rng(seed, "denoising", kind)
    )
    return noise(rows).clamp(0, 1)


def denoise(
    network: nn.Module, test: TensorData, columns: DataSpec, settings: AutoencoderSettings, seed: int
) -> dict[str, Any]:
    """Return the PSNR (decibels) and the SSIM of corrupted images, before and after reconstruction."""
    if not settings.downstream_tasks or columns.image_shape is None:
        return {}
    rows, shape = test.inputs[:ROWS], columns.image_shape
    found: dict[str, Any] = {}
    for kind in NOISES:
        is_trained_kind = settings.resolved(settings.variant)["corruption"] in (kind, "auto")
        corrupted = add_noise(rows, kind, settings.corruption_level if is_trained_kind else None, seed)
        denoised = reconstruct_rows(network, corrupted).clamp(0, 1)
        found[kind] = {
            name: {
                "psnr": float(peak_signal_to_noise_ratio(rows, each).mean()),
                "ssim": float(structural_similarity(rows, each, shape).mean()),
            }
            for name, each in (("before", corrupted), ("after", denoised))
        }
        report_metrics({f"test/denoising/{kind}/{name}": v for name, v in found[kind]["after"].items()})
        before, after = found[kind]["before"], found[kind]["after"]
        log.info(
            "Denoising, %s: PSNR %.1f -> %.1f dB, SSIM %.3f -> %.3f",
            kind,
            before["psnr"],
            after["psnr"],
            before["ssim"],
            after["ssim"],
        )
    return found


def model_sequences(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> tuple[SequenceAutoencoder, dict[str, Any]]:
    """Train a recurrent autoencoder that reads the upper half of images line by line and predicts the lower half.

    Of other rows, or with the downstream tasks off, an empty network and no metrics.
    """
    if not settings.downstream_tasks or columns.image_shape is None:
        return SequenceAutoencoder(SequenceConfig(n_inputs=1, latent_size=1)), {}
    height, width = columns.image_shape
    config = SequenceConfig(n_inputs=width, latent_size=SEQUENCE_LATENT_SIZE)
    network = SequenceAutoencoder(config, torch_rng(seed, "sequences"))
    device = choose_device(network, settings.batch_size, "sequences")
    network.to(device)
    n_input_steps, epochs = height // 2, min(SEQUENCE_EPOCHS, settings.epochs)
    own_settings = settings.model_copy(
        update={"learning_rate": 2e-3, "optimizer": "adam", "weight_decay": 0.0}
    )
    progress = train_sequences(
        network,
        training[slice(0, SEQUENCE_ROWS)].to(device),
        validation.to(device),
        own_settings,
        epochs,
        settings.batch_size,
        n_input_steps,
        seed,
    )
    series = test.inputs[:ROWS].reshape(-1, height, width)
    past, future = series[:, :n_input_steps], series[:, n_input_steps:]
    network.cpu()
    with torch.no_grad():
        reconstructed, predicted = network.reconstruct(past), network.predict(past, height - n_input_steps)
    mean = training.inputs.reshape(-1, height, width)[:, n_input_steps:].mean(0)

    def squared_error(guess: Tensor, true: Tensor) -> float:
        return float((guess - true).square().sum((1, 2)).mean())

    found = {
        "reconstruction_sse": squared_error(reconstructed, past),
        "prediction_sse": squared_error(predicted, future),
        "mean_sse": squared_error(mean.expand_as(future), future),
        "last_line_sse": squared_error(past[:, -1:].expand_as(future), future),
    }
    report_metrics({f"test/sequences/{name}": value for name, value in found.items()})
    log.info(
        "Lower halves predicted line by line: squared error %.1f; of the mean %.1f, of the last line repeated %.1f",
        found["prediction_sse"],
        found["mean_sse"],
        found["last_line_sse"],
    )
    return network, found | {"epochs": progress.history}
