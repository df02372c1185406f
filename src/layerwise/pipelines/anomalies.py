"""What is unusual to a network: what its answers are compared with, and how well each class is detected."""

import logging

import torch
from kedro.pipeline import Node
from matplotlib.figure import Figure
from torch import Tensor, nn

from layerwise.data import DataSpec, Problem, TensorData
from layerwise.evaluation import Segment
from layerwise.evaluation.metrics import LoggedMetrics, Metric
from layerwise.evaluation.plots import plot_segments
from layerwise.evaluation.unsupervised import (
    FEWEST_KNOWN_ANOMALIES,
    AnomalyReference,
    ClassAnomalyReport,
    detect_each_class as detect_by_density,
    evaluate_known_anomalies,
)
from layerwise.pipelines.facts import ProblemFacts
from layerwise.pipelines.stage import Stage

log = logging.getLogger(__name__)


def create_reference(pipeline: str, network: str, facts: ProblemFacts) -> list[Node]:
    """Return the nodes that find what a network's answers are compared with, and measure it where anomalies are known.

    Args:
        pipeline: that trains it.
        network: its name there.
        facts: of the problem.
    """
    stage, rows = Stage("evaluation", pipeline), ["training", "validation", "data_spec"]
    if not facts.parameter("problem.anomalies"):
        return [stage.node(measure_reference, [network, *rows], "reference")]
    problem, measured = "params:problem", [network, "reference", "test", "data_spec"]
    return [
        stage.node(
            measure_labelled_reference, [network, *rows, problem], "reference", measure_reference.__name__
        ),
        stage.node(measure_known_anomalies, [*measured, problem, "params:seed"], "metrics_known_anomalies"),
    ]


def measure_reference(
    network: nn.Module, training: TensorData, validation: TensorData, columns: DataSpec
) -> AnomalyReference:
    """Return the anomaly scores and the errors of the validation rows, and the means of the training rows."""
    found = AnomalyReference.of(network.cpu().eval(), training.inputs, validation.inputs, columns)
    _log_imputation(found)
    return found


def measure_labelled_reference(
    network: nn.Module, training: TensorData, validation: TensorData, columns: DataSpec, problem: Problem
) -> AnomalyReference:
    """Return the reference of the rows that are no known anomalies, and by both the probability of being one."""
    normal = training.inputs[~_are_known_anomalies(training, columns, problem)]
    known = _are_known_anomalies(validation, columns, problem)
    found = AnomalyReference.of(network.cpu().eval(), normal, validation.inputs, columns, known)
    if found.probability is None:
        log.warning(
            "problem.anomalies: %d of the %d validation rows are known anomalies, too few for a probability, which "
            "needs %d of either kind",
            int(known.sum()),
            len(known),
            FEWEST_KNOWN_ANOMALIES,
        )
    _log_imputation(found)
    return found


def _log_imputation(reference: AnomalyReference) -> None:
    if not reference.imputation_iterations:
        log.info(
            "impute takes the training means: no reconstruction filled validation rows' masked cells better"
        )


def measure_known_anomalies(
    network: nn.Module,
    reference: AnomalyReference,
    test: TensorData,
    columns: DataSpec,
    problem: Problem,
    seed: int,
) -> LoggedMetrics:
    """Return how well the known anomalies among the test rows are found, and how far their probability is right."""
    known = _are_known_anomalies(test, columns, problem)
    found = evaluate_known_anomalies(network.cpu().eval(), reference, test.inputs, known, columns, seed)
    log.info("Known anomalies: %s", ", ".join(f"{name} {value:.3f}" for name, value in found.items()))
    return LoggedMetrics.of(found, prefix="test/known_anomalies/")


def _are_known_anomalies(rows: TensorData, columns: DataSpec, problem: Problem) -> Tensor:
    """Return which rows are of a class that `problem.anomalies` names, (n,) bool."""
    assert rows.targets is not None
    codes = torch.tensor([columns.class_names.index(name) for name in problem.anomalies])
    return torch.isin(rows.targets.cpu().reshape(-1).long(), codes)


def detect_each_class(
    network: nn.Module,
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    seed: int,
) -> tuple[ClassAnomalyReport, LoggedMetrics]:
    """Return how well each class is detected among the others by a density that has not seen it."""
    found = detect_by_density(network.cpu().eval(), training, validation, test, columns, seed)
    log.info(found)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/anomalies/")


def plot_class_anomalies(class_anomalies: ClassAnomalyReport, columns: DataSpec) -> Figure | list[Figure]:
    """Plot the AUC of each class as the anomaly, with its interval.

    Returns:
        The figure; an empty list, for which its entry writes none, where no class has rows enough.
    """
    if not class_anomalies.classes:
        return []
    segments = [
        Segment(
            column=columns.target_names[0],
            value=name,
            rows=each.n_anomalies,
            metrics={"AUC": Metric(name="AUC", value=each.auc, low=each.auc_low, high=each.auc_high)},
        )
        for name, each in class_anomalies.classes.items()
    ]
    return plot_segments(segments, title="Each class in turn as the anomaly, unseen by the density")
