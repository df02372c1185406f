"""The forest fires exercise as it is taught, beside its correction, on the same test rows."""

from __future__ import annotations

import hashlib
import logging

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
from layerwise.evaluation.metrics import (
    LoggedMetrics,
    Metric,
    MetricsByModel,
    NamedMetrics,
    compute_metrics,
)
from layerwise.evaluation.reports import table
from layerwise.models import MLP
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.scores import scores_of, targets_of
from layerwise.pipelines.preprocessing.nodes import choose_labelled_rows
from layerwise.training.supervised import FinetuningSettings, MLPSettings, fit_network, new_network

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
    raw: pd.DataFrame,
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
    labelled = choose_labelled_rows(training, without_label, labelled_rows, seed)
    network = new_network(mlp, columns, finetuning, seed, training)
    fit_network(network, labelled, validation, columns, finetuning, seed, silent=True)
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
) -> tuple[MetricsByModel, LoggedMetrics]:
    """Measure the network as the exercise does and correctly, and the one without the label's column.

    Returns:
        Metrics by variant.
    """
    variants = {
        AS_TAUGHT: (network, _scaled_by_own_means(test), columns),
        CORRECT: (network, test, columns),
        WITHOUT_AREA: (other, other_test, other_columns),
    }
    found = MetricsByModel(
        {name: _metrics(*variant, settings.bootstrap, seed) for name, variant in variants.items()}
    )
    return found, found.logged("test/")


def _scaled_by_own_means(test: TensorData) -> TensorData:
    """Return the test rows as the exercise has them, which calls `fit_transform` on them too.

    Scaling scaled rows by their own means is scaling the raw ones: both maps are affine.
    """
    std = test.inputs.std(0, correction=0)
    return test.with_inputs((test.inputs - test.inputs.mean(0)) / std.where(std > 0, std.new_ones(())))


def _metrics(network: MLP, rows: TensorData, columns: DataSpec, bootstrap: int, seed: int) -> NamedMetrics:
    targets, scores = targets_of(rows, columns), scores_of(network, rows, columns)
    found = compute_metrics(
        columns.task,
        targets,
        scores,
        columns.class_names,
        seed=seed,
        n_bootstrap=bootstrap,
        weights=rows.weights,
    )
    return NamedMetrics(found)


def plot_accuracies(exercise: MetricsByModel) -> Figure:
    """Plot accuracy and ROC AUC of the three variants side by side."""
    return plots.plot_metric_comparison(
        {name: found.root for name, found in exercise.items()},
        SHOWN,
        title="The exercise as taught, and corrected",
    )


def write_report(raw: pd.DataFrame, exercise: MetricsByModel) -> str:
    """Write the three accuracies side by side and what follows from them, in Markdown."""
    head = ["variant", *(f"{name} [95 % interval]" for name in SHOWN)]
    rows = [[name, *(str(found[each]) for each in SHOWN)] for name, found in exercise.items()]
    rows.append(["base rate", *(f"{exercise[CORRECT][each].base_rate:.4f}" for each in SHOWN)])
    sentences = _conclusions(raw, {name: found["accuracy"] for name, found in exercise.items()})
    for sentence in sentences:
        log.info(sentence)
    bullets = "\n".join(f"- {sentence}" for sentence in sentences)
    return (
        f"# The forest fires exercise as it is taught\n\n{table(head, rows)}\n\n## Conclusions\n\n{bullets}\n"
    )


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
