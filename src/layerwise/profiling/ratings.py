"""Ratings' proposal: a file whose columns are called like a user, an item and a rating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layerwise.data import DataError, ReadingSettings
from layerwise.data.reading import UnreadableError, resolve_file_format
from layerwise.data.sources import find_rating_columns, read_rating_lines, read_ratings
from layerwise.profiling.proposal import Choice

UNNAMED = [f"column {k + 1}" for k in range(4)]
MIN_RATINGS, MAX_REPEATED, SPARSE = 30, 0.05, 1.2
# Ratings go up to this, and take no more than so many values.
HIGHEST, MAX_RATINGS = 100, 21
# Times are in seconds since 1970: from 1990 on.
EARLIEST = 631_152_000


def rating_columns(path: Path) -> dict[str, str] | None:
    """Return the columns of the users, items and ratings of a file, None where it has not all three.

    A file without names of columns has them where its first cells repeat as those of users and items do.
    """
    try:
        columns = resolve_file_format(path, ReadingSettings()).columns
    except UnreadableError:
        columns = ()
    except DataError:
        return None
    if len(columns) > 2 and not all(map(str.isdecimal, columns)):
        return find_rating_columns(columns)
    try:
        return _unnamed_columns(path)
    except DataError:
        return None


def _unnamed_columns(path: Path) -> dict[str, str] | None:
    """Return the columns of a file that has no names for them, as `read_rating_lines` calls them; None for others.

    Users and items are codes that come again, and there are few different ratings. A fourth column holds seconds since
    1970; without it most pairs are missing, and hardly one comes twice.
    """
    import pandas as pd

    table = read_rating_lines(path)
    names = [str(name) for name in table]
    if names not in (UNNAMED[:3], UNNAMED) or len(table) < MIN_RATINGS:
        return None
    codes = table[names[:2]]
    numbers = table[names[2:]].apply(pd.to_numeric, errors="coerce")
    values = numbers[names[2]]
    if (
        codes.apply(lambda each: each.str.contains(r"[.,]\d")).any(axis=None)
        or max(codes.nunique()) > len(table) / 2
        or numbers.isna().any(axis=None)
        or not 2 < values.nunique() <= MAX_RATINGS
        or (values.abs() > HIGHEST).any()
    ):
        return None
    if len(names) == 4:
        is_known = numbers[names[3]].min() >= EARLIEST
    else:
        is_known = (
            int(codes.nunique().to_numpy().prod()) > SPARSE * len(table)
            and codes.duplicated().mean() < MAX_REPEATED
        )
    if not is_known:
        return None
    return dict(zip(("user", "item", "rating", "time"), names, strict=False))


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
