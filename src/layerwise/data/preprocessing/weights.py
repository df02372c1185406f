"""The column of sample weights, which says how much each row counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import as_numbers, validate_columns

if TYPE_CHECKING:
    import pandas as pd


def row_weights(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the weights of a table's rows, (n,) float64, as they stand in the column.

    Raises:
        DataError: there is no such column, or a cell of it is empty, no number, or below 0; or all weights are 0.
    """
    validate_columns(frame, (name,), "problem.weights: column")
    weights = as_numbers(frame[name])
    wrong = np.flatnonzero(~(weights >= 0))
    if len(wrong):
        value = "empty" if np.isnan(weights[wrong[0]]) else f"{weights[wrong[0]]:g}"
        raise DataError(
            f"problem.weights: column '{name}' is {value} in row {frame.index[wrong[0]]}, and a weight is a number "
            f"of at least 0; {len(wrong)} row(s) are so"
        )
    if not weights.any():
        raise DataError(f"problem.weights: column '{name}' is 0 in all rows, so that none counts")
    return weights
