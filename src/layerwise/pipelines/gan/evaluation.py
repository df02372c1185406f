"""Judge the generator beside other generators of the same rows."""

import logging
from typing import Any

import torch
from torch import Tensor

from layerwise.data.preprocessing.table_encoding import TableEncoding, decode
from layerwise.data.splits import Split
from layerwise.data.tensors import Description, Rows
from layerwise.evaluation.generative.images import judge_pictures, mean_of, some_of
from layerwise.models.autoencoder.variational import VAE
from layerwise.models.gan.generator import Generator
from layerwise.models.mlp import MLP
from layerwise.pipelines.gan.nodes import sample
from layerwise.pipelines.gan.tables import judge_table
from layerwise.training.autoencoder.building import new_autoencoder
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.autoencoder.train import train_autoencoder
from layerwise.training.gan.feature_classifier import classes, features
from layerwise.training.gan.settings import GANSettings
from layerwise.utils.devices import best_device
from layerwise.utils.random_streams import generator_for, seed_for
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)


def judge(
    generator: Generator,
    conditions: Rows,
    encoding: dict[str, Any],
    raw: Any,
    split: dict[str, list[int]],
    preparation: Any,
    training: Rows,
    validation: Rows,
    test: Rows,
    description: dict[str, Any],
    classifier: MLP,
    settings: GANSettings,
    seed: int,
) -> dict[str, Any]:
    """Measure samples against test rows, and the samples of other generators with them."""
    columns = Description(**description)
    classifier.eval()
    if columns.image_shape is None:
        found = decode(
            sample(generator, conditions.inputs, len(training), seed, "judge").numpy(),
            TableEncoding(**encoding),
        )
        return judge_table(
            found, raw, Split.from_dict(split), preparation, training, test, columns, classifier, seed
        )
    generated = {"gan": sample(generator, conditions.inputs, settings.samples, seed, "judge")}
    if settings.compare:
        generated |= rivals(training, validation, columns, settings, seed)
    judged = {
        name: judge_pictures(
            rows,
            training.inputs,
            validation.inputs,
            test.inputs,
            lambda x: features(classifier, x),
            lambda x: classes(classifier, x),
            columns.n_outputs if columns.task == "multiclass" else 2,
        )
        for name, rows in generated.items()
    }
    report(judged["gan"])
    for name, figures in judged.items():
        log.info(
            "%s: Frechet distance %.2f, coverage %.3f, Parzen log-likelihood %.1f nats",
            name,
            figures["frechet_distance"],
            figures["coverage"],
            figures["parzen_log_prob"],
        )
    return judged


def rivals(
    training: Rows, validation: Rows, columns: Description, settings: GANSettings, seed: int
) -> dict[str, Tensor]:
    """Return as many rows of other generators: the project's VAE, the training mean, and training rows themselves."""
    n, draws = settings.samples, generator_for(seed, "gan", "rivals")
    return {
        f"vae, {settings.compare_epochs} epochs": _vae(training, validation, columns, settings, seed),
        "training mean": mean_of(training.inputs, n),
        "training rows": some_of(training.inputs, n, draws),
    }


def _vae(training: Rows, validation: Rows, columns: Description, settings: GANSettings, seed: int) -> Tensor:
    """Train the variational autoencoder as it is by default, and return means of p(x | z) at codes of the prior."""
    device = best_device()
    shape = AutoencoderSettings(variant="variational", epochs=settings.compare_epochs)
    network = new_autoencoder(shape, columns, generator_for(seed, "gan", "vae")).to(device)
    assert isinstance(network, VAE)
    own = seed_for(seed, "gan", "vae")
    train_autoencoder(
        network, training.to(device), validation.to(device), columns, shape, own, name="vae", quiet=True
    )
    draws = generator_for(seed, "gan", "vae", "samples", device=device)
    with torch.no_grad():
        return network.sample(settings.samples, draws).cpu()


def report(found: dict[str, Any]) -> None:
    """Report the generator's figures under the names that other pipelines use."""
    names = (
        "frechet_distance",
        "kernel_distance",
        "precision",
        "recall",
        "density",
        "coverage",
        "parzen_log_prob",
    )
    shares = torch.tensor(found["class_shares"])
    report_metrics(
        {f"test/{name}": found[name] for name in names}
        | {
            "test/memory_ratio": found["memory"]["ratio"],
            "test/rarest_class": float(shares.min()),
            "test/commonest_class": float(shares.max()),
        }
    )
