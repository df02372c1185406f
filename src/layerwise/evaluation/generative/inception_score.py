"""The inception score of generated images in a classifier of the problem's own (Salimans et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwise.evaluation.metrics import Array, as_array, student_factor

# The paper's number of splits; fewer where a split would have fewer rows than this.
SPLITS, SPLIT_ROWS = 10, 20


@dataclass(frozen=True)
class InceptionScore:
    """The mean score over splits, and its 95 % interval from their spread (Student's t)."""

    mean: float
    low: float
    high: float


def inception_score(probabilities: Any) -> float:
    """Return exp(E KL(p(y|x) || p(y))) of class probabilities (n, k), from 1 to k.

    It is k where each row is surely of one class and all classes are equally frequent, and 1 where all rows have the
    same probabilities.
    """
    p = as_array(probabilities).astype(np.float64)
    return float(np.exp(_entropy(p.mean(0)) - _entropy(p).mean()))


def inception_scores(
    real: Any, generated: Any, rng: np.random.Generator
) -> tuple[InceptionScore, InceptionScore]:
    """Return the scores of real rows and of generated ones, over splits of as many rows of each.

    A split of few rows has a lower score, so that only scores of equal splits can be compared.

    Args:
        real: class probabilities (n, k).
        generated: class probabilities (m, k).
        rng: shuffles both, as rows may stand in the order of their classes.

    Raises:
        ValueError: fewer than two rows of either.
    """
    a, b = as_array(real), as_array(generated)
    n = min(len(a), len(b))
    if n < 2:
        raise ValueError("an inception score needs at least 2 rows of each kind")
    splits = max(2, min(SPLITS, n // SPLIT_ROWS))
    size = n // splits
    a, b = (rows[rng.permutation(len(rows))] for rows in (a, b))
    return _over_splits(a, size, splits), _over_splits(b, size, splits)


def _over_splits(probabilities: Array, size: int, splits: int) -> InceptionScore:
    found = [inception_score(probabilities[k * size : (k + 1) * size]) for k in range(splits)]
    mean = float(np.mean(found))
    half = student_factor(splits) * float(np.std(found, ddof=1)) / splits**0.5
    return InceptionScore(mean, mean - half, mean + half)


def _entropy(p: Array) -> Array:
    """Return the entropy in nats of distributions (..., k); 0 log 0 is 0."""
    return -(p * np.log(np.where(p > 0, p, 1.0))).sum(-1)
