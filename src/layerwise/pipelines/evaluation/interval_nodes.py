"""Prediction intervals of a regression: found on the validation rows, measured on the test rows."""

import numpy as np
import torch
from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import (
    Array,
    ConformalIntervals,
    Metric,
    NamedMetrics,
    baseline_model,
    conformal_intervals,
    effective_rows,
    wilson_interval,
)
from layerwise.models import EstimatorNetwork, fit_estimator
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.scores import scores_of, targets_of


def fit_quantiles(
    labelled: TensorData, columns: DataSpec, settings: EvaluationSettings, seed: int
) -> EstimatorNetwork:
    """Fit gradient boosting to the two quantiles of the target that a row lies between as often as asked."""
    assert settings.interval_coverage is not None
    assert labelled.targets is not None
    outside = (1 - settings.interval_coverage) / 2
    name, model = baseline_model("boosting", "regression", seed, len(labelled))
    levels = ({"loss": "quantile", "quantile": level} for level in (outside, 1 - outside))
    models = [type(model)(**model.get_params() | each) for each in levels]
    rows, n_outputs = (labelled.inputs, labelled.targets), 2 * columns.n_outputs
    return fit_estimator(models, f"quantiles by {name}", "regression", *rows, n_outputs, labelled.weights)


def find_intervals(
    network: nn.Module,
    validation: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    quantiles: nn.Module | None = None,
) -> ConformalIntervals:
    """Find on the validation rows how far the truth lies from the predictions, or outside of their quantiles."""
    assert settings.interval_coverage is not None
    targets, values = targets_of(validation, columns), scores_of(network, validation, columns)
    bands = None if quantiles is None else quantiles_of(quantiles, validation, columns)
    return conformal_intervals(targets, values, settings.interval_coverage, validation.weights, bands)


def quantiles_of(quantiles: nn.Module, rows: TensorData, columns: DataSpec) -> Array:
    """Return the lower and then the upper quantiles, (n, 2 k), in the units of the (transformed) target."""
    with torch.no_grad():
        return columns.unscaled(quantiles(rows.inputs)).double().numpy()


def measure_intervals(
    scored: TensorData,
    test: TensorData,
    columns: DataSpec,
    intervals: ConformalIntervals,
    metrics: NamedMetrics,
    quantiles: nn.Module | None = None,
) -> NamedMetrics:
    """Return a network's metrics with how many of the test rows lie inside, and how wide the intervals are.

    Widths are in the units of the raw target. Several targets are averaged, rows by their weights.
    """
    assert scored.targets is not None
    values, targets = scored.inputs.double().numpy(), scored.targets.double().numpy()
    bands = None if quantiles is None else quantiles_of(quantiles, test, columns)
    low_ends, high_ends = intervals.ends(values, bands)
    weights = np.ones(len(targets)) if test.weights is None else test.weights.double().numpy()
    inside = float(np.average(((low_ends <= targets) & (targets <= high_ends)).mean(1), weights=weights))
    low, high = wilson_interval(inside, effective_rows(weights))
    widths = columns.raw_targets(high_ends) - columns.raw_targets(low_ends)
    width = float(np.average(widths.mean(1), weights=weights))
    covered = Metric(name="interval_coverage", value=inside, low=float(low), high=float(high))
    wide = Metric(name="interval_width", value=width, better="lower")
    return metrics.extended({each.name: each for each in (covered, wide)}, prefix="")
