"""Evaluate a network on the test rows: metrics, baselines, importances and the model card."""

import logging
from dataclasses import replace
from typing import Any

import pandas as pd

from layerwise.data import DataSpec, TensorData, raw_columns
from layerwise.evaluation import SegmentTable
from layerwise.evaluation.metrics import (
    ConformalIntervals,
    DecisionThreshold,
    ImportanceTable,
    LoggedMetrics,
    NamedMetrics,
    SmearingFactors,
    choose_threshold,
    compute_metrics,
    compute_raw_metrics,
    most_sensitive_columns,
    permutation_importance,
    smearing_factors,
)
from layerwise.evaluation.reports import (
    BaselineComparison,
    CrossValidation,
    EvaluationReport,
    Leaderboard,
    MemberStatistics,
    make_model_card,
    make_prediction_table,
    report_sections,
)
from layerwise.evaluation.unsupervised import reconstruction_metrics
from layerwise.models import MLP, Members
from layerwise.models.autoencoder import StackedAutoencoders, reconstruct_rows
from layerwise.models.rbm import DBM, DBN
from layerwise.parameters import EvaluationSettings, used_settings
from layerwise.pipelines.evaluation.scores import (
    HALF,
    means_in_y,
    scores_of,
    targets_in_y,
    targets_of,
)

log = logging.getLogger(__name__)


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
        weights=validation.weights,
    )
    return DecisionThreshold(value=value)


def measure_network(
    scored: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
    threshold: DecisionThreshold = HALF,
) -> NamedMetrics:
    """Measure the network's scores of the test rows."""
    found = compute_metrics(
        columns.task,
        scored.targets,
        scored.inputs,
        columns.class_names,
        threshold=threshold.value,
        seed=seed,
        n_bootstrap=settings.bootstrap,
        weights=scored.weights,
    )
    return NamedMetrics(found)


def measure_calibrated_network(
    scored: TensorData,
    uncalibrated: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
    threshold: DecisionThreshold = HALF,
) -> NamedMetrics:
    """Measure the calibrated network on the test rows, and as `uncalibrated_...` what calibration may change."""
    found = measure_network(scored, columns, settings, seed, threshold)
    before = measure_network(uncalibrated, columns, settings, seed).root
    names: tuple[str, ...] = ("log_loss", "brier", "calibration_error")
    changed = {name: before[name] for name in names if name in before}
    return found.extended(changed, prefix="uncalibrated_")


def estimate_smearing(network: MLP, validation: TensorData, columns: DataSpec) -> SmearingFactors:
    """Estimate on the validation rows by what factors the predicted medians become means."""
    return smearing_factors(
        targets_of(validation, columns),
        scores_of(network, validation, columns),
        validation.weights,
        columns.transform,
    )


def measure_transformed_regression(
    scored: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
    smearing: SmearingFactors,
) -> NamedMetrics:
    """Measure a regression on the transformed targets, and as `raw_...` in the units of the raw ones."""
    found = measure_network(scored, columns, settings, seed)
    raw = compute_raw_metrics(
        scored.targets,
        scored.inputs,
        smearing.values,
        seed=seed,
        n_bootstrap=settings.bootstrap,
        weights=scored.weights,
        transform=columns.transform,
    )
    return found.extended(raw, prefix="raw_")


def measure_members(
    members: Members,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
) -> MemberStatistics:
    """Measure every network of a stack on the test rows: mean and standard deviation of each metric.

    Each has a threshold of its own, as it would have alone.
    """
    targets, found = targets_of(test, columns), []
    for network in (members.member(k) for k in range(len(members))):
        binary = columns.task == "binary"
        threshold = choose_decision_threshold(network, validation, columns, settings) if binary else HALF
        options: dict[str, Any] = {"threshold": threshold.value, "n_bootstrap": 0, "weights": test.weights}
        scores = scores_of(network, test, columns)
        found.append(compute_metrics(columns.task, targets, scores, columns.class_names, **options))
    return MemberStatistics.of(found)


def summarize_evaluation(
    network: NamedMetrics,
    threshold: DecisionThreshold = HALF,
    baselines: BaselineComparison | None = None,
    members: MemberStatistics | None = None,
    smearing: SmearingFactors | None = None,
    segments: SegmentTable | None = None,
    importance: ImportanceTable | None = None,
    intervals: ConformalIntervals | None = None,
) -> tuple[EvaluationReport, LoggedMetrics]:
    """Put what was measured into one report with its conclusions, and into the metrics of the run."""
    report = EvaluationReport.of(network, threshold.value, baselines, members, smearing, segments, intervals)
    if importance is not None:
        report = report.model_copy(update={"importance": importance})
    for sentence in report.conclusions:
        log.warning(sentence)
    for sentence in report.notes:
        log.info(sentence)
    return report, report.logged()


def predict_test_rows(
    scored: TensorData, columns: DataSpec, threshold: DecisionThreshold = HALF
) -> pd.DataFrame:
    """Return targets, predictions and probabilities of the test rows, in their order."""
    assert scored.targets is not None
    return make_prediction_table(columns, scored.targets, scored.inputs, threshold.value)


def measure_stack(stack: DBN | DBM | StackedAutoencoders, test: TensorData) -> LoggedMetrics:
    """Measure how well the pretrained stack reconstructs the test rows."""
    reconstruction = reconstruct_rows(stack, test.inputs)
    found = reconstruction_metrics(test.inputs, reconstruction, bounded=stack.visible_units.binary)
    return LoggedMetrics.of(found, prefix="test/")


def measure_importance(
    network: MLP,
    test: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
    smearing: SmearingFactors | None = None,
) -> ImportanceTable:
    """Measure by how much the metric of the test rows gets worse when each raw column is shuffled, in its own unit.

    Of many columns those are shuffled that the network's outputs change most with.
    """
    chosen = most_sensitive_columns(network, test, columns, seed)
    if len(chosen) < len(raw_columns(columns.blocks)):
        log.info("Importance: the %d columns are shuffled that the outputs change most with", len(chosen))
    factors = () if smearing is None else smearing.values
    found = permutation_importance(
        lambda inputs: means_in_y(scores_of(network, TensorData(inputs), columns), columns, factors),
        replace(test, targets=targets_in_y(targets_of(test, columns), columns)),
        columns,
        n_repeats=settings.importance_repeats,
        seed=seed,
        n_bootstrap=min(settings.bootstrap, 200),
        among=chosen,
    )
    return ImportanceTable(tuple(found))


def write_model_card(report: EvaluationReport, columns: DataSpec, **parameters: Any) -> str:
    """Write the model card: the network's data, metrics, baselines, limitations and parameters by their keys."""
    return _model_card(report, columns, parameters, [])


def write_model_card_with_folds(
    report: EvaluationReport, columns: DataSpec, folds: CrossValidation, **parameters: Any
) -> str:
    """Write the model card with the means and intervals of a cross-validation."""
    return _model_card(report, columns, parameters, [folds.section()])


def write_model_card_with_standing(
    model: str, report: EvaluationReport, columns: DataSpec, leaderboard: Leaderboard, **parameters: Any
) -> str:
    """Write the model card with the means and intervals of a comparison's folds."""
    return _model_card(report, columns, parameters, [leaderboard.section(model)])


def _model_card(
    report: EvaluationReport, columns: DataSpec, parameters: dict[str, Any], further: list[str]
) -> str:
    plain = {name: used_settings(value, columns) for name, value in parameters.items()}
    notes = [*columns.notes, *report.notes]
    if report.threshold != 0.5:
        notes.append(
            f"A row is predicted positive from {report.threshold:.4f} on, chosen on the validation rows."
        )
    if parameters.get("refit"):
        notes.append(
            "The network that is registered was trained anew on all rows, the test rows among them, after these "
            "results: they are of the network before."
        )
    if report.intervals is not None:
        kinds = {"prediction": "split conformal", "quantiles": "conformalized quantile regression"}
        notes.append(
            f"Each prediction has an interval that holds {100 * report.intervals.coverage:g} % of new rows of the same "
            f"kind ({kinds[report.intervals.around]}, on the validation rows)."
        )
    baselines = {name: found.root for name, found in report.baselines.items()}
    conclusions, sections = report.conclusions, [*report_sections(report), *further]
    return make_model_card(
        columns, plain, report.network.root, baselines, notes, conclusions=conclusions, sections=sections
    )
