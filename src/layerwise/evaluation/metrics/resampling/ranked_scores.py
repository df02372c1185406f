"""The area under the ROC curve and the average precision as functions of row weights."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from layerwise.evaluation.metrics.arrays import Array, ratio


class RankedScores:
    """One class's rows in order of their score, sorted when they are first ranked."""

    def __init__(self, positive: Array, scores: Array) -> None:
        self.is_positive, self.scores = positive, scores
        self.has_both_classes = bool(positive.any() and not positive.all())
        self._weights: Array | None = None
        self._grouped: tuple[Array, Array] | None = None

    @cached_property
    def order(self) -> Array:
        """The rows from the lowest score to the highest."""
        return np.argsort(self.scores, kind="stable")

    @cached_property
    def positive(self) -> Array:
        """Which of the ordered rows are of the class, as numbers."""
        return self.is_positive[self.order].astype(np.float64)

    @cached_property
    def starts(self) -> Array | None:
        """The first row of every group of equal scores; None when all scores differ."""
        ordered = self.scores[self.order]
        found = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        return None if len(found) == len(ordered) else found

    def _groups(self, weights: Array) -> tuple[Array, Array]:
        """Return the weights of the positives and of the negatives of each score; found once for the same weights."""
        if self._grouped is None or self._weights is not weights:
            ordered = weights[:, self.order]
            positives = ordered * self.positive
            negatives = ordered - positives
            if self.starts is not None:
                positives = np.add.reduceat(positives, self.starts, axis=1)
                negatives = np.add.reduceat(negatives, self.starts, axis=1)
            self._weights, self._grouped = weights, (positives, negatives)
        return self._grouped

    def roc_auc(self, weights: Array) -> Array:
        """Return the area under the ROC curve of each line of weights.

        It is the probability that a positive outranks a negative, ties counted half (Mann-Whitney).
        """
        positives, negatives = self._groups(weights)
        below = np.cumsum(negatives, axis=1)
        wins = np.einsum("bn,bn->b", positives, below - negatives / 2)
        return ratio(wins, positives.sum(1) * negatives.sum(1))

    def average_precision(self, weights: Array) -> Array:
        """Return the precision at each score weighted by the step of recall there, of each line of weights."""
        positives, negatives = self._groups(weights)
        true_positives = np.cumsum(positives[:, ::-1], axis=1)
        chosen = true_positives + np.cumsum(negatives[:, ::-1], axis=1)
        precision = np.einsum("bn,bn->b", positives[:, ::-1], true_positives / np.maximum(chosen, 1))
        return ratio(precision, positives.sum(1))
