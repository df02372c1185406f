"""Nodes that evaluate the samples of a GAN, beside those of baselines."""

import logging
from typing import Any

import torch
from torch import Tensor

from layerwise.data import DataSpec, Split, TensorData
from layerwise.data.preprocessing import TableEncoding, decode
from layerwise.evaluation.generative import evaluate_image_samples, repeat_training_mean, sample_training_rows
from layerwise.models import MLP
from layerwise.models.autoencoder import LatentVariableModel
from layerwise.models.gan import Generator
from layerwise.pipelines.gan.nodes import sample
from layerwise.pipelines.gan.tables import evaluate_table_samples
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.training.gan import GANSettings, extract_features, predict_classes
from layerwise.utils import choose_device, derive_seed, report_metrics, torch_rng

log = logging.getLogger(__name__)


def evaluate_samples(
    generator: Generator,
    conditions: TensorData,
    encoding: dict[str, Any],
    raw: Any,
    split: Split,
    preprocessor: Any,
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    classifier: MLP,
    settings: GANSettings,
    seed: int,
) -> dict[str, Any]:
    """Return the metrics of the GAN's samples and of the baselines' against test rows."""
    classifier.eval()
    if columns.image_shape is None:
        rows = decode(
            sample(generator, conditions.inputs, len(training), seed, "judge").numpy(),
            TableEncoding(**encoding),
        )
        return evaluate_table_samples(
            rows, raw, split, preprocessor, training, test, columns, classifier, seed
        )
    generated = {"gan": sample(generator, conditions.inputs, settings.samples, seed, "judge")}
    if settings.baselines:
        generated |= baseline_samples(training, validation, columns, settings, seed)
    metrics = {
        name: evaluate_image_samples(
            rows,
            training.inputs,
            validation.inputs,
            test.inputs,
            lambda x: extract_features(classifier, x),
            lambda x: predict_classes(classifier, x),
            columns.n_outputs if columns.task == "multiclass" else 2,
        )
        for name, rows in generated.items()
    }
    report_image_metrics(metrics["gan"])
    for name, values in metrics.items():
        log.info(
            "%s: Frechet distance %.2f, coverage %.3f, Parzen log-likelihood %.1f nats",
            name,
            values["frechet_distance"],
            values["coverage"],
            values["parzen_log_prob"],
        )
    return metrics


def baseline_samples(
    training: TensorData, validation: TensorData, columns: DataSpec, settings: GANSettings, seed: int
) -> dict[str, Tensor]:
    """Return samples of other generators: the default VAE, the training mean, and the training rows themselves."""
    n, rng = settings.samples, torch_rng(seed, "gan", "rivals")
    return {
        f"vae, {settings.baseline_epochs} epochs": _vae(training, validation, columns, settings, seed),
        "training mean": repeat_training_mean(training.inputs, n),
        "training rows": sample_training_rows(training.inputs, n, rng),
    }


def _vae(
    training: TensorData, validation: TensorData, columns: DataSpec, settings: GANSettings, seed: int
) -> Tensor:
    """Train the default variational autoencoder, and return means of p(x | z) at latents of the prior."""
    vae_settings = AutoencoderSettings(variant="variational", epochs=settings.baseline_epochs)
    network = build_autoencoder(vae_settings, columns, torch_rng(seed, "gan", "vae"))
    assert isinstance(network, LatentVariableModel)
    device = choose_device(network, vae_settings.batch_size, "vae")
    network.to(device)
    own_seed = derive_seed(seed, "gan", "vae")
    train_autoencoder(
        network,
        training.to(device),
        validation.to(device),
        columns,
        vae_settings,
        own_seed,
        name="vae",
        silent=True,
    )
    rng = torch_rng(seed, "gan", "vae", "samples", device=device)
    with torch.no_grad():
        return network.sample(settings.samples, rng).cpu()


def report_image_metrics(found: dict[str, Any]) -> None:
    """Report the metrics of the GAN's samples as `test/*`."""
    names = (
        "frechet_distance",
        "kernel_distance",
        "precision",
        "recall",
        "density",
        "coverage",
        "parzen_log_prob",
    )
    fractions = torch.tensor(found["class_fractions"])
    report_metrics(
        {f"test/{name}": found[name] for name in names}
        | {
            "test/memorization_ratio": found["memorization"]["ratio"],
            "test/min_class_fraction": float(fractions.min()),
            "test/max_class_fraction": float(fractions.max()),
        }
    )
