"""The probability that a row is an anomaly, by its score: learnt from validation rows of which it is known."""

from __future__ import annotations

from typing import Self

import numpy as np

from layerwise.evaluation.metrics import Array
from layerwise.utils import Config

# Known anomalies, and other rows, without which a probability would say nothing.
FEWEST_KNOWN_ANOMALIES = 5


class AnomalyProbability(Config):
    """A rising function of the score, by isotonic regression (Zadrozny & Elkan 2002).

    Rows are anomalies as often as among the validation rows: where they are rarer, so is each.

    Args:
        scores: (k,) where the function has its corners, in order.
        probabilities: (k,) its values there; between them it is a line, beyond them constant.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    @classmethod
    def fit(cls, scores: Array, is_anomaly: Array) -> Self:
        """Return the function of lowest squared error among all rising ones.

        None of its values is 0 or 1: p anomalies and n other rows have the targets (p + 1) / (p + 2) and 1 / (n + 2)
        (Platt 1999).

        Args:
            scores: (m,) high for anomalies.
            is_anomaly: (m,) bool, both of them among the rows.
        """
        from sklearn.isotonic import IsotonicRegression

        n_anomalies = int(is_anomaly.sum())
        high, low = (n_anomalies + 1) / (n_anomalies + 2), 1 / (len(scores) - n_anomalies + 2)
        fitted = IsotonicRegression().fit(scores, np.where(is_anomaly, high, low))
        return cls(
            scores=tuple(fitted.X_thresholds_.tolist()), probabilities=tuple(fitted.y_thresholds_.tolist())
        )

    def __call__(self, scores: Array) -> Array:
        """Return the probabilities of scores (n,), (n,)."""
        return np.interp(scores, self.scores, self.probabilities)
