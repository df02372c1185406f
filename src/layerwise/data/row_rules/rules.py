"""The rules of a table's rows: which rows break them, and the nearest rows that do not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.reading.cells import cell_text
from layerwise.utils import Config

if TYPE_CHECKING:
    import pandas as pd


class Combinations(Config):
    """The values that columns have together, as texts, "" where a cell is empty; each once, the most frequent first."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def has(self, frame: pd.DataFrame) -> np.ndarray:
        """Return whether the values of each row stand together, (n,) bool."""
        known = set(self.rows)
        texts = [texts_of(frame[name]) for name in self.columns]
        return np.array([each in known for each in zip(*texts, strict=True)], dtype=bool)


class RowRules(Config):
    """What holds between the columns of every row.

    Args:
        at_most: pairs of columns, of which the first is at most the second where both are there; no circle among them.
        unique: columns of which no two rows have the same value.
        combinations: of columns whose values stand together.
    """

    at_most: tuple[tuple[str, str], ...] = ()
    unique: tuple[str, ...] = ()
    combinations: tuple[Combinations, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.at_most or self.unique or self.combinations)

    def of_columns(self, names: Collection[str]) -> RowRules:
        """Return the rules whose columns are all among the names."""
        known = set(names)
        return RowRules(
            at_most=tuple(pair for pair in self.at_most if known.issuperset(pair)),
            unique=tuple(name for name in self.unique if name in known),
            combinations=tuple(each for each in self.combinations if known.issuperset(each.columns)),
        )

    def in_words(self) -> list[str]:
        """Return the rules in words."""
        pairs = [f"{low} <= {high}" for low, high in self.at_most]
        keys = [f"no two rows of one {name}" for name in self.unique]
        return [*pairs, *keys, *(f"{', '.join(each.columns)} together" for each in self.combinations)]

    def broken(self, frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each rule in words and the rows that break it, (n,) bool; of rows of one key all but the first do."""
        return zip(self.in_words(), self._broken(frame), strict=True)

    def _broken(self, frame: pd.DataFrame) -> Iterator[np.ndarray]:
        for low, high in self.at_most:
            with np.errstate(invalid="ignore"):
                yield ordered_values(frame[low]) > ordered_values(frame[high])
        for name in self.unique:
            yield (frame[name].duplicated() & frame[name].notna()).to_numpy()
        for each in self.combinations:
            yield ~each.has(frame)

    def broken_by_given(self, frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each rule in words and the rows whose filled cells alone break it, (n,) bool; keys are left out."""
        yield from RowRules(at_most=self.at_most).broken(frame)
        for each in self.combinations:
            filled = frame[list(each.columns)].notna().all(axis=1).to_numpy()
            yield from ((said, rows & filled) for said, rows in RowRules(combinations=(each,)).broken(frame))

    def any_broken(self, frame: pd.DataFrame) -> np.ndarray:
        """Return whether each row breaks a rule, (n,) bool."""
        return np.any([rows for _, rows in self.broken(frame)], axis=0)


def ordered_values(column: pd.Series) -> np.ndarray:
    """Return numbers, or the microseconds of dates, by which cells compare, (n,) float64; NaN where a cell is empty."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    # Dates come back as texts where they came as such.
    when = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    stamps = when.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64))


def texts_of(column: pd.Series) -> list[str]:
    """Return the cells as texts, whole numbers alike in any type, "" where they are empty."""
    import pandas as pd

    codes, distinct = pd.factorize(column)
    names = np.array([*map(cell_text, distinct.tolist()), ""], dtype=object)  # an empty cell has the code -1
    return names[codes].tolist()
