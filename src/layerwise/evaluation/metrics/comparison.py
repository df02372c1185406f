"""The difference of a metric between two models on the same rows, and of one model between two sets of rows."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array, check_targets_and_scores, score_resolution
from layerwise.evaluation.metrics.intervals import paired_fraction_interval
from layerwise.evaluation.metrics.resampling import Statistic, enough_resamples, resampled_values, row_counts
from layerwise.evaluation.metrics.statistics import (
    classification_statistics,
    regression_statistics,
    right_rows,
)
from layerwise.evaluation.metrics.supervised import FRACTIONS_OF_ROWS, Metric

Key = TypeVar("Key")

# Rows that all resamples may draw together, some seconds' work for rankings. A standard deviation needs fewer resamples
# than percentiles do.
RESAMPLED_ROWS = 1e7
MIN_RESAMPLES = 100


def paired_difference(
    task: Task,
    targets: Any,
    first: Any,
    second: Any,
    name: str,
    *,
    thresholds: tuple[float, float] = (0.5, 0.5),
    seed: int = 0,
    n_bootstrap: int = 1000,
    level: float = 0.95,
    weights: Any = None,
) -> tuple[float, float, float]:
    """Return a metric's difference between two models on the same rows, first minus second, with its interval.

    Every resample is of rows, with both models' scores of each, so that what is hard for both cancels. The interval is
    as many standard deviations of the resamples to either side as the level says (1.96 for 95 %), which by simulation
    covers a little more than their percentiles; that of accuracy and error is `paired_fraction_interval`, which a few
    rows that differ do not make too narrow.

    Args:
        task: what the targets are.
        targets: as `compute_metrics` takes them.
        first, second: (n, k) scores.
        name: of the metric.
        thresholds: of the first and of the second model.
        seed: of the resamples.
        n_bootstrap: their number; of more than 10,000 rows fewer are drawn, at least 100.
        level: of the interval.
        weights: (n,) how much each row counts; None: all the same. With them accuracy and error have the interval of
            the resamples too.

    Raises:
        ValueError: the task has no such metric, or the rows are wrong in the ways that `compute_metrics` refuses.
    """
    pairs = []
    for scores, threshold in zip((first, second), thresholds, strict=True):
        wanted, given = check_targets_and_scores(task, targets, scores)
        pairs.append((given, _statistics(task, wanted, given, threshold, score_resolution(scores))))
    for _, known in pairs:
        if name not in known:
            raise ValueError(f"{task} rows have no metric '{name}'; known: {', '.join(sorted(known))}")
    statistics = {"first": pairs[0][1][name], "second": pairs[1][1][name]}
    counts = row_counts(weights, len(wanted))[None]
    z = NormalDist().inv_cdf((1 + level) / 2)
    difference = float((statistics["first"](counts) - statistics["second"](counts))[0])
    if name in FRACTIONS_OF_ROWS and weights is None:
        first_right, second_right = (
            right_rows(task, wanted, given, threshold)
            for (given, _), threshold in zip(pairs, thresholds, strict=True)
        )
        only = int((first_right & ~second_right).sum()), int((second_right & ~first_right).sum())
        low, high = paired_fraction_interval(*(only if name == "accuracy" else only[::-1]), len(wanted), z)
        return difference, low, high
    n_resamples = enough_resamples(n_bootstrap, len(wanted), RESAMPLED_ROWS, MIN_RESAMPLES)
    resampled = resampled_values(statistics, counts[0], n_resamples, seed)
    differences = resampled["first"] - resampled["second"]
    half = z * float(np.nanstd(differences, ddof=1))
    return difference, difference - half, difference + half


def worse_than_others(pairs: Mapping[Key, tuple[Metric, Metric]]) -> list[Key]:
    """Return the keys of those pairs whose first metric is worse than the second by more than chance.

    The 95 % interval of the difference of two independent estimates has the root of the sum of their squared
    half-widths on that side (Zou & Donner 2008). It is widened to the level .05 divided by the number of pairs: at most
    one comparison of all in twenty gives an alarm without a difference. A pair without both intervals is left out.
    """
    widths = {key: _half_widths(*pair) for key, pair in pairs.items()}
    known = {key: each for key, each in widths.items() if each is not None}
    normal = NormalDist()
    widening = normal.inv_cdf(1 - 0.025 / max(len(known), 1)) / normal.inv_cdf(0.975)
    found = []
    for key, width in known.items():
        own, other = pairs[key]
        if other.beats(own.value) and abs(own.value - other.value) > widening * hypot(*width):
            found.append(key)
    return found


def _half_widths(own: Metric, other: Metric) -> tuple[float, float] | None:
    """Return how much better the first value may be, and how much worse the second; None without both intervals."""
    if own.low is None or own.high is None or other.low is None or other.high is None:
        return None
    if own.better == "higher":
        return own.high - own.value, other.value - other.low
    return own.value - own.low, other.high - other.value


def metric_statistics(task: Task, targets: Any, scores: Any) -> dict[str, Statistic]:
    """Return a task's metrics as functions of row weights (b, n), by their names.

    Args:
        task: what the targets are.
        targets: as `compute_metrics` takes them.
        scores: (n, k); those of a binary task have a threshold of .5.
    """
    wanted, given = check_targets_and_scores(task, targets, scores)
    return _statistics(task, wanted, given, 0.5, score_resolution(scores))


def _statistics(
    task: Task, targets: Array, scores: Array, threshold: float, epsilon: float
) -> dict[str, Statistic]:
    if task == "regression":
        return regression_statistics(targets, scores)
    sums, orders = classification_statistics(task, targets, scores, threshold, epsilon)
    return sums | orders
