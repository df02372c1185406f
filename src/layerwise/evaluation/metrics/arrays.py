"""Targets and scores as NumPy arrays of one shape, checked against the task."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from layerwise.data import Task

Array = np.ndarray


def as_array(values: Any) -> Array:
    """Return a NumPy array of a tensor (on any device), an array or a list."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def as_matrix(values: Any) -> Array:
    """Return a float64 matrix; a vector of n numbers becomes (n, 1)."""
    array = as_array(values).astype(np.float64)
    return array[:, None] if array.ndim == 1 else array


def rank_scores(values: Array) -> Array:
    """Return scores from 0 to 1 in the order of values (n,) of any scale, with the same ties."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values) / len(values))


def check_targets_and_scores(task: Task, targets: Any, scores: Any) -> tuple[Array, Array]:
    """Return targets and scores as the metrics take them.

    Returns:
        Targets: (n,) int64 for multiclass, (n, k) float64 otherwise. Scores: (n, k) float64.

    Raises:
        ValueError: no rows, numbers of rows or columns that differ, NaN, scores outside [0, 1], an unknown
            class.
    """
    matrix = as_matrix(scores)
    wanted = as_array(targets).reshape(-1).astype(np.int64) if task == "multiclass" else as_matrix(targets)
    if len(wanted) == 0:
        raise ValueError("there are no rows to measure")
    if len(wanted) != len(matrix):
        raise ValueError(f"{len(wanted)} targets do not fit {len(matrix)} rows of scores")
    if not np.isfinite(matrix).all():
        raise ValueError("the scores hold NaN or infinite values; the training diverged")
    if task == "multiclass":
        if wanted.min() < 0 or wanted.max() >= matrix.shape[1]:
            raise ValueError(
                f"classes {wanted.min()}..{wanted.max()} do not fit {matrix.shape[1]} columns of scores"
            )
    elif wanted.shape != matrix.shape:
        raise ValueError(f"targets of shape {wanted.shape} do not fit scores of shape {matrix.shape}")
    if task == "regression":
        return wanted, matrix
    if task != "multiclass" and not np.isin(wanted, (0.0, 1.0)).all():
        raise ValueError(f"the targets of a {task} task must be 0 or 1")
    if matrix.min() < 0 or matrix.max() > 1:
        raise ValueError(
            f"the scores reach from {matrix.min():.3g} to {matrix.max():.3g} and are no probabilities"
        )
    return wanted, matrix


def score_resolution(scores: Any) -> float:
    """Return how near to 1 a score can come by its own precision: a logarithm's argument is kept so far from 0."""
    kind = as_array(scores).dtype
    return float(np.finfo(cast(Any, kind if np.issubdtype(kind, np.floating) else np.float64)).eps)


def indicator_matrix(task: Task, targets: Array, n_classes: int) -> Array:
    """Return (n, k) float64 zeros and ones: one column a class, or the targets as they are."""
    return np.eye(n_classes)[targets] if task == "multiclass" else targets


def reaches_threshold(scores: Any, threshold: float = 0.5) -> Array:
    """Return where scores are at or above the threshold, compared as float64, bool in the scores' shape.

    Whatever decides by a threshold does it here: at the precision of single scores a threshold between two neighbours
    would be rounded to one of them.
    """
    return as_array(scores).astype(np.float64) >= threshold


def predicted_indicators(task: Task, scores: Array, threshold: float = 0.5) -> Array:
    """Return (n, k) zeros and ones: the class of highest score, or each score at or above the threshold."""
    if task == "multiclass":
        return np.eye(scores.shape[1])[scores.argmax(1)]
    return reaches_threshold(scores, threshold).astype(np.float64)


def ratio(numerator: Array, denominator: Array) -> Array:
    """Return the quotient, NaN where the denominator is not above 0."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
