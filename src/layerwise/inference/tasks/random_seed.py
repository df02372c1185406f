"""The seed of an answer that is drawn by chance: the caller's, or one that is drawn and reported."""

from __future__ import annotations

import logging
import secrets

from layerwise.inference.tasks.base import Task
from layerwise.parameters import TaskSettings

log = logging.getLogger(__name__)
DRAWN_SEEDS = 2**31


def with_seed(task: Task, settings: TaskSettings) -> TaskSettings:
    """Return settings whose seed is a number from 0: -1 is drawn here, and said in the log."""
    if "seed" not in task.uses or settings.seed >= 0:
        return settings
    seed = secrets.randbelow(DRAWN_SEEDS)
    log.info("The seed of this answer is %d; the same seed gives the same answer", seed)
    return settings.model_copy(update={"seed": seed})
