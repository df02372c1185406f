"""The forest fires exercise as it is taught, beside its correction, on the same test rows."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from layerwise.data import (
    DataError,
    DataSpec,
    PreprocessingSettings,
    Problem,
    Split,
    TensorData,
    classic_csv,
    classic_table,
)
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.evaluation import plots
from layerwise.evaluation.metrics import Metric, compute_metrics
from layerwise.evaluation.reports import table
from layerwise.models import MLP
from layerwise.parameters import EvaluationSettings, MLPSettings
from layerwise.pipelines.evaluation.nodes import metric_name
from layerwise.pipelines.evaluation.scores import scores_of, targets_of
from layerwise.pipelines.finetuning.nodes import finetune_random_start
from layerwise.pipelines.preprocessing.nodes import choose_labelled_rows
from layerwise.training.supervised import FinetuningSettings
from layerwise.utils import report_metrics

log = logging.getLogger(__name__)

EXERCISE = "forest_fires_classic"
AS_TAUGHT, CORRECT, WITHOUT_AREA = (
    "as taught: scaler refitted on the test rows",
    "scaler of the training rows",
    "without area",
)
LABEL = "area"
SHOWN = ("accuracy", "roc_auc")


def require_exercise(problem: Problem) -> Problem:
    """Return the problem if it is the exercise's; nothing is read or trained before."""
    if problem.derive != EXERCISE:
        raise DataError(
            f"--pipelines={EXERCISE} repeats the exercise on forest fires, and the problem is '{problem.name}': "
            f"add --env={EXERCISE}, or run --pipelines=mlp"
        )
    return problem


def train_without_area(
    raw: Any,
    split: Split,
    problem: Problem,
    preprocessing: PreprocessingSettings,
    labelled_rows: int | None,
    mlp: MLPSettings,
    finetuning: FinetuningSettings,
    seed: int,
) -> tuple[MLP, TensorData, DataSpec]:
    """Train a network like the exercise's on the same rows without the column that is the label.

    Returns:
        The network, its test rows and their data spec.
    """
    others = tuple(name for name in problem.drop if name != LABEL)
    without_label = problem.model_copy(update={"drop": (*others, LABEL), "allow_leak": False})
    fitted = fit_preprocessor(raw, split, without_label, preprocessing, seed)
    training, validation, test = preprocess_rows(raw, split, fitted)
    columns = fitted.data_spec
    labelled = choose_labelled_rows(training, columns, labelled_rows, seed)
    network, _ = finetune_random_start(labelled, validation, columns, mlp, finetuning, seed, silent=True)
    return network, test, columns


def measure_exercise(
    network: MLP,
    test: TensorData,
    columns: DataSpec,
    other: MLP,
    other_test: TensorData,
    other_columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Measure the network as the exercise does and correctly, and the one without the label's column.

    The exercise calls `fit_transform` on the test rows too, so that they are scaled by their own means; the
    network is the same.

    Returns:
        Metrics by variant.
    """

    def variant_metrics(net: MLP, rows: TensorData, of: DataSpec) -> dict[str, Metric]:
        targets, scores = targets_of(rows, of), scores_of(net, rows, of)
        return compute_metrics(
            of.task, targets, scores, of.class_names, seed=seed, n_bootstrap=settings.bootstrap
        )

    # Scaling scaled rows by their own means is scaling the raw ones: both maps are affine.
    std = test.inputs.std(0, correction=0)
    refitted = test.with_inputs((test.inputs - test.inputs.mean(0)) / std.where(std > 0, std.new_ones(())))
    found = {
        AS_TAUGHT: variant_metrics(network, refitted, columns),
        CORRECT: variant_metrics(network, test, columns),
        WITHOUT_AREA: variant_metrics(other, other_test, other_columns),
    }
    for name, of in found.items():
        report_metrics({f"test/{metric_name(name)}/{each}": m.value for each, m in of.items()})
    return {name: {each: m.model_dump() for each, m in of.items()} for name, of in found.items()}


def plot_accuracies(exercise: dict[str, dict[str, Any]]) -> Figure:
    """Plot accuracy and ROC AUC of the three variants side by side."""
    return plots.plot_metric_comparison(
        _metrics_by_variant(exercise),
        SHOWN,
        title="The exercise as taught, and corrected (dotted: a constant prediction)",
    )


def write_report(raw: pd.DataFrame, exercise: dict[str, dict[str, Any]]) -> str:
    """Write the three accuracies side by side and what follows from them, in Markdown."""
    found = _metrics_by_variant(exercise)
    head = ["variant", *(f"{name} [95 % interval]" for name in SHOWN)]
    rows = [[name, *(str(of[each]) for each in SHOWN)] for name, of in found.items()]
    rows.append(["base rate", *(f"{found[CORRECT][each].base_rate:.4f}" for each in SHOWN)])
    sentences = _conclusions(raw, {name: of["accuracy"] for name, of in found.items()})
    for sentence in sentences:
        log.info(sentence)
    bullets = "\n".join(f"- {sentence}" for sentence in sentences)
    return (
        f"# The forest fires exercise as it is taught\n\n{table(head, rows)}\n\n## Conclusions\n\n{bullets}\n"
    )


def _metrics_by_variant(exercise: dict[str, dict[str, Any]]) -> dict[str, dict[str, Metric]]:
    return {name: {each: Metric(**m) for each, m in of.items()} for name, of in exercise.items()}


def _conclusions(raw: pd.DataFrame, accuracy: dict[str, Metric]) -> list[str]:
    frame = classic_table(raw)
    base = accuracy[CORRECT].base_rate
    return [
        f"The table of the exercise has {frame.shape[1]} columns and {int(frame.isna().sum().sum())} missing values; "
        f"derived from the original, its file has sha256 {hashlib.sha256(classic_csv(raw)).hexdigest()}.",
        "Accuracies: "
        + "; ".join(f"{name} {each}" for name, each in accuracy.items())
        + f"; base rate {base:.4f}.",
        "Refitting the scaler on the test rows is wrong: each row's prediction then depends on the other test rows, "
        "and inputs no longer mean what they meant in training.",
        "`area` is the label in another form (large iff above 6 hectares): what the first two accuracies show is that "
        "the network can read it.",
    ]
