"""Base rates: the metrics of the best constant prediction, which every model has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix, indicator_matrix


def base_rate(task: Task, targets: Any, n_classes: int = 2, weights: Any = None) -> dict[str, float]:
    """Return, for each metric, what the best constant prediction gets on these very rows.

    The constant is the most frequent class (accuracy), all positive (binary F1), the class frequencies (log
    loss, Brier), the mean (RMSE, R2) or the median (MAE). A ranking metric of a constant is .5 (AUC) or
    the fraction of positives (average precision). Calibration has no base rate: a constant frequency is
    calibrated and useless.

    Args:
        task: what the targets are.
        targets: (n,) classes or (n, k).
        n_classes: the number of classes of a multiclass task.
        weights: (n,) how much each row counts; None: all the same.
    """
    counts = None if weights is None else as_array(weights).reshape(-1).astype(np.float64)
    if task == "regression":
        return _of_regression(as_matrix(targets), counts)
    wanted = as_array(targets).reshape(-1).astype(np.int64) if task == "multiclass" else as_matrix(targets)
    frequencies = _mean(indicator_matrix(task, wanted, n_classes), counts)
    mixed = frequencies[(frequencies > 0) & (frequencies < 1)]
    rates = {"roc_auc": 0.5, "average_precision": float(mixed.mean()) if len(mixed) else float("nan")}
    if task == "multiclass":
        top = float(frequencies.max())
        rates["accuracy"] = top
        rates["balanced_accuracy"] = 1.0 / int((frequencies > 0).sum())
        rates["f1"] = 2 * top / (1 + top) / int((frequencies > 0).sum())
        rates["log_loss"] = float(
            -(frequencies[frequencies > 0] * np.log(frequencies[frequencies > 0])).sum()
        )
        rates["brier"] = float(1 - (frequencies**2).sum())
    else:
        rates["accuracy"] = _most_frequent_row(wanted, counts)
        rates["balanced_accuracy"] = 0.5
        rates["f1"] = float((2 * frequencies / (1 + frequencies)).mean())
        rates["log_loss"] = float(
            -(mixed * np.log(mixed) + (1 - mixed) * np.log(1 - mixed)).sum() / len(frequencies)
        )
        rates["brier"] = float((frequencies * (1 - frequencies)).mean())
    if task == "multilabel":
        rates["hamming_loss"] = float(np.minimum(frequencies, 1 - frequencies).mean())
    rates["error"] = 1 - rates["accuracy"]
    return rates


def _of_regression(values: Array, counts: Array | None) -> dict[str, float]:
    middle = np.median(values, 0) if counts is None else _weighted_median(values, counts)
    deviation = (
        values.std(0) if counts is None else np.sqrt(_mean((values - _mean(values, counts)) ** 2, counts))
    )
    return {
        "rmse": float(deviation.mean()),
        "mae": float(_mean(np.abs(values - middle), counts).mean()),
        "r2": 0.0,
    }


def _mean(values: Array, counts: Array | None) -> Array:
    return np.asarray(values.mean(0) if counts is None else counts @ values / counts.sum())


def _weighted_median(values: Array, counts: Array) -> Array:
    """Return for each column the first value with half of the weight at or below it."""
    order = values.argsort(0)
    reached = counts[order].cumsum(0) >= counts.sum() / 2
    return np.take_along_axis(values, order, 0)[reached.argmax(0), np.arange(values.shape[1])]


def _most_frequent_row(targets: Array, counts: Array | None) -> float:
    # One column is sorted as numbers, several as records.
    one = targets.reshape(len(targets), -1).shape[1] == 1
    _, codes = np.unique(
        targets.reshape(-1) if one else targets, axis=None if one else 0, return_inverse=True
    )
    sums = np.bincount(codes.reshape(-1), counts)
    return float(sums.max() / sums.sum())
