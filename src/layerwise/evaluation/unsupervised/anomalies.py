"""Rows unlike those that were learnt: how well a score tells them from the others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerwise.evaluation.metrics.arrays import as_array
from layerwise.utils.random_streams import seed_for

# The share of normal validation rows that a threshold lets through.
NORMAL_SHARE = 0.95


@dataclass(frozen=True)
class Detection:
    """How a score does.

    Args:
        auc: the probability that an anomaly scores above a normal row.
        threshold: the score that 95 % of the normal validation rows stay below.
        found: the share of the anomalies above it.
        false_alarms: the share of the normal test rows above it.
    """

    auc: float
    threshold: float
    found: float
    false_alarms: float

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers."""
        return asdict(self)


def detection(validation_scores: Any, test_scores: Any, is_anomaly: Any) -> Detection:
    """Judge scores, high for anomalies; the threshold is of normal validation rows alone.

    Args:
        validation_scores: (m,) of normal validation rows.
        test_scores: (n,).
        is_anomaly: (n,) bool.
    """
    from sklearn.metrics import roc_auc_score

    scores, truth = as_array(test_scores), as_array(is_anomaly).astype(bool)
    threshold = float(np.quantile(as_array(validation_scores), NORMAL_SHARE))
    above = scores > threshold
    return Detection(
        float(roc_auc_score(truth, scores)),
        threshold,
        float(above[truth].mean()),
        float(above[~truth].mean()),
    )


def isolation_forest_scores(training: Any, validation: Any, test: Any, seed: int) -> tuple[Any, Any]:
    """Return an isolation forest's scores of validation and test rows, high for anomalies (Liu et al. 2008)."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=100, random_state=seed_for(seed, "isolation forest") % 2**32)
    forest.fit(as_array(training))
    return -forest.score_samples(as_array(validation)), -forest.score_samples(as_array(test))


def planted_anomalies(rows: Tensor, groups: Tensor, generator: torch.Generator) -> Tensor:
    """Return rows of which half the columns come from another row: each value is usual, the row is not.

    Args:
        rows: (n, d).
        groups: (d,) columns of one number stay together.
        generator: draws which.
    """
    others = rows[torch.randperm(len(rows), generator=generator).roll(1)]
    taken = torch.rand(len(rows), int(groups.max()) + 1, generator=generator) < 0.5
    return torch.where(taken[:, groups], others, rows)
