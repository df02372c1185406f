"""The settings of tasks as plain values with plain defaults, as MLflow's `params` and a request have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from layerwise.inference.tasks.base import TaskError, offered_tasks
from layerwise.parameters import TaskSettings
from layerwise.utils import nearest

if TYPE_CHECKING:
    from layerwise.inference.model import TrainedModel


def task_options(model: TrainedModel) -> dict[str, Any]:
    """Return what a caller of a model may set, each with its default: the task, and what its tasks read."""
    tasks = offered_tasks(model)
    names = dict.fromkeys(name for task in tasks for name in task.uses)
    fields = TaskSettings.model_fields
    return {"task": tasks[0].name} | {name: fields[name].default for name in fields if name in names}


def offered_columns(model: TrainedModel) -> list[str]:
    """Return the names of all columns that some task of a model reads: those of its rows, and of conditions."""
    encoding = model.parts.encoding
    return list(dict.fromkeys([*model.raw_names, *(encoding.raw_names if encoding else ())]))


def parse_settings(params: Mapping[str, Any] | None) -> TaskSettings:
    """Return the settings that a caller's values stand for.

    Raises:
        TaskError: a name is unknown, or a value is wrong; the message says which.
    """
    fields = TaskSettings.model_fields
    given = dict(params or {})
    for name in given:
        if name not in fields:
            raise TaskError(f"unknown parameter '{str(name)[:60]}'{nearest(str(name), list(fields))}")
    # MLflow hands NumPy's numbers on.
    given = {name: value.item() if hasattr(value, "item") else value for name, value in given.items()}
    try:
        return TaskSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise TaskError(f"parameter {where}: {first['msg']}" if where else first["msg"]) from None
