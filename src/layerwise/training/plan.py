"""What can be trained: the protocol between a method and the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.utils import UserError

Losses = dict[str, Tensor]
Transform = Callable[[Tensor], Tensor]


class TrainingError(UserError, RuntimeError):
    """Training cannot go on; the message names the layer, the epoch and the likely remedy."""


class TrainingPlan(Protocol):
    """What the loop can train: one network, or a stack of members whose losses have a dimension more.

    A plan derives from this class and leaves alone what it does not need: `epoch_order` and `on_epoch_end`.
    """

    def on_train_start(self, progress: Progress) -> None:
        """Prepare for so many epochs and batches an epoch, before a checkpoint is read and the first epoch starts."""

    def on_epoch_start(self, epoch: int) -> None:
        """Set what changes by epoch: learning rate, momentum, Gibbs steps. Epochs count from 1."""

    def epoch_order(self, n_rows: int) -> Tensor | None:
        """Return the order of an epoch's rows: (rows,), or (members, rows); None: the loop draws it from its `rng`."""
        return None

    def training_step(self, batch: TensorData) -> Losses:
        """Update the parameters on a batch; return per-row losses, each of shape (batch,) or (members, batch)."""

    def validation_step(self, batch: TensorData) -> Losses:
        """Return per-row losses and scores without an update, each of shape (batch,) or (members, batch)."""

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, Tensor]) -> None:
        """Close the epoch; `metrics` are its exact means over the rows, each of shape () or (members,).

        A stack records each member's epoch here, and those that stopped leave it.
        """
        return

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of everything that learning changes, by name."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
