"""What is unusual to a network: what its answers are compared with, and how well each class is detected."""

import logging

from matplotlib.figure import Figure
from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation import Segment
from layerwise.evaluation.metrics import LoggedMetrics, Metric
from layerwise.evaluation.plots import plot_segments
from layerwise.evaluation.unsupervised import (
    AnomalyReference,
    ClassAnomalyReport,
    detect_each_class as detect_by_density,
)

log = logging.getLogger(__name__)


def measure_reference(
    network: nn.Module, training: TensorData, validation: TensorData, columns: DataSpec
) -> AnomalyReference:
    """Return the anomaly scores and the errors of the validation rows, and the means of the training rows."""
    return AnomalyReference.of(network.cpu().eval(), training.inputs, validation.inputs, columns)


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


def plot_class_anomalies(class_anomalies: ClassAnomalyReport, columns: DataSpec) -> Figure:
    """Plot the AUC of each class as the anomaly, with its interval."""
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
