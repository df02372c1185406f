"""Nodes that evaluate the images of a GAN, beside those of baselines."""

import logging
from collections.abc import Mapping

import torch
from torch import Tensor

from layerwise.data import DataSpec, TensorData, rows_for_training
from layerwise.evaluation.generative import (
    SampleMetrics,
    evaluate_image_samples,
    repeat_training_mean,
    sample_training_rows,
)
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.models import MLP
from layerwise.models.autoencoder import LatentVariableModel
from layerwise.models.gan import Generator
from layerwise.pipelines.gan.nodes import sample
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.training.gan import GANSettings, extract_features, predict_probabilities
from layerwise.utils import choose_device, derive_seed, torch_rng

log = logging.getLogger(__name__)


def sample_images(
    generator: Generator, conditions: TensorData, settings: GANSettings, seed: int
) -> TensorData:
    """Generate the images that are evaluated."""
    return TensorData(sample(generator, conditions.inputs, settings.samples, seed, "judge"))


def evaluate_samples(
    samples: TensorData,
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    classifier: MLP,
    seed: int,
) -> tuple[SampleMetrics, LoggedMetrics]:
    """Return the metrics of the GAN's images against test rows."""
    found = _evaluate({"gan": samples.inputs}, (training, validation, test), classifier, seed)
    log.info(found)
    return found, LoggedMetrics.of(found.root["gan"].metrics(), prefix="test/")


def sample_baseline(
    training: TensorData, validation: TensorData, columns: DataSpec, settings: GANSettings, seed: int
) -> TensorData:
    """Train the default variational autoencoder, and return means of p(x | z) at latents of the prior."""
    own_settings = AutoencoderSettings(variant="variational", epochs=settings.baseline_epochs)
    network = build_autoencoder(own_settings, columns, torch_rng(seed, "gan", "vae"))
    assert isinstance(network, LatentVariableModel)
    device = choose_device(network, own_settings.batch_size, "vae")
    rows, held_out = rows_for_training(training, device), rows_for_training(validation, device)
    own_seed = derive_seed(seed, "gan", "vae")
    train_autoencoder(
        network.to(device), rows, held_out, columns, own_settings, own_seed, name="vae", silent=True
    )
    rng = torch_rng(seed, "gan", "vae", "samples", device=device)
    with torch.no_grad():
        return TensorData(network.sample(settings.samples, rng).cpu())


def evaluate_baselines(
    vae_samples: TensorData,
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    classifier: MLP,
    settings: GANSettings,
    seed: int,
) -> SampleMetrics:
    """Return the metrics of other generators' images: the default VAE, the training mean, training rows themselves."""
    n, rng = settings.samples, torch_rng(seed, "gan", "rivals")
    images = {
        f"vae, {settings.baseline_epochs} epochs": vae_samples.inputs,
        "training mean": repeat_training_mean(training.inputs, n),
        "training rows": sample_training_rows(training.inputs, n, rng),
    }
    found = _evaluate(images, (training, validation, test), classifier, seed)
    log.info(found)
    return found


def _evaluate(
    images: Mapping[str, Tensor],
    parts: tuple[TensorData, TensorData, TensorData],
    classifier: MLP,
    seed: int,
) -> SampleMetrics:
    training, validation, test = (part.inputs for part in parts)
    return SampleMetrics(
        {
            name: evaluate_image_samples(
                rows,
                training,
                validation,
                test,
                lambda x: extract_features(classifier, x),
                lambda x: predict_probabilities(classifier, x),
                seed,
            )
            for name, rows in images.items()
        }
    )
