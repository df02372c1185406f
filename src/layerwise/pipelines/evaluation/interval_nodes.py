"""Prediction intervals of a regression: found on the validation rows, measured on the test rows."""

import numpy as np
from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import (
    ConformalIntervals,
    Metric,
    NamedMetrics,
    conformal_intervals,
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
    return conformal_intervals(targets, values, settings.interval_coverage)


def measure_intervals(
    network: nn.Module,
    test: TensorData,
    columns: DataSpec,
    intervals: ConformalIntervals,
    metrics: NamedMetrics,
) -> NamedMetrics:
    """Return a network's metrics with how many of the test rows lie inside, and how wide the intervals are.

    Widths are in the units of the raw target. Several targets are averaged.
    """
    values = scores_of(network, test, columns).double().numpy()
    targets = targets_of(test, columns).double().numpy()
    half = np.asarray(intervals.half_widths)
    inside = float((np.abs(targets - values) <= half).mean())
    low, high = wilson_interval(inside, len(targets))
    width = float((columns.raw_targets(values + half) - columns.raw_targets(values - half)).mean())
    covered = Metric(name="interval_coverage", value=inside, low=float(low), high=float(high))
    wide = Metric(name="interval_width", value=width, better="lower")
    return metrics.extended({each.name: each for each in (covered, wide)}, prefix="")
