"""A task: what a model can be asked, and the registry of all tasks."""

from __future__ import annotations

import logging
import secrets
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.parameters import TaskSettings
from layerwise.utils import Registry, UserError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.data.reading import ChunkedReader
    from layerwise.inference.model import TrainedModel

DRAWN_SEEDS = 2**31
log = logging.getLogger(__name__)


class TaskError(UserError, ValueError):
    """The model does not do what it was asked, or has no use for a setting; the message says what it does."""


class Task(ABC):
    """One thing that some models can be asked.

    A module of this package that registers a task is found by being there.
    """

    # By which it is asked for.
    name: str
    # A model that is asked nothing in particular does the first of its tasks.
    order: int = 100
    # The fields of `TaskSettings` that it reads.
    uses: tuple[str, ...] = ()
    # What it answers stands beside the rows of a file; else the answer is rows itself.
    beside_rows = True
    # The answer has a line for each row; else rows are asked together, and the answer has lines of its own.
    answers_each_row = True
    # A row's answer is the same among the rows of other requests.
    joins_requests = False
    # An empty cell is the question, never a reason to refuse a row.
    asks_for_empty_cells = False
    # Rows may be left out: the settings say what is asked.
    works_without_rows = False
    # Columns of its answer whose texts a CSV file has as they are, since they are keys; None for all, generated rows.
    exempt_columns: tuple[str, ...] | None = ()

    def select(self, model: TrainedModel, frame: pd.DataFrame) -> Any:
        """Return what is read of a caller's rows: the model's columns in their types, or pixels (n, d)."""
        return model.select_inputs(frame, only_inputs=True)

    def validate(self, model: TrainedModel, rows: Any, strict: bool) -> np.ndarray:
        """Return why each row cannot be answered, (n,) text; empty for a valid one."""
        return model.validate(rows, strict, self.asks_for_empty_cells)

    def products(self, model: TrainedModel, settings: TaskSettings, n: int) -> float:
        """Return about how many multiplications the answer to n rows takes."""
        return float(n * sum(each.numel() for each in model.network.parameters()))

    def read_file(self, reader: ChunkedReader) -> pd.DataFrame:
        """Return a caller's rows all at once, of a task that does not answer each by itself."""
        raise NotImplementedError

    @abstractmethod
    def suits(self, model: TrainedModel) -> bool:
        """Return whether a model does this."""

    @abstractmethod
    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the answer's columns."""

    @abstractmethod
    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the answer, a line for each row where the task answers each.

        Args:
            model: a model that it suits.
            rows: valid rows: a DataFrame, or pixels (n, d); None where there are none.
            settings: with `seed` drawn.
        """

    def with_seed(self, settings: TaskSettings) -> TaskSettings:
        """Return settings whose seed is a number from 0: -1 is drawn here, and said in the log."""
        if "seed" not in self.uses or settings.seed >= 0:
            return settings
        seed = secrets.randbelow(DRAWN_SEEDS)
        log.info("The seed of this answer is %d; the same seed gives the same answer", seed)
        return settings.model_copy(update={"seed": seed})


TASKS: Registry[Task] = Registry("task", "layerwise.inference.tasks", "layerwise.tasks")


def register_task(task: type[Task]) -> type[Task]:
    """Register a task under its name; a class decorator."""
    TASKS.add(task.name, task())
    return task


def offered_tasks(model: TrainedModel) -> list[Task]:
    """Return what a model can be asked, the task first that it does unasked."""
    found = [task for task in TASKS.all().values() if task.suits(model)]
    return sorted(found, key=lambda task: task.order)


def find_task(model: TrainedModel, settings: TaskSettings) -> Task:
    """Return the task that the settings name, the model's first one if they name none.

    Raises:
        TaskError: the model does not do it, or it has no use for a setting that was given.
    """
    offered = {task.name: task for task in offered_tasks(model)}
    what = f"this model ({model.kind} of the problem {model.manifest.problem})"
    if not offered:
        raise TaskError(f"{what} can be asked nothing")
    name = settings.task or next(iter(offered))
    if name not in offered:
        known = TASKS.all()
        hint = "" if name in known else nearest(name, list(known))
        hint = hint if hint.startswith("; did") else ""
        raise TaskError(
            f"{what} has no task {name}{hint + ' Its' if hint else '; its'} tasks: {', '.join(offered)}"
        )
    task = offered[name]
    wrong = [each for each in TaskSettings.model_fields if each != "task" and each not in task.uses]
    wrong = [each for each in wrong if settings.changed(each)]
    if wrong:
        used = f"; it reads {', '.join(task.uses)}" if task.uses else ""
        raise TaskError(f"the task {name} has no use for {', '.join(wrong)}{used}")
    return task
