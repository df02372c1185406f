"""Lower the learning rate when a metric of the validation rows has stopped improving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from layerwise.training.callbacks.base import Callback
from layerwise.training.optim import OptimizerSettings

if TYPE_CHECKING:
    from layerwise.checkpointing import Progress


class HasLearningRate(Protocol):
    """A training plan whose learning rate a callback may scale."""

    learning_rate_scale: float


class ReduceOnPlateau(Callback):
    """Multiply the learning rate by a factor after epochs without gain.

    Args:
        plan: whose `learning_rate_scale` is multiplied.
        monitor: the metric to watch.
        factor: between 0 and 1.
        patience: epochs without gain before the rate falls, and again before it falls next.
        min_delta: a gain has to be larger than this.
        higher_is_better: True for scores.
    """

    def __init__(
        self,
        plan: HasLearningRate,
        monitor: str,
        factor: float = 0.1,
        patience: int = 5,
        min_delta: float = 0.0,
        higher_is_better: bool = False,
    ) -> None:
        self.plan, self.monitor, self.factor, self.patience = plan, monitor, factor, patience
        self.min_delta, self.sign = min_delta, -1.0 if higher_is_better else 1.0
        self.best, self.waited = float("inf"), 0

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Lower the rate when the patience is used up."""
        value = self.sign * metrics[self.monitor]
        if value < self.best - self.min_delta:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.plan.learning_rate_scale *= self.factor
            self.waited = 0

    def state_dict(self) -> dict[str, Tensor]:
        """Return the best value and the epochs since; the rate's scale is part of the plan's state."""
        return {"best": torch.tensor(self.best, dtype=torch.float64), "waited": torch.tensor(self.waited)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        self.best, self.waited = float(state["best"]), int(state["waited"])


def plateau_callbacks(
    plan: HasLearningRate,
    settings: OptimizerSettings,
    monitor: str,
    min_delta: float = 0.0,
    higher_is_better: bool = False,
) -> list[ReduceOnPlateau]:
    """Return what lowers a plan's learning rate by the schedule `plateau`; nothing for other schedules."""
    if settings.schedule != "plateau":
        return []
    factor, patience = settings.plateau_factor or 0.1, settings.plateau_patience or 5
    return [ReduceOnPlateau(plan, monitor, factor, patience, min_delta, higher_is_better)]
