"""Where the present session is, and which problem it is about: the catalog puts its name into every path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_place: dict[str, Any] = {"problem": "unnamed", "project": ".", "parameters": {}}


def set_place(project: Path, problem: str, parameters: Mapping[str, Any] | None = None) -> None:
    """Say which project and problem the session is about; the configuration loader does, before the catalog is read.

    `parameters` are those that the catalog names with `${parameter:}`.
    """
    _place.update(project=str(project), problem=problem, parameters=dict(parameters or {}))


def parameter(name: str) -> Any:
    """Return a parameter by its dotted name, None where it is not set; the resolver behind `${parameter:}`."""
    value: Any = _place["parameters"]
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def problem() -> str:
    """Return the problem's name; the resolver behind `${problem:}` in the catalog."""
    return _place["problem"]


def project_path() -> Path:
    """Return the project's folder."""
    return Path(_place["project"])
