"""What links columns or rows of a table: one category in several columns of 0 and 1, several rows of one patient, a row
that holds the sums of all others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerwise.profiling.columns import ColumnProfile
from layerwise.profiling.proposal import Choice

if TYPE_CHECKING:
    import pandas as pd

MIN_CLASSES = 3
# Who or what has several rows: at least so many of them, and so many rows of each, as a mean.
UNITS = re.compile(
    r"(^|[\W_])(id|uuid|guid|((patient|subject|person|participant|proband|user|customer|client|kunde|household|family|"
    r"animal|donor|student|pupil|device|vehicle|engine|speaker|author|session)(e?s|in|en)?))$",
    re.IGNORECASE,
)
UNITS_CASED = re.compile(r"[a-z](ID|Id)$")
# Rows in the order of time: of so many times at least, and so many of them not before the row above.
MIN_TIMES, MIN_IN_ORDER = 30, 0.99
MIN_UNITS, MIN_ROWS_OF_A_UNIT, MIN_REPEATED = 10, 1.5, 0.5

# A total: of how many numbers at least, and how far rounded cells may sum up beside it.
MIN_SUMMANDS, SUM_TOLERANCE = 5, 1e-4


def classes_in_columns(frame: pd.DataFrame, target: str) -> list[str]:
    """Return the columns of 0 and 1 beside a target of 0 and 1, itself included, of which exactly one is 1 in each row.

    Args:
        frame: the values of the rows.
        target: its target column.
    """
    flags = [name for name in map(str, frame) if set(frame[name].unique()) <= {0, 1}]
    if target not in flags:
        return []
    values = frame[flags].to_numpy(dtype=np.int64)
    names = list(map(str, frame))
    place = flags.index(target)
    for first in range(place + 1):
        for last in range(place + 1, len(flags) + 1):
            inside = flags[first:last]
            stand_together = names.index(inside[-1]) - names.index(inside[0]) == len(inside) - 1
            if (
                len(inside) >= MIN_CLASSES
                and stand_together
                and (values[:, first:last].sum(axis=1) == 1).all()
            ):
                return [name for name in inside if frame[name].nunique() > 1]
    return []


def propose_groups(
    frame: pd.DataFrame, columns: Sequence[ColumnProfile], targets: Sequence[str]
) -> list[Choice]:
    """Suggest that rows of one patient, customer or device stay on one side of the split, where a column names these.

    Args:
        frame: the values of the rows.
        columns: what each column holds.
        targets: the target columns.
    """
    for each in columns:
        is_name = UNITS.search(each.name) or UNITS_CASED.search(each.name)
        if not is_name or each.name in targets or each.role not in ("input", "many values"):
            continue
        if each.kind == "number" and not (frame[each.name].dropna() % 1 == 0).all():
            continue
        counts = frame[each.name].value_counts()
        if (
            len(counts) < MIN_UNITS
            or counts.mean() < MIN_ROWS_OF_A_UNIT
            or (counts > 1).mean() < MIN_REPEATED
        ):
            continue
        reason = (
            f"{len(frame)} rows are of {len(counts)} different {each.name}, {counts.mean():.1f} each on average. If "
            "the model is for new ones, rows of one belong to one side of the split, or the test rows flatter it; the "
            "column is then no input:"
        )
        return [Choice("split.groups", each.name, reason, is_suggestion=True)]
    return []


def propose_time(
    frame: pd.DataFrame, columns: Sequence[ColumnProfile], targets: Sequence[str]
) -> list[Choice]:
    """Suggest that the last rows are those to be tested on, where the rows lie in the order of a column of dates.

    Args:
        frame: the values of the rows.
        columns: what each column holds.
        targets: the target columns.
    """
    for each in columns:
        if each.kind != "date" or each.name in targets or each.range is None:
            continue
        steps = np.diff(frame[each.name].dropna().to_numpy("datetime64[us]")).astype(np.int64)
        if each.n_distinct < MIN_TIMES or max((steps >= 0).mean(), (steps <= 0).mean()) < MIN_IN_ORDER:
            continue
        first, last = each.range
        reason = (
            f"the rows lie in the order of {each.name}, {first} to {last}. If the model is for later ones, the last "
            "ones are to be tested on, or rows before and after each other flatter it:"
        )
        return [Choice("split.time", each.name, reason, is_suggestion=True)]
    return []


def find_totals(frame: pd.DataFrame, columns: Sequence[ColumnProfile]) -> list[str]:
    """Say that the first or the last row holds the sums of the others, whatever it is called."""
    numbers = frame[[each.name for each in columns if each.kind == "number"]].to_numpy(dtype=np.float64)
    for place, others in ((0, numbers[1:]), (-1, numbers[:-1])):
        sums = np.nansum(others, axis=0)
        enough = (np.nan_to_num(others) != 0).sum(axis=0) >= MIN_SUMMANDS
        # Small whole numbers of both signs sum up to any of them by chance.
        largest = np.abs(np.nan_to_num(others)).max(axis=0, initial=0.0)
        is_sum = np.isclose(numbers[place], sums, rtol=SUM_TOLERANCE, atol=0.0)
        found = enough & is_sum & (np.abs(sums) > largest)
        if found.any():
            names = [each.name for each in columns if each.kind == "number"]
            summed = ", ".join(name for name, here in zip(names, found, strict=True) if here)
            return [
                f"the {'first' if place == 0 else 'last'} row holds the sums of all others ({summed}), and would be "
                "learnt from like them: take it out of the file if it is a total"
            ]
    return []
