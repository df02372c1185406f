"""Measure a trained model on new labelled rows, and their drift."""

import logging
import re
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from layerwise.data.reading.chunks import Incoming
from layerwise.evaluation import plots as figures
from layerwise.evaluation.drift import Drift, sentences
from layerwise.evaluation.metrics.supervised import Measure, measures
from layerwise.evaluation.plots.drift import drift as drift_figure
from layerwise.evaluation.reports.evaluation_report import evaluation_report
from layerwise.inference.batch_evaluate import Answered, answer_labelled
from layerwise.inference.model import Trained
from layerwise.parameters.inference import EvaluateSettings
from layerwise.utils.run_context import report_metrics, report_tags

log = logging.getLogger(__name__)


def answer_rows(model: Trained, rows: Incoming, settings: EvaluateSettings) -> Answered:
    """Answer every row that can be answered and whose target is known; keep what drift is measured on."""
    report_tags(
        {"model.run": model.facts.run, "model.sha256": model.sha256, "evaluate.input": str(rows.path)}
    )
    answered = answer_labelled(model, rows, settings.strict)
    log.info("%s rows measured, %s refused", f"{len(answered.scores):,}", f"{answered.refused:,}")
    for reason, count in answered.reasons.most_common(5):
        log.warning("Refused %s row(s): %s", f"{count:,}", reason)
    report_metrics({"evaluate/rows": len(answered.scores), "evaluate/refused": answered.refused})
    return answered


def measure_rows(model: Trained, answered: Answered, settings: EvaluateSettings, seed: int) -> dict[str, Any]:
    """Return every measure of the task on the new rows, with its interval, by its name."""
    columns, facts = model.columns, model.facts
    options: dict[str, Any] = {"seed": seed, "n_bootstrap": settings.bootstrap}
    found = measures(
        columns.task,
        answered.targets,
        answered.scores,
        columns.class_names,
        threshold=facts.threshold,
        **options,
    )
    if columns.target_transform == "log1p":
        raw = measures("regression", np.expm1(answered.targets), np.expm1(answered.scores), **options)
        found |= {f"raw_{name}": m.model_copy(update={"name": f"raw_{name}"}) for name, m in raw.items()}
    report_metrics({f"evaluate/{name}": measure.value for name, measure in found.items()})
    return {name: measure.model_dump() for name, measure in found.items()}


def measure_drift(model: Trained, answered: Answered) -> list[dict[str, Any]]:
    """Return how far each column lies from the training rows; nothing for a model without their summary."""
    found = answered.drift(model.preparation.state.get("summary"))
    for sentence in sentences(found) if found else ["The model has no summary of its training rows."]:
        log.info(sentence)
    # MLflow takes no other signs in a name.
    names = {each.column: re.sub(r"[^-\w. ]", "_", each.column, flags=re.ASCII) for each in found}
    report_metrics({f"drift/{names[each.column]}": each.psi for each in found})
    report_metrics({"drift/columns": sum(each.verdict != "stable" for each in found)})
    return [each.model_dump() for each in found]


def draw_drift(drift: list[dict[str, Any]], answered: Answered) -> Figure:
    """Draw the columns' drift."""
    if not drift:
        return figures.note("The model has no summary of its training rows: no drift was measured.")
    return drift_figure([Drift(**each) for each in drift], len(answered.scores) + answered.refused)


def draw_predictions(model: Trained, answered: Answered) -> Figure:
    """Draw the confusion matrix of a classification, predicted against true values of a regression."""
    columns, scores, targets = model.columns, answered.scores, answered.targets
    if columns.task == "regression":
        name = columns.target_names[0]
        shown = f"log(1 + {name})" if columns.target_transform == "log1p" else name
        return figures.predicted_against_true(targets, scores, target_name=shown)
    if columns.task == "multilabel":
        return figures.label_errors(targets, scores, columns.target_names)
    chosen = scores.argmax(1) if columns.task == "multiclass" else scores >= model.facts.threshold
    return figures.confusion_matrix(targets, chosen, columns.class_names)


def draw_calibration(model: Trained, answered: Answered) -> Figure:
    """Draw how well the stated probabilities (or values) agree with what is found."""
    return figures.calibration(model.columns.task, answered.targets, answered.scores)


def write_report(
    model: Trained, answered: Answered, measured: dict[str, Any], drift: list[dict[str, Any]]
) -> str:
    """Write what the model is worth on the new rows beside what it was worth on its test rows."""
    facts = model.facts
    return evaluation_report(
        f"{facts.problem}, pipeline {facts.pipeline}, run {facts.run or 'unknown'}",
        {name: Measure(**values) for name, values in measured.items()},
        {name: Measure(**values) for name, values in facts.measures.items()},
        [Drift(**each) for each in drift],
        rows=len(answered.scores),
        refused=answered.reasons,
    )
