"""Anomaly detection: metrics of a score, an isolation forest as the baseline, synthetic anomalies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerwise.data import DataError, DataSpec, TensorData
from layerwise.data.transforms import column_groups
from layerwise.evaluation.likelihood import importance_weighted_log_prob
from layerwise.evaluation.metrics import as_array, compute_metrics, rank_scores
from layerwise.evaluation.unsupervised.anomalies.density import RowDensity
from layerwise.models.autoencoder import BaseAutoencoder, LatentVariableModel, reconstruction_losses
from layerwise.utils import Config, derive_seed, torch_rng

# The fraction of normal validation rows that a threshold lets through.
THRESHOLD_QUANTILE = 0.95
# What a model's answers go by.
MAIN_SCORE = "density"
# Importance samples of each row's likelihood.
LIKELIHOOD_SAMPLES = 50
# How often a synthetic anomaly that is a real row is drawn anew.
MAX_DRAWS = 50


class DetectionMetrics(Config):
    """The quality of an anomaly score.

    Args:
        auc: the probability that an anomaly scores above a normal row.
        auc_low, auc_high: its 95 % interval.
        average_precision: the mean precision over the anomalies, at the score of each.
        precision_at_n: the fraction of anomalies among the n highest scores, for n anomalies; ties are shared out.
        threshold: the score that 95 % of the normal validation rows stay below.
        recall: the fraction of the anomalies above it.
        false_positive_rate: the fraction of the normal test rows above it.
        n_anomalies: how many test rows are anomalies.
    """

    auc: float
    auc_low: float
    auc_high: float
    average_precision: float
    precision_at_n: float
    threshold: float
    recall: float
    false_positive_rate: float
    n_anomalies: int


class AnomalyReport(Config):
    """How well anomalies are detected.

    Args:
        anomaly: what they are.
        methods: the quality of each score.
        scores: (n,) of the test rows, by the method `score`.
        is_anomaly: (n,) which of them are anomalies.
        score: by which a model names anomalies: the density of latent and reconstruction error.
    """

    anomaly: str
    methods: dict[str, DetectionMetrics]
    scores: tuple[float, ...]
    is_anomaly: tuple[bool, ...]
    score: str

    def metrics(self) -> dict[str, float]:
        """Return the AUC of the main score; and of each the AUC, average precision and precision at n."""
        own = {
            f"anomalies/{method}_{name}": getattr(each, name)
            for method, each in self.methods.items()
            for name in ("auc", "average_precision", "precision_at_n")
        }
        return {"anomaly_auc": self.methods[self.score].auc} | own

    def __str__(self) -> str:
        shown = ", ".join(
            f"{name.replace('_', ' ')} {each.auc:.3f} [{each.auc_low:.3f}, {each.auc_high:.3f}]"
            for name, each in self.methods.items()
        )
        return f"Anomalies ({self.anomaly}): AUC {shown}"


@dataclass(frozen=True)
class AnomalyRows:
    """Normal rows to learn from, and test rows with anomalies among them.

    Args:
        training: (n, d) normal rows.
        validation: (m, d) normal rows.
        test: (k, d).
        is_anomaly: (k,) bool.
        name: what the anomalies are.
    """

    training: Tensor
    validation: Tensor
    test: Tensor
    is_anomaly: Tensor
    name: str


def rows_without_class(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    name: str | None,
    seed: int,
) -> AnomalyRows:
    """Take one class out of the rows to learn from; it is the anomaly among the test rows.

    Where rows have no classes, the anomalies are synthetic: test rows with half their columns from other rows.

    Args:
        training, validation, test: the rows.
        columns: what they are.
        name: of the class; None: the last one.
        seed: of the run.

    Raises:
        DataError: there is no such class.
    """
    if columns.task not in ("multiclass", "binary"):
        if name is not None:
            raise DataError(f"autoencoder.anomaly_class names a class, and a {columns.task} task has none")
        return _with_synthetic_anomalies(training, validation, test, columns, seed)
    name = name or columns.class_names[-1]
    if name not in columns.class_names:
        raise DataError(
            f"autoencoder.anomaly_class: there is no class '{name}'; known: {', '.join(columns.class_names)}"
        )
    is_class = [_classes(part) == columns.class_names.index(name) for part in (training, validation, test)]
    return AnomalyRows(
        training.inputs[~is_class[0]],
        validation.inputs[~is_class[1]],
        test.inputs,
        is_class[2],
        f"class {name}",
    )


def _with_synthetic_anomalies(
    training: TensorData, validation: TensorData, test: TensorData, columns: DataSpec, seed: int
) -> AnomalyRows:
    rng = torch_rng(seed, "anomalies", "planted")
    synthetic = synthetic_anomalies(test.inputs, column_groups(columns.blocks), rng)
    if not len(synthetic):
        raise DataError(
            "rows of a single column have no synthetic anomalies: set autoencoder.downstream_tasks: false"
        )
    return AnomalyRows(
        training.inputs,
        validation.inputs,
        torch.cat([test.inputs, synthetic]),
        torch.arange(len(test) + len(synthetic), device=test.inputs.device) >= len(test),
        "rows with half their columns from other rows",
    )


def _classes(rows: TensorData) -> Tensor:
    assert rows.targets is not None
    return rows.targets.reshape(-1).long()


def evaluate_detector(
    network: BaseAutoencoder, rows: AnomalyRows, columns: DataSpec, seed: int
) -> AnomalyReport:
    """Return how well a network that learnt normal rows detects anomalies, beside an isolation forest.

    Args:
        network: trained on the normal rows. Its scores are the reconstruction's loss, the likelihood if it has one, and
            the density of its latent and error, which is what a model answers by.
        rows: what it learnt, and test rows.
        columns: what the rows are.
        seed: of the run.
    """
    parts = (rows.validation, rows.test)
    device = next(network.parameters()).device
    scores: dict[str, tuple[Any, ...]] = {
        "reconstruction": tuple(reconstruction_losses(network, part) for part in parts)
    }
    if isinstance(network, LatentVariableModel):
        rng = torch_rng(seed, "anomalies", "draws", device=device)
        scores["likelihood"] = tuple(
            -importance_weighted_log_prob(network, part.to(device), LIKELIHOOD_SAMPLES, rng).cpu()
            for part in parts
        )
    density = RowDensity.fit(network, rows.training, columns.image_shape is not None)
    scores[MAIN_SCORE] = tuple(density.scores(network, part) for part in parts)
    scores["isolation_forest"] = isolation_forest_scores(rows.training, rows.validation, rows.test, seed)
    return AnomalyReport(
        anomaly=rows.name,
        methods={
            name: evaluate_detection(known, new, rows.is_anomaly, seed)
            for name, (known, new) in scores.items()
        },
        scores=tuple(scores[MAIN_SCORE][1].tolist()),
        is_anomaly=tuple(rows.is_anomaly.tolist()),
        score=MAIN_SCORE,
    )


def evaluate_detection(
    validation_scores: Any, test_scores: Any, is_anomaly: Any, seed: int = 0, n_bootstrap: int = 1000
) -> DetectionMetrics:
    """Return the metrics of scores, high for anomalies; the threshold comes from normal validation rows alone.

    Args:
        validation_scores: (m,) of normal validation rows.
        test_scores: (n,).
        is_anomaly: (n,) bool.
        seed: of the resamples of the interval.
        n_bootstrap: how many of them, at least 1.
    """
    scores, truth = as_array(test_scores), as_array(is_anomaly).astype(bool)
    threshold = float(np.quantile(as_array(validation_scores), THRESHOLD_QUANTILE))
    above = scores > threshold
    ranks = rank_scores(scores)
    found = compute_metrics("binary", truth.astype(np.float64), ranks, seed=seed, n_bootstrap=n_bootstrap)
    auc = found["roc_auc"]
    assert auc.low is not None
    assert auc.high is not None
    return DetectionMetrics(
        auc=auc.value,
        auc_low=auc.low,
        auc_high=auc.high,
        average_precision=found["average_precision"].value,
        precision_at_n=_precision_at_n(truth, scores),
        threshold=threshold,
        recall=float(above[truth].mean()),
        false_positive_rate=float(above[~truth].mean()),
        n_anomalies=int(truth.sum()),
    )


def _precision_at_n(truth: np.ndarray, scores: np.ndarray) -> float:
    n = int(truth.sum())
    cut = np.sort(scores)[-n]
    higher, tied = scores > cut, scores == cut
    fraction = (n - higher.sum()) / tied.sum()
    return float((truth[higher].sum() + fraction * truth[tied].sum()) / n)


def isolation_forest_scores(training: Any, validation: Any, test: Any, seed: int) -> tuple[Any, Any]:
    """Return an isolation forest's scores of validation and test rows, high for anomalies (Liu et al. 2008)."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=100, random_state=derive_seed(seed, "isolation forest") % 2**32)
    forest.fit(as_array(training))
    return -forest.score_samples(as_array(validation)), -forest.score_samples(as_array(test))


def synthetic_anomalies(rows: Tensor, groups: Tensor, rng: torch.Generator) -> Tensor:
    """Return rows of which some groups of columns, half of them on average, come from another row.

    Each value is normal, the row is not. The other rows are those of a cyclic permutation, in which none is its own.
    What equals its own row or the other one is drawn anew with another partner, and left out where that does not help,
    as with a single group of columns.

    Args:
        rows: (n, d).
        groups: (d,) columns with the same number come from the same row.
        rng: samples the rows and the columns.

    Returns:
        (m, d), m at most n.
    """
    n, n_groups = len(rows), int(groups.max()) + 1
    found = rows.clone()
    wrong = torch.ones(n, dtype=torch.bool, device=rng.device)
    for _ in range(MAX_DRAWS):
        if not bool(wrong.any()) or n < 2:
            break
        order = torch.randperm(n, generator=rng, device=rng.device)
        other_row = torch.empty_like(order)
        other_row[order] = order.roll(1)
        others = rows[other_row]
        is_replaced = torch.rand(n, n_groups, generator=rng, device=rng.device) < 0.5
        mixed = torch.where(is_replaced[:, groups], others, rows)
        found = torch.where(wrong[:, None], mixed, found)
        is_real = (mixed == rows).all(1) | (mixed == others).all(1)
        wrong &= is_real
    return found[~wrong]
