"""The catalog entry of the rows without labels that `problem.unlabelled` names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.io import DatasetError

from layerwise.datasets.raw_table import with_origin


def entry_like_raw(entries: Mapping[str, Any], given: str, project: Path) -> dict[str, Any]:
    """Return the entry that is named, or one that reads a file as `raw` reads its own.

    Args:
        entries: of the catalog, `raw` among them.
        given: the name of one of them, or a file: its path, or its name below the folder of raw data.
        project: the folder that paths start from.

    Raises:
        DatasetError: there is no such entry, and `raw` is no table in a file, whose reading another file could take.
    """
    if given in entries:
        return with_origin(entries[given])
    raw = entries["raw"]
    if raw.get("type") != "layerwise.datasets.SourceTable":
        raise DatasetError(
            f"problem.unlabelled: the catalog has no entry '{given}'; name one that gives rows as raw does, which is a "
            f"{raw.get('type')}"
        )
    # A hash, addresses and the checks of raw's columns, the target among them, are those of raw's own file.
    found = {name: value for name, value in raw.items() if name not in ("file", "validator")}
    path = project / given
    if path.is_file():
        return {**found, "path": str(path.parent), "file": {"name": path.name}}
    return {**found, "file": {"name": given}}
