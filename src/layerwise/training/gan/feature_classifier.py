"""A classifier whose last hidden layer is the feature space in which generated images are evaluated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.supervised import ClassifierSettings, train_classifier
from layerwise.utils import Config, derive_seed, torch_rng

# Units of the hidden layers; the last one is the feature space.
CLASSIFIER_SIZES = (256, 64)
CLASSIFIER_BATCH_SIZE = 100
# Enough for 98 of 100 digits, and half a minute on two cores.
ROWS_SEEN, MAX_EPOCHS = 400_000, 30


class ClassifierHistory(Config):
    """The classifier's error on the validation rows, as a fraction."""

    validation_error: float


def train_feature_classifier(
    training: TensorData, validation: TensorData, columns: DataSpec, seed: int, epochs: int | None = None
) -> tuple[MLP, float]:
    """Return a classifier of the problem's rows, and its error on the validation rows.

    It learns from training rows alone and from no generator, so that it is the same for all generators.
    """
    shape: dict[str, Any] = {
        "n_inputs": columns.n_inputs,
        "n_outputs": columns.n_outputs,
        "hidden_sizes": CLASSIFIER_SIZES,
        "activation": "relu",
        "initializer": "he_uniform",
        "dropout": 0.2,
    }
    network = MLP(MLPConfig(**shape), torch_rng(seed, "classifier")).to(training.device)
    settings = ClassifierSettings(
        epochs=epochs or max(1, min(MAX_EPOCHS, round(ROWS_SEEN / len(training)))),
        batch_size=CLASSIFIER_BATCH_SIZE,
        optimizer="adam",
        learning_rate=0.001,
        schedule="cosine",
    )
    progress = train_classifier(
        network,
        columns.task,
        training,
        validation,
        settings,
        derive_seed(seed, "classifier"),
        name="classifier",
    )
    return network.cpu(), progress.history[progress.best_epoch - 1]["validation/error"]


@torch.no_grad()
def extract_features(classifier: MLP, rows: Tensor, batch_size: int = 5000) -> Tensor:
    """Return the activations of the last hidden layer, (n, units)."""
    return _in_batches(classifier, classifier.encode, rows, batch_size)


@torch.no_grad()
def predict_classes(classifier: MLP, rows: Tensor, batch_size: int = 5000) -> Tensor:
    """Return the most probable class of each row, (n,); one output is the logit of the second of two classes."""
    scores = _in_batches(classifier, classifier, rows, batch_size)
    return (scores[:, 0] > 0).long() if scores.shape[1] == 1 else scores.argmax(1)


@torch.no_grad()
def predict_probabilities(classifier: MLP, rows: Tensor, batch_size: int = 5000) -> Tensor:
    """Return the probabilities of each row's classes, (n, k); one output is the logit of the second of two classes."""
    logits = _in_batches(classifier, classifier, rows, batch_size)
    if logits.shape[1] == 1:
        second = logits.sigmoid()
        return torch.cat([1 - second, second], 1)
    return logits.softmax(1)


def _in_batches(
    classifier: MLP, function: Callable[[Tensor], Tensor], rows: Tensor, batch_size: int
) -> Tensor:
    """Return what a function of the classifier, without dropout, gives for rows."""
    classifier.eval()
    return torch.cat([function(part) for part in rows.split(batch_size)])
