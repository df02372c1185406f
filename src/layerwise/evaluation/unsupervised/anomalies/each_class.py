"""Each class in turn as the anomaly, without a network for each of them."""

from __future__ import annotations

from statistics import fmean

import torch
from torch import Tensor, nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.unsupervised.anomalies.density import RowDensity
from layerwise.evaluation.unsupervised.anomalies.detection import DetectionMetrics, evaluate_detection
from layerwise.utils import Config

# Fewer rows of a class, among training, validation or test rows, say nothing of it.
FEWEST_ROWS = 2
# Of the test rows, for the interval of each class.
RESAMPLES = 200
# Each class is one density more, fitted on nearly all rows.
MOST_CLASSES = 20


class ClassAnomalyReport(Config):
    """How well each class is detected among the others, by a density that has not seen it.

    The network itself has learnt from rows of all classes, so that it may know the anomalies' features: the values are
    too good for what has never been seen.

    Args:
        classes: the quality of the score for each class, by its name.
    """

    classes: dict[str, DetectionMetrics]

    def metrics(self) -> dict[str, float]:
        """Return AUC, average precision and precision at n, their means over the classes, and the AUC of each."""
        if not self.classes:
            return {}
        means = {
            f"classes_{name}": fmean(getattr(each, name) for each in self.classes.values())
            for name in ("auc", "average_precision", "precision_at_n")
        }
        return means | {f"class_{name}_auc": each.auc for name, each in self.classes.items()}

    def __str__(self) -> str:
        if not self.classes:
            return "No class is tried as the anomaly: that takes two test rows of it, two rows of others in every part"
        shown = ", ".join(
            f"{name} {each.auc:.3f} [{each.auc_low:.3f}, {each.auc_high:.3f}]"
            for name, each in self.classes.items()
        )
        return (
            "Each class in turn as the anomaly, which the network has seen and the density has not: AUC "
            f"{self.metrics()['classes_auc']:.3f} in the mean ({shown})"
        )


def detect_each_class(
    network: nn.Module,
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    seed: int,
) -> ClassAnomalyReport:
    """Return how well each class is detected by the density of latent and error of the other classes' rows.

    Of more than 20 classes it is the 20 that have the most test rows.

    Args:
        network: with `encode` and `reconstruct`, which has learnt from rows of all classes.
        training, validation, test: rows with their classes.
        columns: what they are.
        seed: of the resamples of the intervals.

    Returns:
        The report; of no class where none has enough rows.
    """
    found, of_images = {}, columns.image_shape is not None
    for code in _classes_to_detect(training, validation, test, columns):
        known, held_out, new = (_is_class(part, code) for part in (training, validation, test))
        density = RowDensity.fit(network, training.inputs[~known], of_images)
        usual, scores = (
            density.scores(network, part) for part in (validation.inputs[~held_out], test.inputs)
        )
        found[columns.class_names[code]] = evaluate_detection(usual, scores, new, seed, RESAMPLES)
    return ClassAnomalyReport(classes=found)


def _classes_to_detect(
    training: TensorData, validation: TensorData, test: TensorData, columns: DataSpec
) -> list[int]:
    """Return the codes of the most frequent classes that have rows enough to be the anomaly, in order."""
    assert test.targets is not None
    rows_by_class = torch.bincount(test.targets.reshape(-1).long(), minlength=len(columns.class_names))
    most = rows_by_class.argsort(descending=True, stable=True)[:MOST_CLASSES]
    found = []
    for code in sorted(most.tolist()):
        known, held_out, new = (_is_class(part, code) for part in (training, validation, test))
        if min(int(each.sum()) for each in (~known, ~held_out, new, ~new)) >= FEWEST_ROWS:
            found.append(code)
    return found


def _is_class(rows: TensorData, code: int) -> Tensor:
    assert rows.targets is not None
    return rows.targets.reshape(-1).long() == code
