"""A number for each row of a table that follows from its cells alone: equal rows have the same, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.problem import SplitSettings

if TYPE_CHECKING:
    import pandas as pd

# Odd, so that no bit of a row's earlier cells is lost (the golden ratio's bits: Knuth, volume 3, section 6.4).
FACTOR = 0x9E3779B97F4A7C15
TRAINING, VALIDATION, TEST = 0, 1, 2


def row_hashes(frame: pd.DataFrame, names: Iterable[str]) -> np.ndarray:
    """Return a number for each row, (n,) uint64, that is the same where the cells of all these columns are.

    Whole numbers are hashed as floats, so that it does not depend on how a column is stored.
    """
    found = np.zeros(len(frame), np.uint64)
    for name in names:
        found = found * np.uint64(FACTOR) + _cell_hashes(frame[name])
    return found


def _cell_hashes(column: pd.Series) -> np.ndarray:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        # There are many kinds of NaN, and two of zero.
        column = pd.Series(np.where(np.isnan(values), np.nan, values + 0.0))
    elif column.dtype == object:  # cells of several types are compared as text
        column = column.astype(str)
    return pd.util.hash_pandas_object(column, index=False).to_numpy()


def uniform_of(hashes: np.ndarray, seed: int) -> np.ndarray:
    """Return numbers from 0 to 1, (n,), that follow from hashes and a seed, and are otherwise as if drawn.

    The last steps of SplitMix64 spread each bit over all others (Steele, Lea & Flood 2014).
    """
    mixed = hashes + np.uint64(FACTOR * (seed + 1) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


def hashed_parts(frame: pd.DataFrame, names: Iterable[str], settings: SplitSettings, seed: int) -> np.ndarray:
    """Return the part that each row belongs to, (n,) uint8: TRAINING, VALIDATION or TEST, each row by itself.

    Args:
        frame: the rows, or some of them.
        names: the columns whose cells decide.
        settings: of the split: the fractions.
        seed: of the split.
    """
    place = uniform_of(row_hashes(frame, names), seed)
    validation = settings.test_fraction + (1 - settings.test_fraction) * settings.validation_fraction
    found = np.select([place < settings.test_fraction, place < validation], [TEST, VALIDATION], TRAINING)
    return found.astype(np.uint8)


def parts_by_hash(
    frame: pd.DataFrame, names: Iterable[str], settings: SplitSettings, seed: int
) -> np.ndarray:
    """Return the part of each of all rows, as `hashed_parts` does.

    Raises:
        DataError: a part is empty.
    """
    found = hashed_parts(frame, names, settings, seed)
    for part, name in ((TRAINING, "training"), (VALIDATION, "validation"), (TEST, "test")):
        if not (found == part).any():
            raise DataError(
                f"split.method: hash leaves no {name} row of {len(frame)} rows: their cells, or groups, are too few; "
                "set split.method: sampled"
            )
    return found
