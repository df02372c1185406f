"""The networks of `pretraining.py`: how each starts, what is tried of it, and how it is trained.

A trial is an option of the start, a learning rate and a rate of dropout. Every kind of network has ten, or the first so
many of them, and its best epoch too is chosen on the validation rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from pretraining_rows import Rows, class_numbers

from layerwise.data import TensorData
from layerwise.models import MLP, Members
from layerwise.parameters import DBNSettings
from layerwise.parameters.sizing import size_pretrained_dbn, size_several_mlps
from layerwise.training import TrainingError
from layerwise.training.autoencoder import SAESettings, build_stack, pretrain_layers
from layerwise.training.rbm import PretrainingSettings, pretrain_new_dbn
from layerwise.training.supervised import (
    FinetuningSettings,
    MLPSettings,
    StackHistory,
    new_network,
    probabilities,
    train_network_stack,
)
from layerwise.utils import torch_rng

BEST, SAME, RBM, DENOISING, CONTRACTIVE = (
    "best net",
    "same net",
    "RBM stack",
    "denoising stack",
    "contractive stack",
)
PRETRAINED = (RBM, DENOISING, CONTRACTIVE)
# What differs between the options of a start, beside the project's own values.
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    BEST: ({}, {"normalization": "layer"}, {"activation": "sigmoid", "initializer": "glorot_uniform"}),
    RBM: ({}, {"learning_rate": 0.03, "gaussian_learning_rate": 0.1}),
    DENOISING: ({}, {"corruption_level": 0.5}),
    CONTRACTIVE: ({}, {"contraction": 0.5}),
}


class Trial(NamedTuple):
    """What is tried: an option of the start, the learning rate and dropout of fine-tuning."""

    option: int
    learning_rate: float
    dropout: float


TRIALS = (
    *(
        Trial(0, 1e-3, 0.0),
        Trial(0, 3e-3, 0.0),
        Trial(0, 1e-2, 0.0),
        Trial(1, 1e-2, 0.0),
        Trial(1, 3e-3, 0.3),
    ),
    *(
        Trial(1, 3e-3, 0.0),
        Trial(0, 1e-2, 0.3),
        Trial(1, 1e-2, 0.3),
        Trial(0, 3e-2, 0.0),
        Trial(1, 3e-2, 0.0),
    ),
)
BEST_TRIALS = (
    *(
        Trial(0, 1e-3, 0.0),
        Trial(0, 3e-3, 0.0),
        Trial(2, 1e-2, 0.0),
        Trial(1, 1e-2, 0.0),
        Trial(1, 3e-3, 0.3),
    ),
    *(
        Trial(2, 3e-3, 0.0),
        Trial(0, 3e-3, 0.3),
        Trial(1, 3e-3, 0.0),
        Trial(2, 3e-2, 0.0),
        Trial(0, 1e-2, 0.3),
    ),
)


class Tried(NamedTuple):
    """A trial with its error and its loss on the validation rows, infinite where it diverged."""

    error: float
    loss: float
    trial: Trial


@dataclass
class Networks:
    """The networks of one data set.

    Args:
        rows: of the data set.
        steps: of fine-tuning, about.
        hidden_sizes: of all networks; None: by the rule of sizes.
        pretraining_steps: of each layer, about; None: by the rule of sizes.
    """

    rows: Rows
    steps: int
    hidden_sizes: tuple[int, ...] | None = None
    pretraining_steps: int | None = None
    stacks: dict[tuple[str, int, int], Any] = field(default_factory=dict)

    def network(self, kind: str, trial: Trial, seed: int) -> MLP:
        """Return a network before it has seen a label."""
        settings = FinetuningSettings(dropout=trial.dropout)
        if kind == BEST:
            given = MLPSettings(hidden_sizes=self.hidden_sizes, **OPTIONS[BEST][trial.option])
            shape = size_several_mlps(self.rows.columns, self.rows.training, given, settings)
            return new_network(shape, self.rows.columns, settings, seed)
        network = new_network(self.sizes[0].layers, self.rows.columns, settings, seed)
        if kind != SAME:
            key = kind, trial.option, seed
            if key not in self.stacks:
                self.stacks[key] = self._pretrained(*key)
            self.stacks[key].copy_to(network)
        return network

    @property
    def sizes(self) -> tuple[DBNSettings, PretrainingSettings]:
        """The layers and the pretraining of a stack, by the rule of sizes where nothing is given."""
        given = PretrainingSettings(epochs=None, batch_size=None)
        dbn = DBNSettings(hidden_sizes=self.hidden_sizes)
        of = self.rows.columns, self.rows.training, self.rows.training
        shape, pretraining = size_pretrained_dbn(*of, dbn, FinetuningSettings(), given)
        if self.pretraining_steps is not None:
            batches = math.ceil(len(self.rows.training) / pretraining.batch_size)
            epochs = max(math.ceil(self.pretraining_steps / batches), 5)
            pretraining = pretraining.model_copy(update={"epochs": epochs})
        return shape, pretraining

    def _pretrained(self, kind: str, option: int, seed: int) -> Any:
        rows, (shape, pretraining), changed = self.rows, self.sizes, OPTIONS[kind][option]
        parts = rows.training, rows.validation, rows.columns
        if kind == RBM:
            if rows.columns.bounded or rows.columns.image_shape:  # no unit is Gaussian
                changed = {"learning_rate": changed["learning_rate"]} if changed else {}
            settings = pretraining.model_copy(update=changed)
            return pretrain_new_dbn(shape.hidden_sizes, *parts, settings, seed, silent=True)[0]
        variant = kind.removesuffix(" stack")
        sae = SAESettings(variant=variant, hidden_sizes=shape.hidden_sizes, **changed)
        stack = build_stack(sae, rows.columns, torch_rng(seed, "stack"))
        pretrain_layers(stack, *parts, sae, pretraining, seed, silent=True)
        return stack

    def search(self, kind: str, trials: Sequence[Trial], n_labels: int | None) -> list[Tried]:
        """Return the trials with their scores on the validation rows, by networks of seed 0, the best one first.

        Those of one shape train as one stack. What diverges in pretraining is left out.
        """
        shapes: dict[Any, list[tuple[Trial, MLP]]] = {}
        for trial in trials:
            shape = trial.dropout, trial.option if kind == BEST else None
            with suppress(TrainingError):
                shapes.setdefault(shape, []).append((trial, self.network(kind, trial, 0)))
        found = []
        for members in filter(None, shapes.values()):
            group, networks = zip(*members, strict=True)
            settings = self._settings(group[0], n_labels)
            rates = [{"learning_rate": trial.learning_rate} for trial in group]
            labelled = self.rows.labelled(n_labels, 0)
            with suppress(TrainingError):  # all of them diverged
                _, history = self._train(networks, labelled, settings, [0] * len(group), rates)
                found += [Tried(*_score(history, k), trial) for k, trial in enumerate(group)]
        return sorted(found)

    def test(self, kind: str, trial: Trial, n_labels: int | None, seeds: Sequence[int]) -> np.ndarray:
        """Train a network a seed, each with its own labels, and read the test rows: (seeds, rows), true where wrong."""
        networks = [self.network(kind, trial, seed) for seed in seeds]
        labelled: Any = [self.rows.labelled(n_labels, seed) for seed in seeds]
        if n_labels is None:  # the same rows for all
            labelled = labelled[0]
        settings = self._settings(trial, n_labels)
        members, _ = self._train(networks, labelled, settings, seeds, [{}] * len(seeds))
        right = class_numbers(self.rows.test.targets)
        return np.stack([_classes(members, k, self.rows) != right for k in range(len(members))])

    def _settings(self, trial: Trial, n_labels: int | None) -> FinetuningSettings:
        n = n_labels or len(self.rows.training)
        batch = min(max(n // 10, 10), 100)
        epochs = math.ceil(self.steps / math.ceil(n / batch))
        return FinetuningSettings(
            epochs=max(epochs, 20), batch_size=batch, patience=max(epochs // 4, 8),
            learning_rate=trial.learning_rate, dropout=trial.dropout,
        )  # fmt: skip

    def _train(
        self,
        networks: Sequence[MLP],
        labelled: TensorData | Sequence[TensorData],
        settings: FinetuningSettings,
        seeds: Sequence[int],
        points: Sequence[dict[str, float]],
    ) -> tuple[Members, StackHistory]:
        columns = self.rows.columns
        return train_network_stack(
            networks, columns.task, labelled, self.rows.validation, settings, seeds, points,
            columns.dynamic_binarization, columns.image_shape,
        )  # fmt: skip


def _score(history: StackHistory, k: int) -> tuple[float, float]:
    """Return a member's error and loss on the validation rows in its best epoch."""
    if history.diverged[k]:
        return math.inf, math.inf
    epoch = history.history[k][history.best_epoch[k] - 1]
    return epoch["validation/error"], epoch["validation/loss"]


def _classes(members: Members, k: int, rows: Rows) -> np.ndarray:
    """Return the class that a member names for each test row, (rows,)."""
    with torch.no_grad():
        outputs = members.member(k)(rows.test.inputs)
    if rows.columns.task == "binary":
        return (probabilities("binary", outputs)[:, 0] > 0.5).long().numpy()
    return outputs.argmax(1).numpy()
