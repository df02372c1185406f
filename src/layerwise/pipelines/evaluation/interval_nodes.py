"""Prediction intervals of a regression: found on the validation rows, measured on the test rows."""

import numpy as np
from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import (
    ConformalIntervals,
    Metric,
    NamedMetrics,
    conformal_intervals,
    effective_rows,
    wilson_interval,
)
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.scores import scores_of, targets_of


def find_intervals(
    network: nn.Module, validation: TensorData, columns: DataSpec, settings: EvaluationSettings
) -> ConformalIntervals:
    """Find on the validation rows how far the truth lies from the predictions."""
    assert settings.interval_coverage is not None
    targets, values = targets_of(validation, columns), scores_of(network, validation, columns)
    return conformal_intervals(targets, values, settings.interval_coverage, validation.weights)


def measure_intervals(
    network: nn.Module,
    test: TensorData,
    columns: DataSpec,
    intervals: ConformalIntervals,
    metrics: NamedMetrics,
) -> NamedMetrics:
    """Return a network's metrics with how many of the test rows lie inside, and how wide the intervals are.

    Widths are in the units of the raw target. Several targets are averaged, rows by their weights.
    """
    values = scores_of(network, test, columns).double().numpy()
    targets = targets_of(test, columns).double().numpy()
    half = np.asarray(intervals.half_widths)
    weights = np.ones(len(targets)) if test.weights is None else test.weights.double().numpy()
    inside = float(np.average((np.abs(targets - values) <= half).mean(1), weights=weights))
    low, high = wilson_interval(inside, effective_rows(weights))
    widths = columns.raw_targets(values + half) - columns.raw_targets(values - half)
    width = float(np.average(widths.mean(1), weights=weights))
    covered = Metric(name="interval_coverage", value=inside, low=float(low), high=float(high))
    wide = Metric(name="interval_width", value=width, better="lower")
    return metrics.extended({each.name: each for each in (covered, wide)}, prefix="")
