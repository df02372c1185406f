"""How the learning rate changes while a network learns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from layerwise.training.optim.settings import OptimizerSettings, ScheduleName


def learning_rate_factor(
    schedule: ScheduleName, done: float, milestones: Sequence[float] = (0.5, 0.75), factor: float = 0.1
) -> float:
    """Return the factor of the learning rate after the fraction `done` of all steps.

    `one_cycle` rises linearly over the first three tenths, then falls as a cosine (Smith 2018); `step`
    multiplies by the factor at each milestone, a fraction of all steps: by default a tenth at one half and
    at three quarters. `plateau` depends on the epochs' results and is left to its callback.
    """
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    if schedule == "one_cycle":
        return 0.04 + 0.96 * done / 0.3 if done < 0.3 else 0.5 * (1 + math.cos(math.pi * (done - 0.3) / 0.7))
    if schedule == "step":
        return factor ** sum(done >= milestone for milestone in milestones)
    return 1.0


def warmup_factor(step: int, warmup_steps: int) -> float | None:
    """Return the factor of the learning rate in a linear rise that reaches 1 with its last step; None after it."""
    return (step + 1) / warmup_steps if step < warmup_steps else None


def scheduled_learning_rate(
    settings: OptimizerSettings, step: int, steps_planned: int, n_batches: int
) -> float:
    """Return the learning rate of a step, counted from 0, by warm-up and schedule."""
    s = settings
    warmup_steps = round(s.warmup_epochs * n_batches)
    warm = warmup_factor(step, warmup_steps)
    if warm is not None:
        return s.learning_rate * warm
    done = (step - warmup_steps) / max(1, steps_planned - warmup_steps)
    return s.learning_rate * learning_rate_factor(
        s.schedule, done, s.step_milestones or (0.5, 0.75), s.step_factor or 0.1
    )
