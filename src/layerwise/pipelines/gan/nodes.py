"""Nodes that train a GAN on images, and sample from its generator."""

import logging
from functools import partial

import pandas as pd
import torch
from torch import Tensor

from layerwise.data import DataError, DataSpec, TensorData, rows_for_training
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.data.sources import CaptionConfig
from layerwise.evaluation.generative import frechet_distance_to
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.plots import Animation, animate_images
from layerwise.models import MLP
from layerwise.models.gan import Discriminator, Generator
from layerwise.training.gan import (
    CLASSIFIER_BATCH_SIZE,
    CLASSIFIER_SIZES,
    ClassifierHistory,
    GANHistory,
    GANResult,
    GANSettings,
    extract_features,
    sample_conditions,
    train_feature_classifier as fit_classifier,
    train_image_gan as fit_image_gan,
)
from layerwise.utils import choose_device, dense_parameters, torch_rng
from layerwise.utils.ranks import in_ranks

log = logging.getLogger(__name__)
# Generated rows that are written where `synthesize` is null.
N_EXAMPLES = 10
# Validation rows that samples are compared with after each epoch.
COMPARED_ROWS = 10_000
Trained = tuple[Generator, Discriminator, GANHistory, Animation, TensorData]


def train_feature_classifier(
    training: TensorData, validation: TensorData, columns: DataSpec, epochs: int | None, seed: int
) -> tuple[MLP, ClassifierHistory, LoggedMetrics]:
    """Train the classifier whose features and classes the samples are evaluated with."""
    if columns.task in ("ratings", "documents", "multilabel") or training.targets is None:
        raise DataError(f"gan is for images and tables, and the task is {columns.task}")
    size = dense_parameters(columns.n_inputs, *CLASSIFIER_SIZES, columns.n_outputs)
    device = choose_device(size, CLASSIFIER_BATCH_SIZE, "feature_classifier")
    network, error = fit_classifier(
        rows_for_training(training, device), rows_for_training(validation, device), columns, seed, epochs
    )
    log.info("Feature classifier: error %.4f on the validation rows", error)
    metrics = LoggedMetrics.of({"feature_classifier/validation/error": error})
    return network, ClassifierHistory(validation_error=error), metrics


@in_ranks
def train_image_gan(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    classifier: MLP,
    settings: GANSettings,
    seed: int,
) -> Trained:
    """Train a GAN of images, conditional on their class if the settings say so."""
    return _trained(_fit(training, validation, columns, classifier, settings, seed), columns)


@in_ranks
def train_captioned_gan(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    classifier: MLP,
    settings: GANSettings,
    seed: int,
) -> tuple[Generator, Discriminator, GANHistory, Animation, TensorData, CaptionConfig]:
    """Train a GAN of images conditional on their captions; return the captions' vocabulary too."""
    result = _fit(training, validation, columns, classifier, settings, seed)
    assert result.captions is not None
    return *_trained(result, columns), result.captions.config


def _fit(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    classifier: MLP,
    settings: GANSettings,
    seed: int,
) -> GANResult:
    device = choose_device(settings.count_parameters(columns.n_inputs), settings.batch_size, "gan")
    rows, held_out = rows_for_training(training, device), rows_for_training(validation, device)
    network, compared = classifier.to(device), held_out[slice(COMPARED_ROWS)].inputs
    distance = frechet_distance_to(compared, partial(extract_features, network))
    return fit_image_gan(rows, held_out, columns, settings, seed, network, distance)


def _trained(result: GANResult, columns: DataSpec) -> Trained:
    assert columns.image_shape is not None
    return collect(result, animate_images(result.sample_history, columns.image_shape))


def collect(result: GANResult, animation: Animation) -> Trained:
    """Return a result as the nodes do: networks on the CPU, history, animation, the conditions of training rows."""
    for diagnosis in result.diagnoses:
        log.warning("The GAN is %s", diagnosis)
    conditions = torch.zeros(1, 0) if result.training_conditions is None else result.training_conditions.cpu()
    networks = result.generator.cpu(), result.discriminator.cpu()
    return *networks, GANHistory.of(result), animation, TensorData(conditions)


def sample(generator: Generator, training_conditions: Tensor, n: int, seed: int, consumer: str) -> Tensor:
    """Return n rows on the CPU, their conditions drawn from the training ones; the generator stays as it is.

    `consumer` names the random stream.
    """
    return sample_with(generator, training_conditions, n, torch_rng(seed, "gan", consumer))


def sample_with(generator: Generator, training_conditions: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Return n rows on the CPU, their conditions drawn from the training ones, by a random stream that goes on."""
    condition = sample_conditions(training_conditions, n, rng) if training_conditions.shape[1] else None
    return generator.sample(n, rng, condition)


def synthesize_images(
    generator: Generator,
    conditions: TensorData,
    preprocessor: LabelledPreprocessor,
    columns: DataSpec,
    n: int | None,
    seed: int,
) -> pd.DataFrame:
    """Return n generated images, a column a pixel; a few as an example if n is None."""
    rows = sample(generator, conditions.inputs, n or N_EXAMPLES, seed, "synthesize").numpy()
    pixels = preprocessor.restore_inputs(rows).reshape(len(rows), -1)
    log.info("%d images generated", len(rows))
    return pd.DataFrame(pixels, columns=list(columns.feature_names))
