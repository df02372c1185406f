"""Lower the learning rate when the validation rows say that nothing is gained any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from layerwise.training.callbacks.base import Callback

if TYPE_CHECKING:
    from layerwise.checkpointing.state import Progress


class HasRate(Protocol):
    """A trainee whose learning rate a callback may scale."""

    rate_scale: float


class ReduceOnPlateau(Callback):
    """Multiply the learning rate by a factor after epochs without gain.

    Args:
        trainee: whose `rate_scale` is multiplied.
        monitor: the metric to watch.
        factor: between 0 and 1.
        patience: epochs without gain before the rate falls, and again before it falls next.
        minimum_change: a gain has to be larger than this.
        higher_is_better: True for scores.
    """

    def __init__(
        self,
        trainee: HasRate,
        monitor: str,
        factor: float = 0.1,
        patience: int = 5,
        minimum_change: float = 0.0,
        higher_is_better: bool = False,
    ) -> None:
        self.trainee, self.monitor, self.factor, self.patience = trainee, monitor, factor, patience
        self.minimum_change, self.sign = minimum_change, -1.0 if higher_is_better else 1.0
        self.best, self.waited = float("inf"), 0

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Lower the rate when the patience is used up."""
        value = self.sign * metrics[self.monitor]
        if value < self.best - self.minimum_change:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.trainee.rate_scale *= self.factor
            self.waited = 0

    def state(self) -> dict[str, Tensor]:
        """Return the best value and the epochs since; the rate's scale is the trainee's."""
        return {"best": torch.tensor(self.best, dtype=torch.float64), "waited": torch.tensor(self.waited)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state()` returned."""
        self.best, self.waited = float(state["best"]), int(state["waited"])
