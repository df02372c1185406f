"""A callback that keeps one row's reconstruction as training goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.models.autoencoder import BaseAutoencoder
from layerwise.models.rbm import RBM
from layerwise.training.callbacks.base import Callback


@dataclass
class ReconstructionHistory(Callback):
    """Keep one row's reconstruction before training, after the first epoch, a quarter of the epochs, and all.

    Args:
        reconstruct: returns the reconstruction (1, n_inputs) of rows (1, n_inputs), and its loss, a number.
        row: (n_inputs,) the row.
    """

    reconstruct: Callable[[Tensor], tuple[Tensor, Tensor]]
    row: Tensor
    entries: list[tuple[int, Tensor, float]] = field(default_factory=list)

    def on_train_start(self, progress: Progress) -> None:
        """Keep the reconstruction of the untrained network."""
        self._epochs = {1, max(2, round(progress.epochs / 4)), progress.epochs}
        self._keep(0)

    def on_epoch_end(self, progress: Progress, metrics: object) -> None:
        """Keep the reconstruction after the first epoch, after a quarter of them, and after the last one."""
        if progress.epoch in self._epochs:
            self._keep(progress.epoch)

    def state_dict(self) -> dict[str, Tensor]:
        """Return what was kept."""
        return {
            "epochs": torch.tensor([epoch for epoch, _, _ in self.entries], dtype=torch.int64),
            "rows": torch.stack([row for _, row, _ in self.entries]),
            "losses": torch.tensor([loss for _, _, loss in self.entries], dtype=torch.float64),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        parts = zip(state["epochs"].tolist(), state["rows"].clone(), state["losses"].tolist(), strict=True)
        self.entries = list(parts)

    def _keep(self, epoch: int) -> None:
        with torch.no_grad():
            mean, loss = self.reconstruct(self.row[None])
        self.entries.append((epoch, mean[0].clone(), float(loss)))


def rbm_reconstruction_history(rbm: RBM, row: Tensor) -> ReconstructionHistory:
    """Return the callback for an RBM: the mean visible units given the mean hidden units."""

    def reconstruct(v: Tensor) -> tuple[Tensor, Tensor]:
        units = rbm.visible_units
        pre_activation = rbm.visible_pre_activation(rbm.hidden_mean(v))
        return units.mean(pre_activation, units.observation_counts(v)), units.loss(pre_activation, v)

    return ReconstructionHistory(reconstruct, row)


def autoencoder_reconstruction_history(network: BaseAutoencoder, row: Tensor) -> ReconstructionHistory:
    """Return the callback for an autoencoder, without noise."""

    def reconstruct(rows: Tensor) -> tuple[Tensor, Tensor]:
        pre_activation = network(rows)
        return network.output.mean(pre_activation), network.loss(pre_activation, rows)

    return ReconstructionHistory(reconstruct, row)
