"""Base rates: the metrics of the best constant prediction, which every model has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix, indicator_matrix


def base_rate(task: Task, targets: Any, n_classes: int = 2) -> dict[str, float]:
    """Return, for each metric, what the best constant prediction gets on these very rows.

    The constant is the most frequent class (accuracy), all positive (binary F1), the class frequencies (log
    loss, Brier), the mean (RMSE, R2) or the median (MAE). A ranking metric of a constant is .5 (AUC) or
    the fraction of positives (average precision). Calibration has no base rate: a constant frequency is
    calibrated and useless.

    Args:
        task: what the targets are.
        targets: (n,) classes or (n, k).
        n_classes: the number of classes of a multiclass task.
    """
    if task == "regression":
        values = as_matrix(targets)
        return {
            "rmse": float(values.std(0).mean()),
            "mae": float(np.abs(values - np.median(values, 0)).mean()),
            "r2": 0.0,
        }
    wanted = as_array(targets).reshape(-1).astype(np.int64) if task == "multiclass" else as_matrix(targets)
    frequencies = indicator_matrix(task, wanted, n_classes).mean(0)
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
        rates["accuracy"] = _most_frequent_row(wanted)
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


def _most_frequent_row(targets: Array) -> float:
    _, counts = np.unique(targets, axis=0, return_counts=True)
    return float(counts.max() / len(targets))
