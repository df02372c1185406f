"""The area under the ROC curve and the average precision as functions of row weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from layerwise.evaluation.metrics.arrays import Array, ratio
from layerwise.evaluation.metrics.resampling.resamples import Resamples

# Of at least so many rows of a class and of the others, resamples are told by what each row adds.
ROWS_FOR_INFLUENCES = 1000


class RankedScores:
    """One class's rows in order of their score, sorted when they are first ranked.

    Resamples of many rows are not ranked anew: to first order a resample's value is the sum of what each row adds, its
    empirical influence (Efron 1982; of the area it is the placement of DeLong, DeLong & Clarke-Pearson 1988). What is
    left out falls with the number of rows of the rarer class, the spread of the resamples with its root.
    """

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

    @cached_property
    def has_influences(self) -> bool:
        """Whether there are rows enough for first order."""
        n_positive = int(self.is_positive.sum())
        return min(n_positive, len(self.is_positive) - n_positive) >= ROWS_FOR_INFLUENCES

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

    def _of_rows(self, of_groups: Array) -> Array:
        """Return a value of each score (scores,) for each row (n,)."""
        of_ordered = of_groups
        if self.starts is not None:
            of_ordered = np.repeat(of_groups, np.diff(np.r_[self.starts, len(self.order)]))
        found = np.empty(len(self.order))
        found[self.order] = of_ordered
        return found

    def roc_auc(self, weights: Array | Resamples) -> Array:
        """Return the area under the ROC curve of each line of weights (b, n), (b,).

        It is the probability that a positive outranks a negative, ties counted half (Mann-Whitney).
        """
        return self._values(weights, self._roc_auc, self._influences_on_roc_auc)

    def average_precision(self, weights: Array | Resamples) -> Array:
        """Return the precision at each score weighted by the step of recall there, of each line of weights, (b,)."""
        return self._values(weights, self._average_precision, self._influences_on_average_precision)

    def _values(
        self,
        weights: Array | Resamples,
        value: Callable[[Array], Array],
        influences: Callable[[Array], Array],
    ) -> Array:
        if not isinstance(weights, Resamples):
            return value(weights)
        if not self.has_influences:
            return np.concatenate([value(rows) for rows in weights.in_parts()])
        counts = weights.counts[None]
        # A value is the same for all weights times a number, so that influences times counts add up to 0.
        share = weights.counts.sum() / weights.sum(1)
        return value(counts) + share * (weights @ influences(counts))

    def _roc_auc(self, weights: Array) -> Array:
        positives, negatives = self._groups(weights)
        below = np.cumsum(negatives, axis=1)
        wins = np.einsum("bn,bn->b", positives, below - negatives / 2)
        return ratio(wins, positives.sum(1) * negatives.sum(1))

    def _influences_on_roc_auc(self, counts: Array) -> Array:
        """Return the derivative of the area by each row's weight, (n,)."""
        positives, negatives = (each[0] for each in self._groups(counts))
        n_positive, n_negative = positives.sum(), negatives.sum()
        outranked = (np.cumsum(negatives) - negatives / 2) / n_negative
        outranks = 1 - (np.cumsum(positives) - positives / 2) / n_positive
        area = self._roc_auc(counts)[0]
        of_positives, of_negatives = (outranked - area) / n_positive, (outranks - area) / n_negative
        return np.where(self.is_positive, self._of_rows(of_positives), self._of_rows(of_negatives))

    def _average_precision(self, weights: Array) -> Array:
        positives, negatives = self._groups(weights)
        true_positives = np.cumsum(positives[:, ::-1], axis=1)
        chosen = true_positives + np.cumsum(negatives[:, ::-1], axis=1)
        precision = np.einsum(
            "bn,bn->b", positives[:, ::-1], true_positives / np.where(chosen > 0, chosen, 1)
        )
        return ratio(precision, positives.sum(1))

    def _influences_on_average_precision(self, counts: Array) -> Array:
        """Return the derivative of the average precision by each row's weight, (n,).

        A row counts among the chosen at its own score and at all lower ones: there a positive raises the precision
        TP / chosen by (chosen - TP) / chosen^2, a negative lowers it by TP / chosen^2.
        """
        positives, negatives = (each[0] for each in self._groups(counts))
        true_positives = np.cumsum(positives[::-1])[::-1]
        chosen = true_positives + np.cumsum(negatives[::-1])[::-1]
        chosen = np.where(chosen > 0, chosen, 1)
        precision = true_positives / chosen
        raised, lowered = np.cumsum(positives / chosen), np.cumsum(positives * precision / chosen)
        own = precision - self._average_precision(counts)[0] + raised
        of_all = self._of_rows(-lowered)
        return (of_all + np.where(self.is_positive, self._of_rows(own), 0)) / positives.sum()
