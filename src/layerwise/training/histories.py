"""What training leaves behind besides its network, as it stands in the catalog."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from layerwise.training.greedy import PretrainingResult
from layerwise.utils import Config

# The metrics of one epoch by name, and its number as `epoch`.
Epoch = dict[str, int | float]


class ReconstructionStage(Config):
    """One row's reconstruction (n_inputs,) after an epoch, and its loss."""

    epoch: int
    reconstruction: tuple[float, ...]
    loss: float


class ReconstructedRow(Config):
    """A training row (n_inputs,), and its reconstructions at some stages of training."""

    reconstruction_history: tuple[ReconstructionStage, ...] = ()
    row: tuple[float, ...] = ()


class InitialModel(Config):
    """The trained model that a network starts from: its registered name, its run, and the hash of its files."""

    name: str
    run_id: str = ""
    sha256: str = ""

    def run_tags(self) -> dict[str, str]:
        """Return what a run says of it."""
        return {
            "init_from.model": self.name,
            "init_from.run": self.run_id,
            "init_from.sha256": self.sha256,
        }


class PretrainingHistory(ReconstructedRow):
    """The epochs of each layer's pretraining, by name `layer_1`, ..., and a row that the first layer reconstructs."""

    layers: dict[str, tuple[Epoch, ...]]
    seconds: float
    init_from: InitialModel | None = None

    def run_tags(self) -> dict[str, str]:
        """Return what a run says of the model that its stack started from."""
        return {} if self.init_from is None else self.init_from.run_tags()

    @classmethod
    def of(cls, result: PretrainingResult, init_from: InitialModel | None = None) -> PretrainingHistory:
        """Return the history of a pretraining, and of the model that it started from."""
        return cls(
            init_from=init_from,
            layers={name: tuple(epochs) for name, epochs in result.history.items()},
            **reconstructed_row(result.row, result.reconstruction_history),
            seconds=result.seconds,
        )


class LayerHistory(ReconstructedRow):
    """The epochs of one network that reconstructs its rows, such as an RBM or an autoencoder."""

    epochs: tuple[Epoch, ...]
    seconds: float

    @classmethod
    def of(cls, result: PretrainingResult) -> LayerHistory:
        """Return the history of a pretraining of one layer."""
        (epochs,) = result.history.values()
        return cls(
            epochs=tuple(epochs),
            **reconstructed_row(result.row, result.reconstruction_history),
            seconds=result.seconds,
        )


def reconstructed_row(row: Tensor, entries: Iterable[tuple[int, Tensor, float]]) -> dict[str, Any]:
    """Return the fields of a `ReconstructedRow`: of the row (n_inputs,), and (epoch, reconstruction, loss) each."""
    stages = [
        ReconstructionStage(epoch=epoch, reconstruction=tuple(reconstruction.tolist()), loss=loss)
        for epoch, reconstruction, loss in entries
    ]
    return {"row": tuple(row.tolist()), "reconstruction_history": tuple(stages)}
