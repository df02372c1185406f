"""What can be trained: the protocol between a method and the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from torch import Tensor

from layerwise.data.tensors import Rows
from layerwise.utils.errors import UserError

Losses = dict[str, Tensor]


Transform = Callable[[Tensor], Tensor]


class TrainingError(UserError, RuntimeError):
    """Training cannot go on; the message names the layer, the epoch and the likely cure."""


class Trainee(Protocol):
    """What the loop can train."""

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Set what changes by epoch: rates, momentum, numbers of steps. Epochs count from 1."""

    def train_step(self, batch: Rows) -> Losses:
        """Update the parameters on a batch; return per-row losses, each of shape (batch,)."""

    def measure(self, batch: Rows) -> Losses:
        """Return per-row losses and scores without an update, each of shape (batch,)."""

    def state(self) -> dict[str, Tensor]:
        """Return copies of everything that learning changes, by name."""

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state()` returned."""
