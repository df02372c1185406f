"""Evaluate a network on the test rows: metrics, baselines, importances and the model card."""

import logging
from typing import Any

import pandas as pd
import torch

from layerwise.data import DataSpec, TensorData
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.evaluation.metrics import (
    DecisionThreshold,
    ImportanceTable,
    LoggedMetrics,
    MetricsByModel,
    NamedMetrics,
    choose_threshold,
    compute_metrics,
    fit_baselines,
    permutation_importance,
)
from layerwise.evaluation.reports import (
    EvaluationReport,
    MemberStatistics,
    make_model_card,
    make_prediction_table,
)
from layerwise.evaluation.unsupervised import reconstruction_metrics
from layerwise.models import MLP, Members
from layerwise.models.autoencoder import StackedAutoencoders
from layerwise.models.rbm import DBN
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.scores import BATCH_SIZE, raw_values, scores_of, targets_of
from layerwise.training.supervised import probabilities

log = logging.getLogger(__name__)

HALF = DecisionThreshold(value=0.5)


def choose_decision_threshold(
    network: MLP, validation: TensorData, columns: DataSpec, settings: EvaluationSettings
) -> DecisionThreshold:
    """Choose on the validation rows from which score a row of a binary task is predicted positive."""
    if settings.threshold == "half":
        return HALF
    value = choose_threshold(
        targets_of(validation, columns),
        scores_of(network, validation, columns),
        settings.threshold,
        false_positive_cost=settings.false_positive_cost,
        false_negative_cost=settings.false_negative_cost,
    )
    return DecisionThreshold(value=value)


def measure_network(
    network: MLP,
    test: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
    threshold: DecisionThreshold = HALF,
) -> NamedMetrics:
    """Measure the network on the test rows."""
    found = compute_metrics(
        columns.task,
        targets_of(test, columns),
        scores_of(network, test, columns),
        columns.class_names,
        threshold=threshold.value,
        seed=seed,
        n_bootstrap=settings.bootstrap,
    )
    return NamedMetrics(found)


def measure_transformed_regression(
    network: MLP,
    test: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
    preprocessor: LabelledPreprocessor,
) -> NamedMetrics:
    """Measure a regression on the transformed targets, and as `raw_...` in the units of the raw ones."""
    found = measure_network(network, test, columns, settings, seed)
    targets, values = raw_values(network, test, preprocessor)
    raw = compute_metrics("regression", targets, values, seed=seed, n_bootstrap=settings.bootstrap)
    return found.extended(raw, prefix="raw_")


def train_baselines(labelled: TensorData, test: TensorData, columns: DataSpec, seed: int) -> MetricsByModel:
    """Train the baselines on the labelled rows, and measure them on the test rows."""
    rows = [TensorData(part.inputs, targets_of(part, columns)) for part in (labelled, test)]
    found = fit_baselines(rows[0], rows[1], columns.task, n_outputs=columns.n_outputs, seed=seed)
    return MetricsByModel.model_validate(found)


def measure_members(
    members: Members, test: TensorData, columns: DataSpec, threshold: DecisionThreshold = HALF
) -> MemberStatistics:
    """Measure every network of a stack on the test rows: mean and standard deviation of each metric."""
    targets = targets_of(test, columns)
    each = [scores_of(members.member(k), test, columns) for k in range(len(members))]
    options: dict[str, Any] = {"threshold": threshold.value, "n_bootstrap": 0}
    return MemberStatistics.of(
        [compute_metrics(columns.task, targets, scores, columns.class_names, **options) for scores in each]
    )


def summarize_evaluation(
    network: NamedMetrics,
    threshold: DecisionThreshold = HALF,
    baselines: MetricsByModel | None = None,
    members: MemberStatistics | None = None,
) -> tuple[EvaluationReport, LoggedMetrics]:
    """Put what was measured into one report with its conclusions, and into the metrics of the run."""
    report = EvaluationReport.of(network, threshold.value, baselines, members)
    for sentence in report.conclusions:
        log.warning(sentence)
    for sentence in report.notes:
        log.info(sentence)
    return report, report.logged()


def predict_test_rows(
    network: MLP, test: TensorData, columns: DataSpec, threshold: DecisionThreshold = HALF
) -> pd.DataFrame:
    """Return targets, predictions and probabilities of the test rows, in their order."""
    targets, scores = targets_of(test, columns), scores_of(network, test, columns)
    return make_prediction_table(columns, targets, scores, threshold.value)


def measure_stack(stack: DBN | StackedAutoencoders, test: TensorData) -> LoggedMetrics:
    """Measure how well the pretrained stack reconstructs the test rows."""
    reconstruction = torch.cat([stack.reconstruct(part) for part in test.inputs.split(BATCH_SIZE)])
    found = reconstruction_metrics(test.inputs, reconstruction, bounded=stack.visible_units.binary)
    return LoggedMetrics.of(found, prefix="test/")


def measure_importance(
    network: MLP, validation: TensorData, columns: DataSpec, settings: EvaluationSettings, seed: int
) -> ImportanceTable:
    """Measure each column's permutation importance on the validation rows."""
    found = permutation_importance(
        lambda inputs: probabilities(columns.task, network(inputs)).detach(),
        validation,
        columns,
        n_repeats=settings.importance_repeats,
        seed=seed,
    )
    return ImportanceTable(tuple(found))


def write_model_card(report: EvaluationReport, columns: DataSpec, parameters: dict[str, Any]) -> str:
    """Write the model card: the network's data, metrics, baselines, limitations and parameters."""
    plain = {
        name: value.model_dump(mode="json") if hasattr(value, "model_dump") else value
        for name, value in parameters.items()
    }
    notes = [*columns.notes, *report.notes]
    if report.threshold != 0.5:
        notes.append(
            f"A row is predicted positive from {report.threshold:.4f} on, chosen on the validation rows."
        )
    baselines = {name: found.root for name, found in report.baselines.items()}
    return make_model_card(columns, plain, report.network.root, baselines, notes)
