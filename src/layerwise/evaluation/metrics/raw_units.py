"""Metrics of a regression of a transformed target in the units of y: of the median that it predicts, and of the mean.

The network's output f is the conditional mean of g(y), such as log(1 + y). For errors that are symmetric there, the
inverse of f is the median of y, which has the lowest mean absolute error; the squared error asks for the mean. Duan's
smearing estimate of the mean is the mean of the inverse of f + residual over the residuals of validation rows (Duan
1983); of the logarithm that is exp(f) mean(exp(residual)) - 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.data import LOG1P, TargetTransform
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix
from layerwise.evaluation.metrics.supervised import Metric, compute_metrics
from layerwise.utils import Config

# The metrics whose best constant prediction is the mean; that of the others is the median.
METRICS_OF_THE_MEAN = ("rmse", "r2")


# A factor for each output of a regression of log(1 + y); of another transform quantiles of each output's residuals.
Smearing = tuple[float, ...] | tuple[tuple[float, ...], ...]
RESIDUALS = 101


class SmearingFactors(Config):
    """What makes means of the outputs of a regression of a transformed target, for each output."""

    values: Smearing


def smearing_factors(
    targets: Any, values: Any, weights: Any = None, transform: TargetTransform = LOG1P
) -> SmearingFactors:
    """Return what makes means of the predicted medians: a factor, or quantiles of the residuals, for each output.

    Args:
        targets: (n, k) transformed, of validation rows.
        values: (n, k) predicted.
        weights: (n,) how much each row counts; None: all the same.
        transform: of the target.
    """
    residuals = as_matrix(targets) - as_matrix(values)
    counts = None if weights is None else as_array(weights)
    if transform.kind == "log1p":
        factors = np.average(np.exp(residuals), axis=0, weights=counts)
        return SmearingFactors(values=tuple(float(each) for each in factors))
    levels = (np.arange(RESIDUALS) + 0.5) / RESIDUALS
    found = [
        np.quantile(column, levels)
        if counts is None
        else np.quantile(column, levels, method="inverted_cdf", weights=counts)
        for column in residuals.T
    ]
    return SmearingFactors(values=tuple(tuple(each.tolist()) for each in found))


def raw_medians(values: Any, transform: TargetTransform = LOG1P) -> Array:
    """Return the predicted medians of values (n, k), float64."""
    return transform.inverse(as_matrix(values))


def raw_means(values: Any, smearing: Smearing, transform: TargetTransform = LOG1P) -> Array:
    """Return the predicted means of values (n, k), float64; the medians without smearing."""
    given = as_matrix(values)
    if not len(smearing):
        return raw_medians(given, transform)
    if transform.kind == "log1p":
        return np.exp(given) * np.asarray(smearing) - 1
    residuals = np.asarray(smearing, dtype=np.float64)
    # The mean over residuals, one at a time: of all rows with each.
    return np.mean([transform.inverse(given + each) for each in residuals.T], axis=0)


def compute_raw_metrics(
    targets: Any,
    values: Any,
    smearing: Smearing,
    *,
    seed: int = 0,
    n_bootstrap: int = 1000,
    weights: Any = None,
    transform: TargetTransform = LOG1P,
) -> dict[str, Metric]:
    """Return the MAE of the medians, RMSE and R2 of the means, in the units of y.

    Args:
        targets: (n, k) transformed.
        values: (n, k) predicted.
        smearing: of `smearing_factors`.
        seed: of the resamples.
        n_bootstrap: their number.
        weights: (n,) how much each row counts; None: all the same.
        transform: of the target.
    """
    true = transform.inverse(as_matrix(targets))
    of_medians, of_means = (
        compute_metrics("regression", true, each, seed=seed, n_bootstrap=n_bootstrap, weights=weights)
        for each in (raw_medians(values, transform), raw_means(values, smearing, transform))
    )
    return {name: (of_means if name in METRICS_OF_THE_MEAN else of_medians)[name] for name in of_medians}
