"""Metrics of classification and regression, each with its confidence interval and its base rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import (
    Array,
    as_array,
    check_targets_and_scores,
    indicator_matrix,
    score_resolution,
)
from layerwise.evaluation.metrics.baselines import base_rate
from layerwise.evaluation.metrics.calibration import (
    calibration_interval,
    confidence_and_outcome,
    errors_if_calibrated,
)
from layerwise.evaluation.metrics.intervals import (
    effective_rows,
    effective_wilson_interval,
    rare_error_interval,
    rows_of_rarest_class,
    wilson_interval,
)
from layerwise.evaluation.metrics.regression_intervals import regression_intervals
from layerwise.evaluation.metrics.resampling import Statistic, enough_resamples, resampled_values, row_counts
from layerwise.evaluation.metrics.statistics import (
    classification_statistics,
    losses_if_wrong,
    regression_statistics,
    row_losses,
)
from layerwise.utils import Config, numpy_rng

Criterion = Literal["f1", "accuracy", "cost"]

LOWER_IS_BETTER = {"error", "log_loss", "brier", "calibration_error", "hamming_loss", "rmse", "mae"}
FRACTIONS_OF_ROWS = {"accuracy", "error"}
# Between 0 and 1, where the bootstrap's percentiles are too narrow near the ends and nothing at them.
BOUNDED_METRICS = {"balanced_accuracy", "f1", "roc_auc", "average_precision", "hamming_loss"}

# Resamples x rows, less than half a second's work for each metric.
SUM_WORK = 1e7
MIN_RESAMPLES = 200
# Resamples x rows x classes that the ranking metrics may sort through, about half a second's work. Their intervals
# follow from the variance of the resamples alone, which fewer tell than percentiles ask for.
RANKING_WORK = 1e7
MIN_RANKING_RESAMPLES = 50
# With more wrong rows the bootstrap sees how they differ.
MAX_RARE_ERRORS = 20


class Metric(Config):
    """One metric's value, with its 95 % interval and the value of the best constant prediction.

    `low` and `high` are None without resamples; `base_rate` is None where a constant prediction says nothing.
    `calibrated_mean` and `calibrated_high`, of the calibration error alone, are its mean and 95 % quantile if the same
    scores were perfectly calibrated: a value up to the latter is no sign of miscalibration.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    base_rate: float | None = None
    better: Literal["higher", "lower"] = "higher"
    calibrated_mean: float | None = None
    calibrated_high: float | None = None

    def __str__(self) -> str:
        text = f"{self.value:.4f}"
        if self.low is not None and self.high is not None:
            text += f" [{self.low:.4f}, {self.high:.4f}]"
        if self.calibrated_mean is not None and self.calibrated_high is not None:
            text += (
                f" (if calibrated: mean {self.calibrated_mean:.4f}, 95 % below {self.calibrated_high:.4f})"
            )
        return text

    def beats(self, other: float) -> bool:
        """True when this value is better than another."""
        return self.value > other if self.better == "higher" else self.value < other


class DecisionThreshold(Config):
    """The score from which a row of a binary task is predicted positive."""

    value: float


def compute_metrics(
    task: Task,
    targets: Any,
    scores: Any,
    class_names: Sequence[str] = (),
    *,
    threshold: float = 0.5,
    seed: int = 0,
    n_bootstrap: int = 1000,
    weights: Any = None,
) -> dict[str, Metric]:
    """Return all metrics of a task by their names.

    Classification: accuracy, error, balanced_accuracy, f1, roc_auc, average_precision, log_loss, brier and
    calibration_error; multilabel also hamming_loss. F1, AUC and average precision are averaged over classes
    (one against the rest) or labels. Accuracy of a multilabel row asks for all its labels; its log loss and
    Brier score are means over labels. The multiclass Brier score is the sum over classes, from 0 to 2. The
    calibration error has 15 bins of equal width (multiclass: of the highest score). AUC and average
    precision are absent when the targets are all of one class. Regression: rmse, mae, r2.

    The interval of accuracy and error is Wilson's, which holds its level near 0 and 1 too. That of F1, balanced
    accuracy, AUC, average precision and Hamming loss is Wilson's for the number of rows that the bootstrap's variance
    stands for (`effective_wilson_interval`), that of the calibration error is `calibration_interval`, those of a
    regression are `regression_intervals`, and all others are percentiles of the bootstrap over rows; those of log loss
    and Brier score are widened by `rare_error_interval` where at most 20 rows are predicted wrong. Ranking metrics of
    many rows and classes use fewer resamples, at least 50, and all metrics of more than 10,000 rows, at least 200.
    Where a class and the others have 1,000 rows each, resamples need no ranking of their own (`RankedScores`).

    Args:
        task: what the targets are.
        targets: (n,) classes, or (n, k).
        scores: (n, k) probabilities, k = 1 for binary; values for regression.
        class_names: if given, checked against the columns of a multiclass task.
        threshold: a binary or multilabel score at or above it is a positive prediction.
        seed: of the resamples.
        n_bootstrap: their number; 0 leaves the intervals out.
        weights: (n,) how much each row counts; None: all the same. A row's weight multiplies its count in every
            resample; the number of rows behind an interval is Kish's, (sum w)^2 / sum w^2 (Kish 1965). The calibration
            error then has the interval of the resamples.

    Raises:
        ValueError: targets and scores do not fit each other or the task.
    """
    wanted, given = check_targets_and_scores(task, targets, scores)
    if task == "multiclass" and class_names and len(class_names) != given.shape[1]:
        raise ValueError(f"{len(class_names)} class names do not fit {given.shape[1]} columns of scores")
    counts = row_counts(weights, len(wanted))
    orders: dict[str, Statistic] = {}
    formulas: dict[str, tuple[float, float]] = {}
    if task == "regression":
        sums = regression_statistics(wanted, given)
        formulas = regression_intervals(wanted, given, counts) if n_bootstrap else {}
        n_bootstrap = 0  # no resamples are needed
    else:
        sums, orders = classification_statistics(task, wanted, given, threshold, score_resolution(scores))
    rates = base_rate(task, wanted, given.shape[1], weights)
    statistics = sums | orders
    values = {name: float(statistic(counts[None])[0]) for name, statistic in statistics.items()}
    n_orders = enough_resamples(n_bootstrap, given.size, RANKING_WORK, MIN_RANKING_RESAMPLES)
    n_sums = enough_resamples(n_bootstrap, len(wanted), SUM_WORK, MIN_RESAMPLES)
    if weights is None:
        # It has an interval of its own.
        sums = {name: statistic for name, statistic in sums.items() if name != "calibration_error"}
    resampled = resampled_values(sums, counts, n_sums, seed) | resampled_values(
        orders, counts, n_orders, seed
    )
    n_rows = len(wanted) if weights is None else effective_rows(counts)
    n_rarest = 0.0 if task == "regression" else _n_rarest(task, wanted, given) * n_rows / len(wanted)
    result = {}
    for name, value in values.items():
        if not np.isnan(value):
            interval = formulas.get(name) or _interval(name, value, resampled.get(name), n_rows, n_rarest)
            result[name] = _make_metric(name, value, interval, rates.get(name))
    if "calibration_error" in result and n_bootstrap and weights is None:
        result["calibration_error"] = _with_calibrated_values(
            result["calibration_error"], task, wanted, given, n_bootstrap, seed
        )
    if task in ("binary", "multiclass") and n_bootstrap and weights is None:
        result |= _with_rare_errors(result, task, wanted, given, score_resolution(scores))
    return result


def _with_rare_errors(
    found: dict[str, Metric], task: Task, wanted: Array, given: Array, epsilon: float
) -> dict[str, Metric]:
    """Return log loss and Brier score with the wider interval where few rows are wrong."""
    chosen, if_wrong = losses_if_wrong(task, given, epsilon)
    wrong = chosen != wanted.reshape(-1)
    if wrong.sum() > MAX_RARE_ERRORS:
        return {}
    losses, result = row_losses(task, indicator_matrix(task, wanted, given.shape[1]), given, epsilon), {}
    for name, each in losses.items():
        low, high = rare_error_interval(each, wrong, if_wrong[name])
        metric = found[name]
        if metric.low is not None and metric.high is not None:
            wider = {"low": min(low, metric.low), "high": max(high, metric.high)}
            result[name] = metric.model_copy(update=wider)
    return result


def _make_metric(
    name: str, value: float, interval: tuple[float | None, float | None], rate: float | None
) -> Metric:
    better: Literal["lower", "higher"] = "lower" if name in LOWER_IS_BETTER else "higher"
    return Metric(name=name, value=value, low=interval[0], high=interval[1], base_rate=rate, better=better)


def _n_rarest(task: Task, wanted: Array, given: Array) -> int:
    return rows_of_rarest_class(task, indicator_matrix(task, wanted, given.shape[1]))


def _with_calibrated_values(
    metric: Metric, task: Task, wanted: Array, given: Array, n_redraws: int, seed: int
) -> Metric:
    rng = numpy_rng(seed, "calibration")
    confidence, outcome = confidence_and_outcome(task, indicator_matrix(task, wanted, given.shape[1]), given)
    errors = errors_if_calibrated(confidence, n_redraws, rng)
    low, high = calibration_interval(confidence, outcome, errors, rng)
    return metric.model_copy(
        update={
            "low": low,
            "high": high,
            "calibrated_mean": float(errors.mean()),
            "calibrated_high": float(np.quantile(errors, 0.95)),
        }
    )


def _interval(
    name: str, value: float, resampled: Array | None, n_rows: float, n_rarest: float
) -> tuple[float | None, float | None]:
    known = None if resampled is None else resampled[~np.isnan(resampled)]
    if known is None or len(known) == 0:
        return None, None
    if name in FRACTIONS_OF_ROWS:
        low, high = wilson_interval(value, n_rows)
        return float(low), float(high)
    if name in BOUNDED_METRICS:
        return effective_wilson_interval(
            value, float(known.var()), n_rows if name == "hamming_loss" else n_rarest
        )
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def choose_threshold(
    targets: Any,
    scores: Any,
    criterion: Criterion = "f1",
    *,
    false_positive_cost: float = 1.0,
    false_negative_cost: float = 1.0,
    weights: Any = None,
) -> float:
    """Return the threshold of a binary task that is best on these rows, which should be validation rows.

    Every cut between two neighbouring scores is tried; among equally good ones the nearest to .5 is taken.

    Args:
        targets: (n,) or (n, 1) zeros and ones.
        scores: (n,) or (n, 1) probabilities; a row is positive from the threshold on.
        criterion: the highest F1 or accuracy, or the lowest total cost.
        false_positive_cost: of a false positive.
        false_negative_cost: of a false negative.
        weights: (n,) how much each row counts; None: all the same.

    Raises:
        ValueError: targets of one class only, or wrong in the ways that `compute_metrics` refuses.
    """
    if criterion not in ("f1", "accuracy", "cost"):
        raise ValueError(f"unknown criterion '{criterion}'; known: accuracy, cost, f1")
    wanted, _ = check_targets_and_scores("binary", targets, scores)
    given = as_array(scores).reshape(-1).astype(np.float64)
    truth, counts = wanted.reshape(-1), row_counts(weights, len(wanted))
    if len(np.unique(truth[counts > 0])) < 2:
        raise ValueError("a threshold cannot be chosen on rows of one class")
    order = np.argsort(given)
    ordered, truth, counts = given[order], truth[order], counts[order]
    cuts = np.r_[0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(ordered)]
    false_negatives = np.r_[0, np.cumsum(truth * counts)][cuts]
    # What is not predicted positive at each cut, of the negatives.
    true_negatives = np.r_[0, np.cumsum((1 - truth) * counts)][cuts]
    false_positives = true_negatives[-1] - true_negatives
    true_positives = false_negatives[-1] - false_negatives
    if criterion == "f1":
        utility = 2 * true_positives / (2 * true_positives + false_negatives + false_positives)
    elif criterion == "accuracy":
        utility = -(false_negatives + false_positives)
    else:
        utility = -(false_negative_cost * false_negatives + false_positive_cost * false_positives)
    below = np.r_[-1.0, ordered][cuts]
    above = np.r_[ordered, 2.0][cuts]
    middle = np.maximum((below + above) / 2, np.nextafter(below, 2.0))
    thresholds = np.where((below < 0.5) & (above >= 0.5), 0.5, middle)
    # The ends predict all rows and no row positive.
    thresholds[0], thresholds[-1] = min(thresholds[0], 0.0), np.nextafter(1.0, 2.0)
    best = np.flatnonzero(utility >= utility.max() - 1e-12)
    return float(thresholds[best[np.argmin(np.abs(thresholds[best] - 0.5))]])
