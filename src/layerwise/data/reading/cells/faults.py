"""What stands in a column and is not of its kind: markers for missing values, slips, sentinels, far dates."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

# Cells like these, and any without digits that comes often, look like a marker for a missing value rather than a slip.
MARKERS = frozenset([
    "?", "-", "--", "---", ".", "..", "*", "x", "missing", "unknown", "none", "nil", "void", "n.a.", "n.d.", "n/d",
    "k.a.", "tbd", "not available", "#div/0!", "#value!", "#ref!", "#null!", "#name?", "#num!",
])  # fmt: skip
MARKER_ROWS = 3
NINES = 10.0 ** np.arange(2, 7) - 1
MIN_OTHERS = 5
MAX_FAULTY_FRACTION = 0.05


class Cells(NamedTuple):
    """The distinct cells of a column that hold something, and how often each comes."""

    texts: list[str]
    counts: np.ndarray

    def without(self, words: Collection[str]) -> Cells:
        """Return the cells that are not among some words."""
        kept = [k for k, text in enumerate(self.texts) if text not in words]
        return Cells([self.texts[k] for k in kept], self.counts[kept])

    def fraction(self, chosen: np.ndarray) -> float:
        """Return what part of all cells the chosen ones are."""
        return float(self.counts[chosen].sum() / max(1, self.counts.sum()))


class Faults(NamedTuple):
    """The cells of a column that are not of its kind.

    Args:
        markers: those that look like markers for a missing value.
        n_markers: how many rows have one.
        example: the first fault of any sort, empty if there is none.
        n_faults: how many rows have one.
        too_many: whether they are more than some slips, which cost their rows alone.
    """

    markers: list[str]
    n_markers: int
    example: str
    n_faults: int
    too_many: bool


def is_marker(text: str) -> bool:
    """Return whether a cell looks like a marker for a missing value, in letters of either case."""
    return text.casefold() in MARKERS


def find_faults(cells: Cells, right: np.ndarray) -> Faults:
    """Return what is wrong with a column's cells.

    Args:
        cells: of the column.
        right: which of them are of its kind, (n,) bool.
    """
    wrong = np.flatnonzero(~right)
    often = [
        k
        for k in wrong
        if is_marker(cells.texts[k])
        or (cells.counts[k] >= MARKER_ROWS and not any(letter.isdigit() for letter in cells.texts[k]))
    ]
    n_wrong = int(cells.counts[wrong].sum())
    return Faults(
        markers=[cells.texts[k] for k in often],
        n_markers=int(cells.counts[often].sum()),
        example=cells.texts[wrong[0]] if len(wrong) else "",
        n_faults=n_wrong,
        too_many=n_wrong > MAX_FAULTY_FRACTION * float(cells.counts.sum()),
    )


def may_be_markers(values: np.ndarray) -> np.ndarray:
    """Return which numbers are -1 or shown as nines alone, (n,) bool: few columns have one, and most need no count."""
    return (values == -1) | np.isin(np.rint(np.abs(values)), NINES)


def sentinels(values: np.ndarray, counts: np.ndarray) -> list[float]:
    """Return numbers that look like markers for a missing value: far from all others, and repeated.

    A number of nines, or -1 where nothing else is negative; it comes at least three times, and lies outside of the
    others by more than their whole range. Beside nines the numbers below them are codes too, as surveys have -99, -98
    and -97 for several sorts of no answer.

    Args:
        values: distinct numbers, (n,).
        counts: how often each comes, (n,).
    """
    found: list[float] = []
    for value in values[(counts >= MARKER_ROWS) & may_be_markers(values)].tolist():
        nines = set(f"{abs(value):g}") == {"9"} and abs(value) >= 99
        if not (nines or value == -1):
            continue
        codes = _codes_beside(value, values, counts) if nines else [value]
        others = values[~np.isin(values, [*codes, *found])]
        if len(others) < MIN_OTHERS:
            continue
        low, high = others.min(), others.max()
        far = [code for code in codes if code > high + (high - low) or code < low - (high - low)]
        if value in far or (value == -1 and low >= 0 and np.any(others % 1 != 0)):
            found += [value, *(code for code in far if code != value)]
    return list(dict.fromkeys(found))


def _codes_beside(value: float, values: np.ndarray, counts: np.ndarray) -> list[float]:
    """Return a number of nines and the repeated whole ones of its sign at most nine below it in size."""
    below = abs(value) - np.abs(values)
    same = (np.sign(values) == np.sign(value)) & (below >= 0) & (below < 10) & (values % 1 == 0)
    codes: list[float] = values[same & (counts >= MARKER_ROWS)].tolist()
    return codes


def far_dates(when: np.ndarray) -> np.ndarray:
    """Return the positions of dates that lie far from nearly all others, such as the year 1 or 9999.

    Args:
        when: distinct dates, datetime64, NaT where there is none.
    """
    days = when.astype("datetime64[D]").astype(np.int64).astype(np.float64)
    days[np.isnat(when)] = np.nan
    if np.sum(~np.isnan(days)) < 10:
        return np.array([], dtype=np.int64)
    low, high = np.nanquantile(days, (0.05, 0.95))
    width = 5 * max(high - low, 365)
    return np.flatnonzero((days < low - width) | (days > high + width))
