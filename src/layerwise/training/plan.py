"""What can be trained: the protocol between a method and the loop."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Protocol

import torch
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

    def reason_against_ranks(self) -> str:
        """Return why this plan can't train in ranks, each on its rows of a batch; empty when it can.

        A step of a plan that can leaves the whole batch's update on every rank, by the means of `utils/ranks`.
        """
        return f"{type(self).__name__} does not spread the rows of a batch"

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of everything that learning changes, by name."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""


class CapturablePlan(TrainingPlan):
    """A plan whose step a GPU can repeat without Python, since it changes tensors in place and nothing else.

    A step is `prepare_step`, which does what depends on the number of the batch, and `update`, which is captured
    (`training/steps.py`). From Python both together are the `training_step`.
    """

    def training_step(self, batch: TensorData) -> Losses:
        """Update the parameters on a batch; return per-row losses, each of shape (batch,) or (members, batch)."""
        self.prepare_step()
        return self.update(batch)

    def prepare_step(self) -> Hashable:
        """Count the step and set what changes from step to step; return a key.

        Updates with the same key run the same operations with the same Python numbers: a rate that is such a number
        belongs to the key, one in a tensor doesn't.
        """
        raise NotImplementedError

    def update(self, batch: TensorData) -> Losses:
        """Update the parameters on a batch, without waiting for a number and without counting; return the losses."""
        raise NotImplementedError

    def generators(self) -> Sequence[torch.Generator]:
        """Return every random generator that `update` draws from."""
        raise NotImplementedError

    def reason_against_capture(self) -> str:
        """Return why the updates of this plan's settings can't be captured; empty when they can."""
        return ""
