"""Metrics as functions of row weights: one formula serves the rows themselves and all their resamples.

Every function takes weights of shape (b, n), one line for each resample (how often each row was drawn), and
returns b values. A resample on which a metric is undefined, say without a positive, gives NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array, as_array, indicator_matrix, predicted_indicators
from layerwise.evaluation.metrics.calibration import confidence_and_outcome, summed_gaps
from layerwise.utils import numpy_rng

Statistic = Callable[[Array], Array]


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

    def balanced_accuracy(weights: Array) -> Array:
        recall = _ratio(weights @ true_positives, weights @ actual)
        if task == "multiclass":
            return _nanmean(recall)
        specificity = _ratio(weights @ ((1 - truth) * (1 - chosen)), weights @ (1 - truth))
        return ((recall + specificity) / 2).mean(1)

    def f1(weights: Array) -> Array:
        total = weights @ actual + weights @ predicted
        # A class neither there nor predicted has no part in a macro average; such a label counts as 0.
        scores_by_class = _ratio(2 * (weights @ true_positives), total)
        return _nanmean(scores_by_class) if task == "multiclass" else np.nan_to_num(scores_by_class).mean(1)

    sums: dict[str, Statistic] = {
        "accuracy": lambda weights: _mean(weights, right),
        "error": lambda weights: 1 - _mean(weights, right),
        "balanced_accuracy": balanced_accuracy,
        "f1": f1,
        "log_loss": lambda weights: _mean(weights, losses),
        "brier": lambda weights: _mean(weights, brier),
        "calibration_error": lambda weights: np.abs(gaps(weights)).sum(1) / (weights.sum(1) * gaps_per_row),
    }
    gaps_per_row = truth.shape[1] if task == "multilabel" else 1
    if task == "multilabel":
        wrong = (truth != chosen).mean(1)
        sums["hamming_loss"] = lambda weights: _mean(weights, wrong)
    columns = [_RankedScores(truth[:, k] == 1, scores[:, k]) for k in range(scores.shape[1])]
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

    def r2(weights: Array) -> Array:
        n = weights.sum(1, keepdims=True)
        total_squares = weights @ centered**2 - (weights @ centered) ** 2 / n
        return (1 - _ratio(weights @ squared, np.maximum(total_squares, 0))).mean(1)

    return {
        "rmse": lambda weights: np.sqrt(weights @ squared / weights.sum(1, keepdims=True)).mean(1),
        "mae": lambda weights: (weights @ absolute / weights.sum(1, keepdims=True)).mean(1),
        "r2": r2,
    }


def row_counts(weights: Any, n_rows: int) -> Array:
    """Return how much each row counts, (n,) float64: ones without weights.

    Raises:
        ValueError: there is another number of weights than of rows, one is below 0 or no number, or all are 0.
    """
    if weights is None:
        return np.ones(n_rows)
    found = as_array(weights).reshape(-1).astype(np.float64)
    if len(found) != n_rows:
        raise ValueError(f"{len(found)} weights do not fit {n_rows} rows")
    if not (np.isfinite(found).all() and found.min() >= 0 and found.any()):
        raise ValueError("weights are numbers of at least 0, and not all 0")
    return found


def enough_resamples(asked: int, size: int, work: float, least: int) -> int:
    """Return how many resamples are drawn: fewer than asked for where each is large.

    Args:
        asked: how many.
        size: of one, in rows or whatever its work grows with.
        work: what all of them may have together.
        least: how many there are however large one is, unless fewer are asked for.
    """
    return int(min(asked, max(least, work / size)))


# More rows than these are drawn in so many groups.
MOST_DRAWN_ROWS, GROUPS = 50_000, 20_000


def resampled_values(
    statistics: dict[str, Statistic], counts: Array, n_bootstrap: int, seed: int
) -> dict[str, Array]:
    """Return each statistic's values (resamples,) on rows drawn with replacement, the same rows for all.

    More than 50,000 rows are drawn in 20,000 groups of rows that chance put together, which spread as the rows do (the
    variance of a mean of groups of k rows is that of a row divided by k), and take fewer random numbers.

    Args:
        statistics: by name.
        counts: (n,) how much each row counts when it is drawn once.
        n_bootstrap: resamples.
        seed: of the resamples.
    """
    if not statistics or n_bootstrap == 0:
        return {}
    n_rows, rng = len(counts), numpy_rng(seed, "bootstrap")
    n_drawn, group = n_rows, None
    if n_rows > MOST_DRAWN_ROWS:
        n_drawn = GROUPS
        group = rng.permutation(n_rows) % n_drawn
    # So many weights at a time stay in a core's cache, in which ranking takes half the time.
    chunk = max(1, min(n_bootstrap, 200_000 // n_rows))
    parts: dict[str, list[Array]] = {name: [] for name in statistics}
    for start in range(0, n_bootstrap, chunk):
        size = min(chunk, n_bootstrap - start)
        drawn = rng.integers(0, n_drawn, (size, n_drawn), dtype=np.int32) + np.arange(size)[:, None] * n_drawn
        times = np.bincount(drawn.reshape(-1), minlength=size * n_drawn).reshape(size, n_drawn)
        weights = times.astype(np.float64)
        if group is not None:
            weights = np.take(weights, group, axis=1)  # in the order of rows, which an index does not keep
        weights *= counts
        for name, statistic in statistics.items():
            parts[name].append(statistic(weights))
    return {name: np.concatenate(values) for name, values in parts.items()}


class _RankedScores:
    """One class's rows in order of their score, sorted when they are first ranked."""

    def __init__(self, positive: Array, scores: Array) -> None:
        self.is_positive, self.scores = positive, scores
        self.has_both_classes = bool(positive.any() and not positive.all())
        self._weights: Array | None = None
        self._grouped: tuple[Array, Array] | None = None

    @cached_property
    def order(self) -> Array:
        """The rows from the lowest score to the highest."""
        return np.argsort(self.scores, kind="stable")

    @cached_property
    def positive(self) -> Array:
        """Which of the ordered rows are of the class, as numbers."""
        return self.is_positive[self.order].astype(np.float64)

    @cached_property
    def starts(self) -> Array | None:
        """The first row of every group of equal scores; None when all scores differ."""
        ordered = self.scores[self.order]
        found = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        return None if len(found) == len(ordered) else found

    def _groups(self, weights: Array) -> tuple[Array, Array]:
        """Return the weights of the positives and of the negatives of each score; found once for the same weights."""
        if self._grouped is None or self._weights is not weights:
            ordered = weights[:, self.order]
            positives = ordered * self.positive
            negatives = ordered - positives
            if self.starts is not None:
                positives = np.add.reduceat(positives, self.starts, axis=1)
                negatives = np.add.reduceat(negatives, self.starts, axis=1)
            self._weights, self._grouped = weights, (positives, negatives)
        return self._grouped

    def roc_auc(self, weights: Array) -> Array:
        """Return the area under the ROC curve of each line of weights.

        It is the probability that a positive outranks a negative, ties counted half (Mann-Whitney).
        """
        positives, negatives = self._groups(weights)
        below = np.cumsum(negatives, axis=1)
        wins = np.einsum("bn,bn->b", positives, below - negatives / 2)
        return _ratio(wins, positives.sum(1) * negatives.sum(1))

    def average_precision(self, weights: Array) -> Array:
        """Return the precision at each score weighted by the step of recall there, of each line of weights."""
        positives, negatives = self._groups(weights)
        true_positives = np.cumsum(positives[:, ::-1], axis=1)
        chosen = true_positives + np.cumsum(negatives[:, ::-1], axis=1)
        precision = np.einsum("bn,bn->b", positives[:, ::-1], true_positives / np.maximum(chosen, 1))
        return _ratio(precision, positives.sum(1))


def _mean(weights: Array, values: Array) -> Array:
    return weights @ values / weights.sum(1)


def _ratio(numerator: Array, denominator: Array) -> Array:
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)


def _nanmean(values: Array) -> Array:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0).sum(1), known.sum(1).astype(np.float64))
