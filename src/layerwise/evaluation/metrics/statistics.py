"""Metrics as functions of row weights: one formula serves the rows themselves and all their resamples.

Every function takes weights of shape (b, n), one line for each resample (how often each row was drawn), and
returns b values. A resample on which a metric is undefined, say without a positive, gives NaN.
"""

from __future__ import annotations

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array, indicator_matrix, predicted_indicators, ratio
from layerwise.evaluation.metrics.calibration import confidence_and_outcome, summed_gaps
from layerwise.evaluation.metrics.resampling import RankedScores, Resamples, Statistic


def classification_statistics(
    task: Task, targets: Array, scores: Array, threshold: float, epsilon: float
) -> tuple[dict[str, Statistic], dict[str, Statistic]]:
    """Return the statistics that are sums over rows, and those that need an order of the rows.

    Logarithms alone are of scores kept `epsilon` from 0 and 1.
    """
    truth = indicator_matrix(task, targets, scores.shape[1])
    chosen = predicted_indicators(task, scores, threshold)
    right = right_rows(task, targets, scores, threshold).astype(np.float64)
    losses, brier = row_losses(task, truth, scores, epsilon).values()
    gaps = summed_gaps(*confidence_and_outcome(task, truth, scores))
    true_positives, actual, predicted = truth * chosen, truth, chosen

    def balanced_accuracy(weights: Array | Resamples) -> Array:
        recall = ratio(weights @ true_positives, weights @ actual)
        if task == "multiclass":
            return _nanmean(recall)
        specificity = ratio(weights @ ((1 - truth) * (1 - chosen)), weights @ (1 - truth))
        return ((recall + specificity) / 2).mean(1)

    def f1(weights: Array | Resamples) -> Array:
        total = weights @ actual + weights @ predicted
        # A class neither there nor predicted has no part in a macro average; such a label counts as 0.
        scores_by_class = ratio(2 * (weights @ true_positives), total)
        return _nanmean(scores_by_class) if task == "multiclass" else np.nan_to_num(scores_by_class).mean(1)

    sums: dict[str, Statistic] = {
        "accuracy": lambda weights: _mean(weights, right),
        "error": lambda weights: 1 - _mean(weights, right),
        "balanced_accuracy": balanced_accuracy,
        "f1": f1,
        "log_loss": lambda weights: _mean(weights, losses),
        "brier": lambda weights: _mean(weights, brier),
        "calibration_error": lambda weights: ratio(
            np.abs(gaps(weights)).sum(1), weights.sum(1) * gaps_per_row
        ),
    }
    gaps_per_row = truth.shape[1] if task == "multilabel" else 1
    if task == "multilabel":
        wrong = (truth != chosen).mean(1)
        sums["hamming_loss"] = lambda weights: _mean(weights, wrong)
    columns = [RankedScores(truth[:, k] == 1, scores[:, k]) for k in range(scores.shape[1])]
    columns = [column for column in columns if column.has_both_classes]
    if not columns:
        return sums, {}
    orders: dict[str, Statistic] = {
        "roc_auc": lambda weights: _nanmean(np.stack([each.roc_auc(weights) for each in columns], 1)),
        "average_precision": lambda weights: _nanmean(
            np.stack([each.average_precision(weights) for each in columns], 1)
        ),
    }
    return sums, orders


def row_losses(task: Task, truth: Array, scores: Array, epsilon: float) -> dict[str, Array]:
    """Return the log loss and the Brier score of each row, (n,).

    Args:
        task: binary, multiclass or multilabel.
        truth: (n, k) zeros and ones.
        scores: (n, k).
        epsilon: how far from 0 and 1 an argument of a logarithm is kept.
    """
    clipped = np.clip(scores, epsilon, 1 - epsilon)
    if task == "multiclass":
        of_truth = (clipped / clipped.sum(1, keepdims=True))[np.arange(len(truth)), truth.argmax(1)]
        return {"log_loss": -np.log(of_truth), "brier": ((scores - truth) ** 2).sum(1)}
    losses = -np.where(truth == 1, np.log(clipped), np.log1p(-clipped)).mean(1)
    return {"log_loss": losses, "brier": ((scores - truth) ** 2).mean(1)}


def losses_if_wrong(task: Task, scores: Array, epsilon: float) -> tuple[Array, dict[str, Array]]:
    """Return each row's likeliest class, (n,), and the losses that it would have if the second one were true, (n,).

    Args:
        task: binary or multiclass.
        scores: (n, k).
        epsilon: as `row_losses` takes it.
    """
    if task == "binary":
        chosen = (scores >= 0.5).astype(np.float64)
        return chosen[:, 0].astype(np.int64), row_losses(task, 1 - chosen, scores, epsilon)
    order = np.argsort(scores, axis=1, kind="stable")
    return order[:, -1], row_losses(task, np.eye(scores.shape[1])[order[:, -2]], scores, epsilon)


def right_rows(task: Task, targets: Array, scores: Array, threshold: float) -> Array:
    """Return which rows are predicted right, (n,) bool; a multilabel row needs all its labels."""
    truth = indicator_matrix(task, targets, scores.shape[1])
    return (truth == predicted_indicators(task, scores, threshold)).all(1)


def regression_statistics(targets: Array, values: Array) -> dict[str, Statistic]:
    """Return RMSE, MAE and R2, each averaged over the outputs."""
    squared = (targets - values) ** 2
    absolute = np.abs(targets - values)
    # Centred first, so that the variance is a difference of small numbers.
    centered = targets - targets.mean(0)

    def r2(weights: Array | Resamples) -> Array:
        n = weights.sum(1, keepdims=True)
        total_squares = weights @ centered**2 - ratio((weights @ centered) ** 2, n)
        return (1 - ratio(weights @ squared, np.maximum(total_squares, 0))).mean(1)

    return {
        "rmse": lambda weights: np.sqrt(ratio(weights @ squared, weights.sum(1, keepdims=True))).mean(1),
        "mae": lambda weights: ratio(weights @ absolute, weights.sum(1, keepdims=True)).mean(1),
        "r2": r2,
    }


def _mean(weights: Array | Resamples, values: Array) -> Array:
    return ratio(weights @ values, weights.sum(1))


def _nanmean(values: Array) -> Array:
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(1), known.sum(1).astype(np.float64))
