"""The target columns of a table: found, checked, transformed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import as_numbers, validate_columns
from layerwise.data.problem import Problem

if TYPE_CHECKING:
    import pandas as pd


def derive_columns(frame: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Return the table with the columns that the problem derives, or the table itself where it has them."""
    if problem.derive == "forest_fires_size":
        from layerwise.data.derivations import add_size_category

        return add_size_category(frame) if "area" in frame else frame
    if problem.derive == "forest_fires_classic" and "daymon" not in frame:
        from layerwise.data.derivations import classic_table

        return classic_table(frame)
    return frame


def target_column(frame: pd.DataFrame, problem: Problem) -> np.ndarray:
    """Return the raw targets, (n,) for one column or (n, k), checked for missing and infinite values."""
    frame = derive_columns(frame, problem)
    if not problem.targets:
        raise DataError("problem.target names no column; a table needs one")
    validate_columns(frame, problem.targets, "target column")
    values = frame[list(problem.targets)]
    for name in problem.targets:
        empty = values[name].isna()
        if empty.any():
            raise DataError(
                f"target column '{name}' is empty in {int(empty.sum())} row(s); drop those rows first"
            )
        if problem.task == "regression" and np.ptp(as_numbers(values[name])) == 0:
            raise DataError(f"target column '{name}' has one value only: there is nothing to learn")
        if problem.task == "multilabel" and not set(values[name].unique()) <= {0, 1}:
            raise DataError(
                f"target column '{name}' holds something beside 0 and 1; a multilabel task needs both"
            )
    array = values.to_numpy()
    return array[:, 0] if len(problem.targets) == 1 else array


def transform_targets(raw: np.ndarray, problem: Problem) -> np.ndarray:
    """Return regression or multilabel targets as (n, k) float64, after the problem's transform."""
    values = np.asarray(raw, dtype=np.float64).reshape(len(raw), -1)
    if problem.target_transform == "log1p":
        if (values <= -1).any():
            raise DataError(f"target '{problem.target}' has values at or below -1: log1p is undefined")
        values = np.log1p(values)
    return values
