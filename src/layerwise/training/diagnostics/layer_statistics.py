"""Gradients, updates and activations of each layer while a network learns, and a diagnosis from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models import MLP
from layerwise.models.autoencoder import LayerChain
from layerwise.training.callbacks import Callback, Reporter
from layerwise.training.diagnostics.diagnosis import LayerSummary, NetworkSummary, diagnose
from layerwise.training.plan import TrainingError

SATURATED = {"sigmoid": (0.02, 0.98), "tanh": (-0.96, 0.96)}
DYING = ("relu",)
BATCHES_AN_EPOCH = 4
_NUMBERS = [name for name in LayerSummary.model_fields if name not in ("name", "activation")]


def layer_statistics(activation: str, hidden_activations: Tensor) -> dict[str, float]:
    """Return mean and standard deviation of (rows, units) activations, and how many are saturated or dead.

    `saturated` is a fraction of the values, `dead` of the units.

    A sigmoid or tanh is saturated where its derivative is below 8 % of its largest. A ReLU unit is dead when it
    is 0 for every row.
    """
    values = hidden_activations.detach()
    found = {"activation_mean": float(values.mean()), "activation_std": float(values.std(correction=0))}
    found["saturated"] = found["dead"] = 0.0
    if activation in SATURATED:
        low, high = SATURATED[activation]
        found["saturated"] = float(((values < low) | (values > high)).float().mean())
    if activation in DYING:
        found["dead"] = float((values <= 0).all(0).float().mean())
    return found


def has_identical_units(weight: Tensor) -> bool:
    """True when all units of a layer have the same incoming weights up to rounding, so that they learn the same."""
    difference = (weight - weight[:1]).abs().max()
    return weight.shape[0] > 1 and bool(difference <= 1e-3 * weight.abs().max())


@dataclass
class _WatchedLayer:
    name: str
    activation: str
    layer: nn.Linear


class LayerStatistics(Callback):
    """Measure a network's layers a few times an epoch, and say at the end what is wrong with it.

    Per layer: gradient norm (over the root of the number of weights), update-to-weight ratio, mean and
    standard deviation of the activations, fractions of saturated values and of dead units, weight norm. Gradients
    are those that the steps took, after any clipping; activations are of a fixed sample of rows. Only numbers are
    kept.

    Args:
        network: what learns; None for a network whose layers are not one chain of fully connected ones.
        sample: rows whose activations are measured, at most 256 of them, on any device.
        report: log the numbers of each epoch as `layer_statistics/...`.

    Raises:
        TrainingError: there is no chain of layers to read.
    """

    reads_gradients = True

    def __init__(self, network: MLP | LayerChain | None, sample: TensorData, report: bool = True) -> None:
        if network is None:
            raise TrainingError(
                "layer_statistics reads fully connected layers one after the other: set layer_statistics: false for "
                "variational and convolutional autoencoders"
            )
        self.network, self.reporter = network, Reporter() if report else None
        names = [f"layer_{k + 1}" for k in range(len(network.hidden))]
        activations = [*network.activation_names, "linear"]
        layers: list[Any] = [*network.hidden, network.output]
        self.rows = sample[:256].inputs.to(layers[-1].weight.device)
        self.watched = [
            _WatchedLayer(name, activation, layer)
            for name, activation, layer in zip([*names, "output"], activations, layers, strict=True)
        ]
        self.epochs: list[NetworkSummary] = []
        self.start: NetworkSummary | None = None

    def on_train_start(self, progress: Progress) -> None:
        """Measure the network before its first step."""
        self._clear()
        every = max(1, progress.n_batches // BATCHES_AN_EPOCH)
        self._sampled_batches = {1 + k * every for k in range(BATCHES_AN_EPOCH)}
        self.start = self._summary(0, {})

    def on_epoch_start(self, progress: Progress) -> None:
        """Clear the last epoch's sums."""
        self._clear()
        self._copy_weights()

    def on_batch_end(self, progress: Progress) -> None:
        """Read how far this step went, and its gradients, at a few steps of the epoch."""
        if self._before:
            self._read_updates()
        if progress.batch in self._sampled_batches:
            self._read_gradients()
            if progress.batch < progress.n_batches:
                self._copy_weights()

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Keep the epoch's numbers, and report them."""
        summary = self._summary(progress.epoch, metrics)
        self.epochs.append(summary)
        if self.reporter is not None:
            self.reporter.on_epoch_end(progress, summary.metrics())

    def on_train_end(self, progress: Progress) -> None:
        """Measure once more when training broke off within an epoch."""
        if progress.epoch > len(self.epochs):
            self.epochs.append(self._summary(progress.epoch, {}))

    def state_dict(self) -> dict[str, Tensor]:
        """Return the numbers of the start and of each epoch: (1 + epochs, layers, numbers), and the losses."""
        every = [summary for summary in [self.start, *self.epochs] if summary is not None]
        numbers = [
            [[float(getattr(layer, name)) for name in _NUMBERS] for layer in summary.layers]
            for summary in every
        ]
        losses = [[float(summary.epoch), summary.loss] for summary in every]
        return {
            "layers": torch.tensor(numbers, dtype=torch.float64),
            "losses": torch.tensor(losses, dtype=torch.float64),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        found = []
        for (epoch, loss), numbers in zip(state["losses"].tolist(), state["layers"].tolist(), strict=True):
            layers = tuple(
                LayerSummary(
                    name=each.name, activation=each.activation, **dict(zip(_NUMBERS, values, strict=True))
                )
                for each, values in zip(self.watched, numbers, strict=True)
            )
            found.append(NetworkSummary(epoch=int(epoch), loss=loss, layers=layers))
        self.start, self.epochs = found[0], found[1:]

    def diagnoses(self) -> list[str]:
        """Return what is wrong, in words, with the layer and the remedies; empty when nothing is."""
        return diagnose(self.start, self.epochs)

    def _clear(self) -> None:
        self._norms = [0.0] * len(self.watched)
        self._ratios = [0.0] * len(self.watched)
        self._gradients_read = self._updates_read = 0
        self._before: list[Tensor] = []

    def _copy_weights(self) -> None:
        # A few copies an epoch, each dropped at the next step.
        self._before = [each.layer.weight.detach().clone() for each in self.watched]

    def _read_updates(self) -> None:
        with torch.no_grad():
            for k, (each, before) in enumerate(zip(self.watched, self._before, strict=True)):
                self._ratios[k] += float((each.layer.weight - before).norm() / (before.norm() + 1e-12))
        self._updates_read += 1
        self._before = []

    def _read_gradients(self) -> None:
        for k, each in enumerate(self.watched):
            gradient = each.layer.weight.grad
            if gradient is not None:
                self._norms[k] += float(gradient.norm()) / math.sqrt(gradient.numel())
        self._gradients_read += 1

    def _inputs(self) -> Tensor:
        return self.network.embed(self.rows) if isinstance(self.network, MLP) else self.rows

    def _summary(self, epoch: int, metrics: Mapping[str, float]) -> NetworkSummary:
        was_training = self.network.training
        self.network.eval()
        with torch.no_grad():
            every = list(self.network.hidden_activations(self.rows))
            every.append(self.network.output(every[-1] if every else self._inputs()))
            layers = []
            for k, (each, hidden_activations) in enumerate(zip(self.watched, every, strict=True)):
                weight = each.layer.weight
                layers.append(
                    LayerSummary(
                        name=each.name,
                        activation=each.activation,
                        gradient=self._norms[k] / max(1, self._gradients_read),
                        update_ratio=self._ratios[k] / max(1, self._updates_read),
                        weight_norm=float(weight.norm()),
                        reference_norm=math.sqrt(2 * weight.numel() / sum(weight.shape[-2:])),
                        has_identical_units=each.name != "output" and has_identical_units(weight),
                        **layer_statistics(each.activation, hidden_activations),
                    )
                )
        self.network.train(was_training)
        return NetworkSummary(epoch=epoch, loss=metrics.get("train/loss", math.nan), layers=tuple(layers))
