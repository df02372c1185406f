"""The target columns of a table: found, checked, transformed; and the column of sample weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import as_numbers, class_text, validate_columns
from layerwise.data.problem import Problem
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

# Targets of a small regression of which at most a hundredth lies so many robust standard deviations from their median.
FEWEST_TARGETS, FEW_TARGETS, ABSURD_DEVIATIONS = 10, 1000, 20
# What the positive one of two classes reads, if it reads like a yes at all.
YES_WORDS = {"1", "true", "t", "yes", "y", "ja", "j", "positive", "+"}


def derive_columns(frame: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Return the table with the columns that the problem derives, or the table itself where it has them."""
    if problem.derive == "forest_fires_size":
        from layerwise.data.derivations import add_size_category

        return add_size_category(frame) if "area" in frame else frame
    if problem.derive == "forest_fires_classic" and "daymon" not in frame:
        from layerwise.data.derivations import CLASSIC_COLUMNS, classic_table

        missing = [name for name in CLASSIC_COLUMNS if name not in frame]
        if missing:
            raise DataError(
                f"problem.derive: {problem.derive} makes columns of the forest fires table, and this one has no "
                f"{', '.join(missing)}; leave out problem.derive for other tables"
            )
        return classic_table(frame)
    return frame


def target_column(frame: pd.DataFrame, problem: Problem, of_all_rows: bool = True) -> np.ndarray:
    """Return the raw targets, (n,) for one column or (n, k), checked for missing and infinite values.

    Args:
        frame: the rows.
        problem: says which columns they are.
        of_all_rows: refuse a regression whose targets are all the same, as those of a few rows may be.
    """
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
        if problem.task == "regression" and np.ptp(as_numbers(values[name])) == 0 and of_all_rows:
            raise DataError(f"target column '{name}' has one value only: there is nothing to learn")
        if problem.task == "multilabel" and not set(values[name].unique()) <= {0, 1}:
            raise DataError(
                f"target column '{name}' holds something beside 0 and 1; a multilabel task needs both"
            )
    array = values.to_numpy()
    return array[:, 0] if len(problem.targets) == 1 else array


def robust_location(values: np.ndarray) -> tuple[float, float] | None:
    """Return the median and a robust standard deviation of a small regression's targets (n,) or (n, 1).

    None unless a few of them, at most a hundredth, lie absurdly far from all others: one such row among fifty draws the
    mean, and with it every prediction, far from all the others. The deviation is 1.4826 times the median distance.
    """
    if not FEWEST_TARGETS <= len(values) < FEW_TARGETS or values.size > len(values):
        return None
    median, deviation, far = _absurd(values)
    return (median, deviation) if deviation > 0 and 0 < far.sum() <= max(1, len(values) // 100) else None


def far_from_others(values: np.ndarray) -> np.ndarray:
    """Return which targets (n,) of a small regression lie absurdly far from all others, as `robust_location` has it."""
    far = _absurd(values)[2] if robust_location(values) else np.zeros(len(values), dtype=bool)
    return np.asarray(far).reshape(len(values))


def _absurd(values: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Return the median, the robust standard deviation, and which values lie absurdly many of these from the median."""
    median = float(np.median(values))
    distances = np.abs(values - median)
    deviation = 1.4826 * float(np.median(distances))
    return median, deviation, distances > ABSURD_DEVIATIONS * deviation


def target_numbers(raw: np.ndarray) -> np.ndarray:
    """Return regression or multilabel targets as (n, k) float64."""
    return np.asarray(raw, dtype=np.float64).reshape(len(raw), -1)


def binary_classes(classes: list[str], values: np.ndarray, problem: Problem) -> list[str]:
    """Return the two classes, the one that counts as 1 last.

    It is `problem.positive` if that names one; else the one that reads 1, true, t, yes, y, ja, j, positive or +; else
    the rarer one, and of two as frequent ones the last in order.

    Args:
        classes: the names of the classes in order.
        values: raw targets of all rows, (n,); by them the rarer class is found.
        problem: which may name it.

    Raises:
        DataError: there are not two classes, or none has the name given.
    """
    if len(classes) != 2:
        raise DataError(
            f"target '{problem.target}' has {len(classes)} classes; a binary task needs 2: {classes[:5]}"
        )
    if problem.positive is None:
        positive = positive_class(classes, values)
    else:
        positive = str(problem.positive)
        if positive not in classes:
            raise DataError(f"problem.positive '{positive}' is no class{nearest(positive, classes)}")
    return [*(c for c in classes if c != positive), positive]


def positive_class(classes: list[str], values: np.ndarray) -> str:
    """Return which of two classes counts as 1: the one that reads like a yes (`YES_WORDS`), else the rarer one.

    Args:
        classes: their names in order; of two as frequent ones the last is taken.
        values: raw targets of all rows, (n,).
    """
    yes = [name for name in classes if name.strip().casefold() in YES_WORDS]
    if len(yes) == 1:
        return yes[0]
    distinct, counts = np.unique([class_text(value) for value in values.tolist()], return_counts=True)
    number = dict(zip(distinct.tolist(), counts.tolist(), strict=True))
    return classes[0] if number.get(classes[0], 0) < number.get(classes[1], 0) else classes[1]


def check_anomalies(problem: Problem, classes: Sequence[str]) -> None:
    """Check that the known anomalies are classes, and not all of them.

    Raises:
        DataError: there is no such class, or no normal one.
    """
    for name in problem.anomalies:
        if name not in classes:
            raise DataError(f"problem.anomalies: '{name}' is no class{nearest(name, list(classes))}")
    if problem.anomalies and set(problem.anomalies) == set(classes):
        raise DataError("problem.anomalies names all classes: leave the normal ones out")


def row_weights(frame: pd.DataFrame, name: str, are_all_rows: bool = True) -> np.ndarray:
    """Return the weights of a table's rows, (n,) float64, as they stand in the column.

    Args:
        frame: the rows.
        name: of the column.
        are_all_rows: whether there are no others; those of a block may all be 0.

    Raises:
        DataError: there is no such column, or a cell of it is empty, no number, or below 0; or all weights of a
            table are 0.
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
    if are_all_rows and not weights.any():
        raise DataError(f"problem.weights: column '{name}' is 0 in all rows, so that none counts")
    return weights
