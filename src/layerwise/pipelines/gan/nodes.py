"""Nodes that train a GAN on images or on a table's rows, and sample from its generator."""

import logging
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from layerwise.data import DataError, DataSpec, PreprocessingSettings, Problem, Split, TensorData
from layerwise.data.preprocessing import TableEncoding, decode
from layerwise.evaluation.plots import Animation, animate_images
from layerwise.models import MLP
from layerwise.models.gan import Discriminator, Generator
from layerwise.pipelines.gan.tables import encode_and_train_gan
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.training.gan import (
    CLASSIFIER_SIZES,
    GANResult,
    GANSettings,
    sample_conditions,
    train_feature_classifier as fit_classifier,
    train_image_gan,
)
from layerwise.utils import choose_device, dense_parameters, report_metrics, report_tags, torch_rng

log = logging.getLogger(__name__)
# Generated rows that are written where `synthesize` is null.
N_EXAMPLES = 10


def train_feature_classifier(
    training: TensorData, validation: TensorData, columns: DataSpec, settings: GANSettings, seed: int
) -> tuple[MLP, dict[str, Any]]:
    """Train the classifier whose features and classes the samples are evaluated with; report its error."""
    if columns.task in (*UNLABELLED, "multilabel") or training.targets is None:
        raise DataError(f"gan is for images and tables with one target, and the task is {columns.task}")
    epochs = settings.feature_classifier_epochs
    size = dense_parameters(columns.n_inputs, *CLASSIFIER_SIZES, columns.n_outputs)
    device = choose_device(size, 100, "feature_classifier")
    network, error = fit_classifier(training.to(device), validation.to(device), columns, seed, epochs)
    log.info("Feature classifier: error %.4f on the validation rows", error)
    report_metrics({"feature_classifier/validation/error": error})
    return network, {"validation_error": error}


def train_gan(
    raw: Any,
    split: Split,
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    classifier: MLP,
    problem: Problem,
    preprocessing: PreprocessingSettings,
    settings: GANSettings,
    seed: int,
) -> tuple[Generator, Discriminator, dict[str, Any], Animation, TensorData, dict[str, Any]]:
    """Train a GAN, and log a diagnosis for each failure."""
    if columns.image_shape is None:
        result, animation, encoding = encode_and_train_gan(
            raw, split, columns, problem, preprocessing, settings, seed
        )
    else:
        device = choose_device(settings.count_parameters(columns.n_inputs), settings.batch_size, "gan")
        result = train_image_gan(
            training.to(device), validation.to(device), columns, settings, seed, classifier
        )
        animation = animate_images(result.sample_history, columns.image_shape)
        captions = result.captions
        encoding = {} if captions is None else {"captions": captions.config.model_dump(mode="json")}
    report_diagnoses(result)
    training_conditions = (
        torch.zeros(1, 0) if result.training_conditions is None else result.training_conditions.cpu()
    )
    history = {"epochs": result.history, "diagnoses": result.diagnoses, "seconds": result.seconds}
    return (
        result.generator.cpu(),
        result.discriminator.cpu(),
        history,
        animation,
        TensorData(training_conditions),
        encoding,
    )


def report_diagnoses(result: GANResult) -> None:
    """Log the diagnoses, and report their kinds as a tag."""
    for diagnosis in result.diagnoses:
        log.warning("The GAN is %s", diagnosis)
    kinds = [diagnosis.split(":")[0] for diagnosis in result.diagnoses]
    report_tags({"gan.diagnosis": ", ".join(kinds) or "none"})


def sample(generator: Generator, training_conditions: Tensor, n: int, seed: int, consumer: str) -> Tensor:
    """Return n rows on the CPU, their conditions drawn from the training ones; the generator stays as it is.

    `consumer` names the random stream.
    """
    rng = torch_rng(seed, "gan", consumer)
    condition = sample_conditions(training_conditions, n, rng) if training_conditions.shape[1] else None
    return generator.sample(n, rng, condition)


def synthesize(
    generator: Generator,
    conditions: TensorData,
    encoding: dict[str, Any],
    preprocessor: Any,
    columns: DataSpec,
    n: int | None,
    seed: int,
) -> pd.DataFrame:
    """Return n generated rows in the original columns and types; a few as an example if n is None."""
    n = n or N_EXAMPLES
    rows = sample(generator, conditions.inputs, n, seed, "synthesize").numpy()
    log.info("%d generated rows are in data/07_model_output/<problem>/gan/synthetic.csv", n)
    if columns.image_shape is None:
        return decode(rows, TableEncoding(**encoding))
    pixels = preprocessor.restore_inputs(rows).reshape(n, -1)
    return pd.DataFrame(pixels, columns=list(columns.feature_names))
