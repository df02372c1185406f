"""Early stopping: end training when a metric of the validation rows has not improved for a number of epochs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.training.callbacks.base import Callback


class BestEpoch(Callback):
    """Follow a metric and keep its best value and epoch; the base of what acts on them.

    Args:
        monitor: the metric to watch.
        min_delta: a gain has to be larger than this.
        higher_is_better: True for scores, False for losses and errors.
    """

    def __init__(self, monitor: str, min_delta: float, higher_is_better: bool) -> None:
        self.monitor, self.min_delta = monitor, min_delta
        self.sign = -1.0 if higher_is_better else 1.0
        self.best = self.sign * float("inf")
        self.best_epoch = 0

    def improved(self, progress: Progress, metrics: Mapping[str, float]) -> bool:
        """Return whether the epoch is the best so far; if so, it is the one to beat from now on.

        Raises:
            KeyError: the metric is not among those of the epoch.
        """
        if self.monitor not in metrics:
            raise KeyError(f"'{self.monitor}' is not measured; measured: {', '.join(metrics)}")
        value = metrics[self.monitor]
        if not self.sign * value < self.sign * self.best - self.min_delta:  # NaN is no gain
            return False
        self.best, self.best_epoch = value, progress.epoch
        return True

    def state_dict(self) -> dict[str, Tensor]:
        """Return the best value and its epoch."""
        return {
            "best": torch.tensor(self.best, dtype=torch.float64),
            "best_epoch": torch.tensor(self.best_epoch),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        self.best, self.best_epoch = float(state["best"]), int(state["best_epoch"])


class EarlyStopping(BestEpoch):
    """Stop training after a number of epochs without gain.

    Args:
        monitor: the metric to watch.
        patience: epochs without gain before training stops.
        min_delta: a gain has to be larger than this.
        higher_is_better: True for scores, False for losses and errors.
    """

    def __init__(
        self,
        monitor: str = "validation/loss",
        patience: int = 5,
        min_delta: float = 0.0,
        higher_is_better: bool = False,
    ) -> None:
        super().__init__(monitor, min_delta, higher_is_better)
        self.patience = patience

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Ask for a stop when the patience is used up."""
        if not self.improved(progress, metrics) and progress.epoch - self.best_epoch >= self.patience:
            progress.stop = f"no gain in {self.monitor} since epoch {self.best_epoch}"
