"""Anomaly detection: metrics of a score, an isolation forest as the baseline, synthetic anomalies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerwise.evaluation.metrics import as_array
from layerwise.utils import derive_seed

# The fraction of normal validation rows that a threshold lets through.
THRESHOLD_QUANTILE = 0.95


@dataclass(frozen=True)
class DetectionMetrics:
    """The quality of an anomaly score.

    Args:
        auc: the probability that an anomaly scores above a normal row.
        threshold: the score that 95 % of the normal validation rows stay below.
        recall: the fraction of the anomalies above it.
        false_positive_rate: the fraction of the normal test rows above it.
    """

    auc: float
    threshold: float
    recall: float
    false_positive_rate: float

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers."""
        return asdict(self)


def evaluate_detection(validation_scores: Any, test_scores: Any, is_anomaly: Any) -> DetectionMetrics:
    """Return the metrics of scores, high for anomalies; the threshold comes from normal validation rows alone.

    Args:
        validation_scores: (m,) of normal validation rows.
        test_scores: (n,).
        is_anomaly: (n,) bool.
    """
    from sklearn.metrics import roc_auc_score

    scores, truth = as_array(test_scores), as_array(is_anomaly).astype(bool)
    threshold = float(np.quantile(as_array(validation_scores), THRESHOLD_QUANTILE))
    above = scores > threshold
    return DetectionMetrics(
        float(roc_auc_score(truth, scores)),
        threshold,
        float(above[truth].mean()),
        float(above[~truth].mean()),
    )


def isolation_forest_scores(training: Any, validation: Any, test: Any, seed: int) -> tuple[Any, Any]:
    """Return an isolation forest's scores of validation and test rows, high for anomalies (Liu et al. 2008)."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=100, random_state=derive_seed(seed, "isolation forest") % 2**32)
    forest.fit(as_array(training))
    return -forest.score_samples(as_array(validation)), -forest.score_samples(as_array(test))


def synthetic_anomalies(rows: Tensor, groups: Tensor, rng: torch.Generator) -> Tensor:
    """Return rows of which half the columns come from another row: each value is normal, the row is not.

    Args:
        rows: (n, d).
        groups: (d,) columns with the same number come from the same row.
        rng: samples the rows and the columns.
    """
    others = rows[torch.randperm(len(rows), generator=rng, device=rng.device).roll(1)]
    uniform = torch.rand(len(rows), int(groups.max()) + 1, generator=rng, device=rng.device)
    is_replaced = uniform < 0.5
    return torch.where(is_replaced[:, groups], others, rows)
