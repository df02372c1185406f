"""How the learning rate changes while a network learns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import torch
from torch import Tensor

from layerwise.configuration import Choice
from layerwise.training.callbacks import Callback

if TYPE_CHECKING:
    from layerwise.training.loop import Progress

ScheduleName = Literal["constant", "step", "cosine", "one_cycle", "plateau"]

SCHEDULES: dict[ScheduleName, Choice] = {
    "constant": Choice("the rate stays", "short trainings"),
    "step": Choice(
        "the rate times step_factor at each of step_milestones",
        "long trainings",
        ("step_factor", "step_milestones"),
    ),
    "cosine": Choice("(1 + cos(pi t)) / 2 at the share t of all steps", "a good default"),
    "one_cycle": Choice(
        "linear rise over 3/10 of all steps, then a cosine (Smith 2018)", "few epochs at a high rate"
    ),
    "plateau": Choice(
        "the rate times plateau_factor after plateau_patience epochs without gain",
        "when the number of epochs is not known",
        ("plateau_factor", "plateau_patience"),
    ),
}
SETTINGS = ("step_factor", "step_milestones", "plateau_factor", "plateau_patience")


def rate_factor(
    schedule: ScheduleName, done: float, milestones: Sequence[float] = (0.5, 0.75), factor: float = 0.1
) -> float:
    """Return the share of the learning rate at a share `done` of all steps.

    `one_cycle` rises linearly over the first three tenths, then falls as a cosine (Smith 2018); `step`
    multiplies by the factor at each milestone, a share of all steps: by default a tenth at one half and at
    three quarters. `plateau` depends on the epochs' results and is left to its callback.
    """
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    if schedule == "one_cycle":
        return 0.04 + 0.96 * done / 0.3 if done < 0.3 else 0.5 * (1 + math.cos(math.pi * (done - 0.3) / 0.7))
    if schedule == "step":
        return factor ** sum(done >= milestone for milestone in milestones)
    return 1.0


def warmed_up(step: int, warmup_steps: int) -> float | None:
    """Return the share of the rate in a linear rise that reaches 1 with its last step; None after it."""
    return (step + 1) / warmup_steps if step < warmup_steps else None


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
