"""One row's reconstruction as training goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from layerwise.checkpointing.state import Progress
from layerwise.models.autoencoder.base import Coder
from layerwise.models.rbm.rbm import RBM
from layerwise.training.callbacks.base import Callback


@dataclass
class Stages(Callback):
    """Keep one row's reconstruction at four stages of a training.

    Args:
        reconstruct: returns the reconstruction (1, n_inputs) of rows (1, n_inputs), and its loss, a number.
        row: (n_inputs,) the row.
    """

    reconstruct: Callable[[Tensor], tuple[Tensor, Tensor]]
    row: Tensor
    kept: list[tuple[int, Tensor, float]] = field(default_factory=list)

    def on_train_begin(self, progress: Progress) -> None:
        """Look at the start."""
        self._epochs = {1, max(2, round(progress.epochs / 4)), progress.epochs}
        self._keep(0)

    def on_epoch_end(self, progress: Progress, metrics: object) -> None:
        """Look again at the first epoch, after a quarter of them, and at the last one."""
        if progress.epoch in self._epochs:
            self._keep(progress.epoch)

    def state(self) -> dict[str, Tensor]:
        """Return what was kept."""
        return {
            "epochs": torch.tensor([epoch for epoch, _, _ in self.kept], dtype=torch.int64),
            "rows": torch.stack([row for _, row, _ in self.kept]),
            "losses": torch.tensor([loss for _, _, loss in self.kept], dtype=torch.float64),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state()` returned."""
        parts = zip(state["epochs"].tolist(), state["rows"].clone(), state["losses"].tolist(), strict=True)
        self.kept = list(parts)

    def _keep(self, epoch: int) -> None:
        with torch.no_grad():
            mean, loss = self.reconstruct(self.row[None])
        self.kept.append((epoch, mean[0].clone(), float(loss)))


def stages_of_machine(rbm: RBM, row: Tensor) -> Stages:
    """Return the stages of a machine: there and back by means."""

    def reconstruct(v: Tensor) -> tuple[Tensor, Tensor]:
        units = rbm.visible_units
        x = rbm.visible_input(rbm.hidden_mean(v))
        return units.mean(x, units.exposure(v)), units.loss(x, v)

    return Stages(reconstruct, row)


def stages_of_autoencoder(network: Coder, row: Tensor) -> Stages:
    """Return the stages of an autoencoder, without noise."""

    def reconstruct(rows: Tensor) -> tuple[Tensor, Tensor]:
        total = network(rows)
        return network.output.mean(total), network.loss(total, rows)

    return Stages(reconstruct, row)
