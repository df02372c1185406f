"""Greedy layer-wise pretraining: each layer learns from the one below (Hinton et al. 2006; Bengio et al. 2007)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from layerwise.data import TensorData
from layerwise.data.transforms import make_dynamic_binarization
from layerwise.training.callbacks import Callback, ReconstructionHistory
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingPlan
from layerwise.utils import torch_rng


@dataclass(frozen=True)
class PretrainingResult:
    """What pretraining leaves behind besides the stack.

    Args:
        history: one list of epochs a layer, by name `layer_1`, ...
        reconstruction_history: (epoch, reconstruction, loss) of one training row, by the first layer.
        row: that row.
        seconds: of training.
    """

    history: dict[str, list[dict[str, float]]]
    reconstruction_history: list[tuple[int, Tensor, float]]
    row: Tensor
    seconds: float

    def followed_by(self, later: PretrainingResult) -> PretrainingResult:
        """Return the result of both trainings, with the reconstructions of the later one."""
        return PretrainingResult(
            self.history | later.history,
            later.reconstruction_history,
            later.row,
            self.seconds + later.seconds,
        )


class LayerTraining(Protocol):
    """What differs between the kinds of layers; layers count from 0, and `layer_1` is the name of layer 0."""

    @property
    def metric(self) -> str:
        """The metric that the progress bar shows."""

    def reconstruction_history(self, row: Tensor) -> ReconstructionHistory:
        """Return what keeps the first layer's reconstructions of a row (n_inputs,)."""

    def make_plan(self, layer: int, name: str, rows: TensorData) -> TrainingPlan:
        """Initialize a layer for its rows, inputs (n, n_inputs), and return the plan that trains it."""

    def callbacks(self, plan: Any, rows: TensorData) -> Sequence[Callback]:
        """Return what listens to the training of a layer, on inputs (n, n_inputs), by the plan of `make_plan`."""

    def make_encoder(self, layer: int, name: str) -> Callable[[Tensor], Tensor]:
        """Return the function from the inputs (n, n_inputs) of a trained layer to those of the next one."""


def pretrain_greedily(
    layers: LayerTraining,
    training: TensorData,
    validation: TensorData | None,
    epochs: Sequence[int],
    batch_size: int,
    seed: int,
    dynamic_binarization: bool = False,
    silent: bool = False,
) -> PretrainingResult:
    """Train each layer on the features of the one below, bottom up.

    Args:
        layers: how a layer starts, learns and passes features on.
        training: inputs (n, n_inputs); targets are not read.
        validation: rows that are evaluated and never learnt from.
        epochs: passes over the training rows, for each layer.
        batch_size: rows a step.
        seed: of the run.
        dynamic_binarization: read each input as a probability and sample it anew for every batch of the first layer.
        silent: report nothing.

    Raises:
        TrainingError: a metric is not finite; the message names the layer.
    """
    rows, held_out = training.without_targets(), None if validation is None else validation.without_targets()
    binarize = make_dynamic_binarization(seed, rows.device, "pretraining") if dynamic_binarization else None
    reconstruction_history = layers.reconstruction_history(rows[:1].inputs[0].clone())
    history: dict[str, list[dict[str, float]]] = {}
    seconds = 0.0
    for layer, layer_epochs in enumerate(epochs):
        name, is_first = f"layer_{layer + 1}", layer == 0
        plan = layers.make_plan(layer, name, rows)
        progress = fit(
            plan,
            rows,
            epochs=layer_epochs,
            batch_size=batch_size,
            rng=torch_rng(seed, "pretraining", name, "order"),
            validation=held_out,
            callbacks=[*layers.callbacks(plan, rows), *([reconstruction_history] if is_first else [])],
            transform=binarize if is_first else None,
            name=f"pretraining layer {layer + 1} of {len(epochs)}",
            monitor=layers.metric,
            prefix=f"pretraining/{name}",
            quiet=silent,
        )
        history[name] = progress.history
        seconds += progress.seconds
        if layer + 1 < len(epochs):
            encode = layers.make_encoder(layer, name)
            rows, held_out = (
                rows.map_inputs(encode),
                None if held_out is None else held_out.map_inputs(encode),
            )
    return PretrainingResult(history, reconstruction_history.entries, reconstruction_history.row, seconds)
