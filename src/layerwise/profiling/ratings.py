"""Ratings' proposal: a file whose columns are called like a user, an item and a rating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layerwise.data import DataError, ReadingSettings
from layerwise.data.reading import resolve_file_format
from layerwise.data.sources import find_rating_columns, read_ratings
from layerwise.profiling.proposal import Choice


def rating_columns(path: Path) -> dict[str, str] | None:
    """Return the columns of the users, items and ratings of a file, None where it has not all three."""
    try:
        return find_rating_columns(resolve_file_format(path, ReadingSettings()).columns)
    except DataError:
        return None


def propose_ratings(path: Path, columns: dict[str, str]) -> tuple[dict[str, Any], list[Choice], list[str]]:
    """Return the fields of a `SourceRatings` entry, the settings and what was found.

    Raises:
        DataError: the ratings cannot be read.
    """
    found = read_ratings(path, columns)
    levels = sorted(set(found.values.tolist()))
    findings = [
        f"{len(found):,} ratings of {len(found.item_ids):,} items by {len(found.user_ids):,} users, from "
        f"{levels[0]:g} to {levels[-1]:g}",
        *(note.rstrip(".") for note in found.notes),
    ]
    reason = "its columns are users, items and ratings: an RBM predicts the ratings that are not there"
    choices = [
        Choice("problem.task", "ratings", reason, "the task of a table: name its column, --target COLUMN")
    ]
    return {"type": "layerwise.datasets.SourceRatings", "columns": columns}, choices, findings
