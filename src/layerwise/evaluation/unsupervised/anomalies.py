"""Anomaly detection: metrics of a score, an isolation forest as the baseline, synthetic anomalies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerwise.evaluation.metrics import as_array, compute_metrics
from layerwise.utils import derive_seed

# The fraction of normal validation rows that a threshold lets through.
THRESHOLD_QUANTILE = 0.95
MAX_DRAWS = 50


@dataclass(frozen=True)
class DetectionMetrics:
    """The quality of an anomaly score.

    Args:
        auc: the probability that an anomaly scores above a normal row.
        auc_low, auc_high: its 95 % interval.
        average_precision: the mean precision over the anomalies, at the score of each.
        precision_at_n: the fraction of anomalies among the n highest scores, for n anomalies; ties are shared out.
        threshold: the score that 95 % of the normal validation rows stay below.
        recall: the fraction of the anomalies above it.
        false_positive_rate: the fraction of the normal test rows above it.
    """

    auc: float
    auc_low: float
    auc_high: float
    average_precision: float
    precision_at_n: float
    threshold: float
    recall: float
    false_positive_rate: float

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers."""
        return asdict(self)


def evaluate_detection(
    validation_scores: Any, test_scores: Any, is_anomaly: Any, seed: int = 0
) -> DetectionMetrics:
    """Return the metrics of scores, high for anomalies; the threshold comes from normal validation rows alone.

    Args:
        validation_scores: (m,) of normal validation rows.
        test_scores: (n,).
        is_anomaly: (n,) bool.
        seed: of the resamples of the interval.
    """
    from scipy.stats import rankdata

    scores, truth = as_array(test_scores), as_array(is_anomaly).astype(bool)
    threshold = float(np.quantile(as_array(validation_scores), THRESHOLD_QUANTILE))
    above = scores > threshold
    # Ranks are scores from 0 to 1 in the same order, with the same ties.
    ranks = rankdata(scores) / len(scores)
    found = compute_metrics("binary", truth.astype(np.float64), ranks, seed=seed)
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
    )


def _precision_at_n(truth: np.ndarray, scores: np.ndarray) -> float:
    n = int(truth.sum())
    cut = np.sort(scores)[-n]
    higher, tied = scores > cut, scores == cut
    share = (n - higher.sum()) / tied.sum()
    return float((truth[higher].sum() + share * truth[tied].sum()) / n)


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
    wrong = torch.ones(n, dtype=torch.bool)
    for _ in range(MAX_DRAWS):
        if not bool(wrong.any()) or n < 2:
            break
        order = torch.randperm(n, generator=rng)
        other_row = torch.empty_like(order)
        other_row[order] = order.roll(1)
        others = rows[other_row]
        is_replaced = torch.rand(n, n_groups, generator=rng) < 0.5
        mixed = torch.where(is_replaced[:, groups], others, rows)
        found = torch.where(wrong[:, None], mixed, found)
        is_real = (mixed == rows).all(1) | (mixed == others).all(1)
        wrong &= is_real
    return found[~wrong]
