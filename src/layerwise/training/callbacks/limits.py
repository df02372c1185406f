"""Limits of training: a number of steps, a number of minutes."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.training.callbacks.base import Callback
from layerwise.utils.ranks import agree


class MaxSteps(Callback):
    """Stop after a number of steps.

    Args:
        max_steps: updates of the parameters.
    """

    def __init__(self, max_steps: int) -> None:
        self.max_steps, self.steps = max_steps, 0

    def on_batch_end(self, progress: Progress) -> None:
        """Ask for a stop when the limit is reached."""
        self.steps += 1
        if self.steps >= self.max_steps:
            progress.stop = f"{self.steps} steps done"

    def state_dict(self) -> dict[str, Tensor]:
        """Return the steps done."""
        return {"steps": torch.tensor(self.steps)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        self.steps = int(state["steps"])


class MaxTime(Callback):
    """Stop after a number of minutes.

    Args:
        max_minutes: of training, with all that callbacks do.
    """

    def __init__(self, max_minutes: float) -> None:
        self.max_minutes = max_minutes

    def on_train_start(self, progress: Progress) -> None:
        """Start the clock."""
        self._start_time = time.perf_counter()

    def on_batch_end(self, progress: Progress) -> None:
        """Ask for a stop when the limit is reached; a reason that stands already stays."""
        # The first rank's clock decides for all.
        if not progress.stop and agree(time.perf_counter() - self._start_time >= 60 * self.max_minutes):
            progress.stop = f"{self.max_minutes:g} minutes are over"

    def state_dict(self) -> dict[str, Tensor]:
        """Return the seconds of training so far."""
        return {"seconds": torch.tensor(time.perf_counter() - self._start_time, dtype=torch.float64)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned; the time in between does not count."""
        self._start_time = time.perf_counter() - float(state["seconds"])
