"""Evaluate a trained model on new labelled rows, and measure their drift from its training rows."""

import logging
import re
from typing import Any

from matplotlib.figure import Figure

from layerwise.data.reading import ChunkedReader
from layerwise.evaluation import Drift, describe_drift, plots
from layerwise.evaluation.metrics import Metric, compute_metrics, compute_raw_metrics, reaches_threshold
from layerwise.evaluation.plots import plot_drift as drift_figure
from layerwise.evaluation.reports import make_evaluation_report
from layerwise.inference import BatchEvaluation, TrainedModel, evaluate_chunks
from layerwise.parameters import EvaluateSettings
from layerwise.utils import report_metrics, report_tags

log = logging.getLogger(__name__)


def score_rows(model: TrainedModel, rows: ChunkedReader, settings: EvaluateSettings) -> BatchEvaluation:
    """Score every valid row with a known target, and collect what drift is measured on."""
    report_tags(
        {"model.run": model.manifest.run_id, "model.sha256": model.sha256, "evaluate.input": str(rows.path)}
    )
    evaluation = evaluate_chunks(model, rows, settings.strict)
    log.info("%s rows measured, %s refused", f"{len(evaluation.scores):,}", f"{evaluation.n_rejected:,}")
    for reason, count in evaluation.reasons.most_common(5):
        log.warning("Refused %s row(s): %s", f"{count:,}", reason)
    report_metrics({"evaluate/rows": len(evaluation.scores), "evaluate/refused": evaluation.n_rejected})
    return evaluation


def evaluate_rows(
    model: TrainedModel, evaluation: BatchEvaluation, settings: EvaluateSettings, seed: int
) -> dict[str, Any]:
    """Return the task's metrics on the new rows with their intervals, by name."""
    columns, manifest = model.columns, model.manifest
    options: dict[str, Any] = {"seed": seed, "n_bootstrap": settings.bootstrap}
    found = compute_metrics(
        columns.task,
        evaluation.targets,
        evaluation.scores,
        columns.class_names,
        threshold=manifest.threshold,
        **options,
    )
    if columns.target_transform == "log1p":
        found |= compute_raw_metrics(evaluation.targets, evaluation.scores, manifest.smearing, **options)
    report_metrics({f"evaluate/{name}": metric.value for name, metric in found.items()})
    return {name: metric.model_dump() for name, metric in found.items()}


def measure_drift(model: TrainedModel, evaluation: BatchEvaluation) -> list[dict[str, Any]]:
    """Return each column's drift from the training rows; none for a model without their summary."""
    found = evaluation.drift(model.preprocessor.state.get("summary"))
    for sentence in describe_drift(found) if found else ["The model has no summary of its training rows."]:
        log.info(sentence)
    # MLflow accepts no other characters in a metric's name.
    names = {each.column: re.sub(r"[^-\w. ]", "_", each.column, flags=re.ASCII) for each in found}
    report_metrics({f"drift/{names[each.column]}": each.psi for each in found})
    report_metrics({"drift/drifted_columns": sum(each.level != "stable" for each in found)})
    return [each.model_dump() for each in found]


def plot_drift(drift: list[dict[str, Any]], evaluation: BatchEvaluation) -> Figure:
    """Plot the columns' drift."""
    if not drift:
        return plots.plot_note("The model has no summary of its training rows: no drift was measured.")
    return drift_figure([Drift(**each) for each in drift], len(evaluation.scores) + evaluation.n_rejected)


def plot_predictions(model: TrainedModel, evaluation: BatchEvaluation) -> Figure:
    """Plot the confusion matrix of a classification, predicted against true values of a regression."""
    columns, scores, targets = model.columns, evaluation.scores, evaluation.targets
    if columns.task == "regression":
        name = columns.target_names[0]
        shown = f"log(1 + {name})" if columns.target_transform == "log1p" else name
        return plots.plot_predicted_vs_true(targets, scores, target_name=shown)
    if columns.task == "multilabel":
        return plots.plot_label_errors(targets, scores, columns.target_names)
    threshold = model.manifest.threshold
    chosen = scores.argmax(1) if columns.task == "multiclass" else reaches_threshold(scores, threshold)
    return plots.plot_confusion_matrix(targets, chosen, columns.class_names)


def plot_calibration(model: TrainedModel, evaluation: BatchEvaluation) -> Figure:
    """Plot the calibration curve of the predicted probabilities (or values)."""
    return plots.plot_calibration(model.columns.task, evaluation.targets, evaluation.scores)


def write_report(
    model: TrainedModel, evaluation: BatchEvaluation, metrics: dict[str, Any], drift: list[dict[str, Any]]
) -> str:
    """Write the report: the metrics of the new rows beside those of the test rows, refused rows and drift."""
    manifest = model.manifest
    return make_evaluation_report(
        f"{manifest.problem}, pipeline {manifest.pipeline}, run {manifest.run_id or 'unknown'}",
        {name: Metric(**values) for name, values in metrics.items()},
        {name: Metric(**values) for name, values in manifest.metrics.items()},
        [Drift(**each) for each in drift],
        rows=len(evaluation.scores),
        refused=evaluation.reasons,
    )
