"""Metrics of a regression of log(1 + y) in the units of y: of the median that it predicts, and of the mean.

The network's output f is the conditional mean of log(1 + y). For errors that are symmetric there, exp(f) - 1 is the
median of y, which has the lowest mean absolute error; the squared error asks for the mean, which is larger. Duan's
smearing estimate of the mean is exp(f) mean(exp(residual)) - 1, with the residuals of validation rows (Duan 1983).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix
from layerwise.evaluation.metrics.supervised import Metric, compute_metrics
from layerwise.utils import Config

# The metrics whose best constant prediction is the mean; that of the others is the median.
METRICS_OF_THE_MEAN = ("rmse", "r2")


class SmearingFactors(Config):
    """What makes means of the outputs of a regression of log(1 + y): a factor for each."""

    values: tuple[float, ...]


def smearing_factors(targets: Any, values: Any, weights: Any = None) -> SmearingFactors:
    """Return the mean of exp(target - value) over rows for each output, by which exp(value) becomes a mean.

    Args:
        targets: (n, k) log(1 + y), of validation rows.
        values: (n, k) predicted.
        weights: (n,) how much each row counts; None: all the same.
    """
    ratios = np.exp(as_matrix(targets) - as_matrix(values))
    factors = np.average(ratios, axis=0, weights=None if weights is None else as_array(weights))
    return SmearingFactors(values=tuple(float(each) for each in factors))


def raw_medians(values: Any) -> Array:
    """Return the predicted medians exp(value) - 1 of values (n, k), float64."""
    return np.expm1(as_matrix(values))


def raw_means(values: Any, factors: Sequence[float]) -> Array:
    """Return the predicted means exp(value) factor - 1 of values (n, k), float64; the medians without factors."""
    return np.exp(as_matrix(values)) * np.asarray(factors) - 1 if len(factors) else raw_medians(values)


def compute_raw_metrics(
    targets: Any,
    values: Any,
    factors: Sequence[float],
    *,
    seed: int = 0,
    n_bootstrap: int = 1000,
    weights: Any = None,
) -> dict[str, Metric]:
    """Return the MAE of the medians, RMSE and R2 of the means, in the units of y.

    Args:
        targets: (n, k) log(1 + y).
        values: (n, k) predicted.
        factors: (k,) of `smearing_factors`.
        seed: of the resamples.
        n_bootstrap: their number.
        weights: (n,) how much each row counts; None: all the same.
    """
    true = np.expm1(as_matrix(targets))
    of_medians, of_means = (
        compute_metrics("regression", true, each, seed=seed, n_bootstrap=n_bootstrap, weights=weights)
        for each in (raw_medians(values), raw_means(values, factors))
    )
    return {name: (of_means if name in METRICS_OF_THE_MEAN else of_medians)[name] for name in of_medians}
