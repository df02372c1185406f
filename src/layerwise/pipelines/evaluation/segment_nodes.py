"""Metrics by segment, of the test rows and of new ones."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from layerwise.data import DataSpec, Problem, Split, TensorData
from layerwise.data.preprocessing import derive_columns
from layerwise.evaluation import SegmentTable, make_segments, measure_segments, plots
from layerwise.evaluation.metrics import DecisionThreshold, Smearing, SmearingFactors
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.scores import HALF, means_in_y, targets_in_y

# An interval of 200 resamples is near that of 1,000, and there are many segments.
MAX_RESAMPLES = 200


def choose_segments(
    raw: pd.DataFrame, split: Split, problem: Problem, settings: EvaluationSettings
) -> pd.DataFrame:
    """Return the segments of the test rows by each column that `evaluation.segments` names."""
    rows = derive_columns(raw, problem).iloc[split.test]
    return make_segments(rows, settings.segments)


def measure_test_segments(
    scored: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
    segments: pd.DataFrame,
    threshold: DecisionThreshold = HALF,
    smearing: SmearingFactors | None = None,
) -> SegmentTable:
    """Measure the network on each segment of the test rows, a regression in raw units."""
    factors = () if smearing is None else smearing.values
    options: dict[str, Any] = {"seed": seed, "n_bootstrap": settings.bootstrap, "weights": scored.weights}
    options["threshold"] = threshold.value
    return segment_metrics(columns, scored.targets, scored.inputs, segments, factors, **options)


def segment_metrics(
    columns: DataSpec,
    targets: Any,
    scores: Any,
    segments: pd.DataFrame,
    smearing: Smearing,
    *,
    n_bootstrap: int,
    **options: Any,
) -> SegmentTable:
    """Return the metrics on each segment; of a regression of a transformed target those of y.

    Args:
        columns: what is predicted.
        targets: (n,) or (n, k), of the (transformed) target.
        scores: (n, k).
        segments: (n, columns) of `make_segments`.
        smearing: of a regression of a transformed target.
        n_bootstrap: resamples, of which at most 200 are taken.
        options: the threshold, the seed and the weights, as `measure_segments` takes them.
    """
    true, means = targets_in_y(targets, columns), means_in_y(scores, columns, smearing)
    options["n_bootstrap"] = min(n_bootstrap, MAX_RESAMPLES)
    return measure_segments(columns.task, true, means, segments, **options)


def plot_segments(segment_metrics: SegmentTable) -> Figure:
    """Plot the first metric of each segment with its interval."""
    return plots.plot_segments(segment_metrics.root)
