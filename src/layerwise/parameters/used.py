"""The settings that a run has used: those that its others, its task and its rows leave with a use."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from layerwise.data import DataSpec
from layerwise.utils import Config


def used_settings(value: Any, columns: DataSpec) -> Any:
    """Return a key's value as plain data, without the settings that had no use.

    A setting has none if its model refuses another value of it beside the other settings, as `Config._without_use` and
    its like do in the words "no use for", or if it is for other rows or another task.

    Args:
        value: a parameter model, or one value.
        columns: of the rows; they say the task, and whether the rows are images.
    """
    if not isinstance(value, Config):
        return value
    plain, found = value.model_dump(mode="json"), {}
    for name, field in type(value).model_fields.items():
        own = getattr(value, name)
        if isinstance(own, Config):
            inside = used_settings(own, columns)
            if inside:
                found[name] = inside
        elif value.changed(name) or not (_is_for_others(field, columns) or _is_refused(value, name, field)):
            found[name] = plain[name]
    return found


def _is_for_others(field: FieldInfo, columns: DataSpec) -> bool:
    extra = field.json_schema_extra
    excluded = str(extra.get("not_with", "")) if isinstance(extra, dict) else ""
    words = {each.strip() for each in excluded.split(",")}
    rows = "images" if columns.image_shape else "tables"
    own_tasks = {"tasks other than binary": "binary", "other tasks": "regression"}
    for phrase, task in own_tasks.items():
        if excluded == phrase and columns.task != task:
            return True
    return bool({rows, columns.task} & words)


def _is_refused(value: Config, name: str, field: FieldInfo) -> bool:
    """Whether the model refuses another value of a setting, since the others leave it without a use."""
    other = _other_value(getattr(value, name), field)
    if other is None:
        return False
    try:
        type(value).model_validate(value.model_dump() | {name: other})
    except ValidationError as error:
        return "no use for" in str(error)
    return False


def _other_value(own: Any, field: FieldInfo) -> Any:
    """Return another value of the same type; None where there is no telling what would be one."""
    if isinstance(own, bool):
        return not own
    if isinstance(own, int):
        return own + 1
    if isinstance(own, float):
        return own / 2 if own else 0.5
    kinds = get_args(field.annotation)
    if get_origin(field.annotation) is Literal:
        return next((each for each in kinds if each != own), None)
    return 0.5 if own is None and float in kinds else 2 if own is None and int in kinds else None
