"""Stop when the validation rows, the steps or the clock say so, and keep the best weights."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from layerwise.checkpointing.state import Progress
from layerwise.training.callbacks.base import Callback


class KeepBestWeights(Callback):
    """Remember the weights of the best epoch, give them back at the end, stop after a patience without gain.

    Args:
        network: whose weights are kept.
        monitor: the metric to watch.
        patience: epochs without gain before training stops; None never stops.
        min_delta: a gain has to be larger than this.
        higher_is_better: True for scores, False for losses and errors.
    """

    def __init__(
        self,
        network: nn.Module,
        monitor: str = "validation/loss",
        patience: int | None = None,
        min_delta: float = 0.0,
        higher_is_better: bool = False,
    ) -> None:
        self.network, self.monitor, self.patience = network, monitor, patience
        self.min_delta, self.sign = min_delta, -1.0 if higher_is_better else 1.0
        self.best = self.sign * float("inf")
        self.best_epoch = 0
        self._weights: dict[str, Tensor] = {}

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Keep the weights of a gain; ask for a stop when the patience is used up."""
        if self.monitor not in metrics:
            raise KeyError(f"'{self.monitor}' is not measured; measured: {', '.join(metrics)}")
        value = metrics[self.monitor]
        if self.sign * value < self.sign * self.best - self.min_delta:
            self.best, self.best_epoch = value, progress.epoch
            self._weights = {name: w.detach().clone() for name, w in self.network.state_dict().items()}
        elif self.patience is not None and progress.epoch - self.best_epoch >= self.patience:
            progress.stop = f"no gain in {self.monitor} since epoch {self.best_epoch}"

    def on_train_end(self, progress: Progress) -> None:
        """Give the best weights back."""
        if self._weights:
            self.network.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the best weights, their score and epoch."""
        found = {
            "best": torch.tensor(self.best, dtype=torch.float64),
            "best_epoch": torch.tensor(self.best_epoch),
        }
        return found | {f"weights.{name}": value.clone() for name, value in self._weights.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        self.best, self.best_epoch = float(state["best"]), int(state["best_epoch"])
        self._weights = {
            name.removeprefix("weights."): value.clone()
            for name, value in state.items()
            if name.startswith("weights.")
        }


class Budget(Callback):
    """Stop after a number of steps or of minutes, whichever comes first.

    Args:
        max_steps: updates of the parameters; None for no limit.
        max_minutes: of training, with all that callbacks do; None for no limit.
    """

    def __init__(self, max_steps: int | None = None, max_minutes: float | None = None) -> None:
        self.max_steps, self.max_minutes = max_steps, max_minutes
        self.steps = 0

    def on_train_start(self, progress: Progress) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_batch_end(self, progress: Progress) -> None:
        """Ask for a stop when a limit is reached."""
        self.steps += 1
        if self.max_steps is not None and self.steps >= self.max_steps:
            progress.stop = f"{self.steps} steps done"
        elif self.max_minutes is not None and time.perf_counter() - self._began >= 60 * self.max_minutes:
            progress.stop = f"{self.max_minutes:g} minutes are over"

    def state_dict(self) -> dict[str, Tensor]:
        """Return the steps done and the seconds gone."""
        seconds = time.perf_counter() - self._began
        return {"steps": torch.tensor(self.steps), "seconds": torch.tensor(seconds, dtype=torch.float64)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned; the clock stood still in between."""
        self.steps = int(state["steps"])
        self._began = time.perf_counter() - float(state["seconds"])
