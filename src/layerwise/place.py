"""Where the present session is, and which problem it is about: the catalog puts its name into every path."""

from __future__ import annotations

from pathlib import Path

_place: dict[str, str] = {"problem": "unnamed", "project": "."}


def set_place(project: Path, problem: str) -> None:
    """Say which project and problem the session is about; the configuration loader does, before the catalog is read."""
    _place.update(project=str(project), problem=problem)


def problem() -> str:
    """Return the problem's name; the resolver behind `${problem:}` in the catalog."""
    return _place["problem"]


def project_path() -> Path:
    """Return the project's folder."""
    return Path(_place["project"])
