"""Evaluate a trained model on new labelled rows, and measure their drift from its training rows."""

import logging
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from layerwise.data.reading import ChunkedReader
from layerwise.evaluation import (
    DriftTable,
    LimitError,
    SegmentTable,
    beyond_limits,
    describe_drift,
    describe_segments,
    make_segments,
    plots,
)
from layerwise.evaluation.metrics import (
    LoggedMetrics,
    NamedMetrics,
    compute_metrics,
    compute_raw_metrics,
    reaches_threshold,
)
from layerwise.evaluation.plots import plot_drift as drift_figure
from layerwise.evaluation.reports import describe_seen_rows, make_evaluation_report
from layerwise.inference import BatchEvaluation, TrainedModel, evaluate_chunks
from layerwise.parameters import EvaluateSettings, EvaluationSettings
from layerwise.pipelines.evaluation.segment_nodes import segment_metrics

log = logging.getLogger(__name__)


def score_rows(
    model: TrainedModel,
    rows: ChunkedReader,
    settings: EvaluateSettings,
    measured: EvaluationSettings | None = None,
) -> BatchEvaluation:
    """Score every valid row with a known target, and collect what drift and segments are measured on."""
    keep = () if measured is None else measured.segments
    evaluation = evaluate_chunks(model, rows, settings.strict, keep, settings.labelled)
    log.info("%s rows measured, %s refused", f"{len(evaluation.scores):,}", f"{evaluation.n_rejected:,}")
    if evaluation.n_seen:
        log.warning(describe_seen_rows(evaluation.n_seen, len(evaluation.scores)))
    for reason, count in evaluation.reasons.most_common(5):
        log.warning("Refused %s row(s): %s", f"{count:,}", reason)
    return evaluation


def measure_rows(
    model: TrainedModel, evaluation: BatchEvaluation, settings: EvaluateSettings, seed: int
) -> tuple[NamedMetrics, LoggedMetrics]:
    """Measure the task's metrics on the new rows with their intervals."""
    columns, manifest = model.columns, model.manifest
    rows = evaluation.targets, evaluation.scores
    options: dict[str, Any] = {
        "seed": seed,
        "n_bootstrap": settings.bootstrap,
        "weights": evaluation.weights,
    }
    metrics = compute_metrics(
        columns.task, *rows, columns.class_names, threshold=manifest.threshold, **options
    )
    found = NamedMetrics(metrics)
    if columns.target_transform != "none":
        raw = compute_raw_metrics(*rows, manifest.smearing, transform=columns.transform, **options)
        found = found.extended(raw, prefix="raw_")
    return found, found.logged("evaluate/")


def measure_drift(model: TrainedModel, evaluation: BatchEvaluation) -> tuple[DriftTable, LoggedMetrics]:
    """Measure each column's drift from the training rows."""
    found = DriftTable(tuple(evaluation.drift(model.preprocessor.state["summary"])))
    for sentence in describe_drift(found.root):
        log.info(sentence)
    return found, found.logged()


def measure_new_segments(
    model: TrainedModel, evaluation: BatchEvaluation, settings: EvaluateSettings, seed: int
) -> SegmentTable:
    """Measure the metrics on each segment of the new rows."""
    segments = make_segments(pd.DataFrame(evaluation.kept, dtype=object), list(evaluation.kept))
    targets, scores, manifest = evaluation.targets, evaluation.scores, model.manifest
    options: dict[str, Any] = {"threshold": manifest.threshold, "seed": seed, "weights": evaluation.weights}
    options["n_bootstrap"] = settings.bootstrap
    found = segment_metrics(model.columns, targets, scores, segments, manifest.smearing, **options)
    for sentence in describe_segments(found):
        log.warning(sentence)
    return found


def plot_drift(drift: DriftTable, evaluation: BatchEvaluation) -> Figure:
    """Plot the columns' drift."""
    return drift_figure(drift.root, len(evaluation.scores) + evaluation.n_rejected)


def plot_predictions(model: TrainedModel, evaluation: BatchEvaluation) -> Figure:
    """Plot the confusion matrix of a classification, predicted against true values of a regression."""
    columns, scores, targets = model.columns, evaluation.scores, evaluation.targets
    if columns.task == "regression":
        name = columns.target_names[0]
        shown = columns.transform.label(name)
        return plots.plot_predicted_vs_true(targets, scores, target_name=shown)
    if columns.task == "multilabel":
        return plots.plot_label_errors(targets, scores, columns.target_names)
    threshold = model.manifest.threshold
    chosen = scores.argmax(1) if columns.task == "multiclass" else reaches_threshold(scores, threshold)
    return plots.plot_confusion_matrix(targets, chosen, columns.class_names)


def plot_calibration(model: TrainedModel, evaluation: BatchEvaluation) -> Figure:
    """Plot the calibration curve of the predicted probabilities (or values)."""
    columns = model.columns
    return plots.plot_calibration(
        columns.task, evaluation.targets, evaluation.scores, positive=columns.positive
    )


def write_drift_report(model: TrainedModel, evaluation: BatchEvaluation, drift: DriftTable) -> str:
    """Write the report of rows whose targets are not known."""
    return write_report(model, evaluation, NamedMetrics({}), drift)


def check_limits(
    drift: DriftTable, settings: EvaluateSettings, report: str, metrics: NamedMetrics | None = None
) -> LoggedMetrics:
    """Raise an error if something is worse than its limit; it takes the report, to come after it.

    Raises:
        LimitError: it is; the message has each such value with its limit.
        DataError: there is no such metric.
    """
    wrong = beyond_limits(settings.limits, drift.root, {} if metrics is None else metrics.root)
    if wrong:
        raise LimitError("beyond evaluate.limits: " + "; ".join(wrong))
    return LoggedMetrics.of({"beyond_limits": 0}, prefix="evaluate/")


def write_report(
    model: TrainedModel,
    evaluation: BatchEvaluation,
    metrics: NamedMetrics,
    drift: DriftTable,
    segments: SegmentTable | None = None,
) -> str:
    """Write the report: the metrics of the new rows beside those of the test rows, refused rows and drift."""
    manifest = model.manifest
    return make_evaluation_report(
        f"{manifest.problem}, pipeline {manifest.pipeline}, run {manifest.run_id or 'unknown'}",
        metrics.root,
        NamedMetrics.model_validate(manifest.metrics).root,
        drift.root,
        rows=len(evaluation.scores),
        refused=evaluation.reasons,
        seen=evaluation.n_seen,
        segments=segments,
    )
