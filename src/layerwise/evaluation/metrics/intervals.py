"""Confidence intervals that hold their level near 0 and 1, where the bootstrap's percentiles do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array

Z95 = 1.959963984540054
# How many rows of its rarest class a metric may count as, at most. By simulation (binormal, exponential and unequal
# scores, AUC .7 to .995, 10 to 52 rows of a class) the interval then covers 92 to 100 %; without a bound 69 to 96 %.
ROWS_OF_RAREST_CLASS = 3


def wilson_interval(fraction: ArrayLike, n: ArrayLike, z: float = Z95) -> tuple[Array, Array]:
    """Return Wilson's score interval of fractions of n rows (Wilson 1927; Brown, Cai & DasGupta 2001).

    Args:
        fraction: any shape.
        n: the number of rows of each; needs not be whole.
        z: the normal quantile of the level, by default that of 95 %.
    """
    p, rows = np.asarray(fraction, dtype=np.float64), np.asarray(n, dtype=np.float64)
    middle = (p + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(p * (1 - p) / rows + z**2 / (4 * rows**2))
    return np.minimum(np.clip(middle - half, 0, 1), p), np.maximum(np.clip(middle + half, 0, 1), p)


def effective_wilson_interval(value: float, variance: float, n_rarest: float) -> tuple[float, float]:
    """Return Wilson's interval of a metric from 0 to 1 that is no fraction of rows, such as an AUC.

    The number of rows is the one of a fraction with the metric's variance, value (1 - value) / variance, at most three
    times the rows of the rarest class; of a perfect metric, which has no variance, those of the rarest class.

    Args:
        value: of the metric.
        variance: over resamples.
        n_rarest: rows of the rarest class.
    """
    spread = value * (1 - value)
    n = n_rarest if spread <= 0 or variance <= 0 else min(spread / variance, ROWS_OF_RAREST_CLASS * n_rarest)
    low, high = wilson_interval(value, max(n, 1))
    return float(low), float(high)


def rows_of_rarest_class(task: Task, truth: Array) -> int:
    """Return how many rows the rarest class has that has any; for labels, the rarest of their ones and zeros.

    An average over several classes rests on as many rows of each, so theirs are added up.

    Args:
        task: what the targets are.
        truth: (n, k) zeros and ones.
    """
    counts = truth.sum(0)
    if task != "multiclass":
        counts = np.concatenate([counts, len(truth) - counts])
    known = counts[counts > 0]
    return int(known.min() * (len(known) if task == "multiclass" else 1))


def paired_fraction_interval(
    first_only: int, second_only: int, n: int, z: float = Z95
) -> tuple[float, float]:
    """Return the interval of the difference of two fractions of the same rows (Bonett & Price 2012).

    Args:
        first_only: rows that count for the first fraction alone.
        second_only: rows that count for the second alone.
        n: all rows.
        z: the normal quantile of the level, by default that of 95 %.
    """
    p, q = (first_only + 1) / (n + 2), (second_only + 1) / (n + 2)
    half = z * float(np.sqrt((p + q - (p - q) ** 2) / (n + 2)))
    return max(p - q - half, -1.0), min(p - q + half, 1.0)
