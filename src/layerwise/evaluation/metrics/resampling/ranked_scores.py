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
        self._summed: tuple[Array, Array, Array] | None = None

    @cached_property
    def order(self) -> Array:
        """The rows from the lowest score to the highest."""
        return np.argsort(self.scores, kind="stable")

    @cached_property
    def ordered(self) -> tuple[Array, Array]:
        """The rows of the class and the others, each from the lowest score to the highest."""
        is_positive = self.is_positive[self.order]
        return self.order[is_positive], self.order[~is_positive]

    @property
    def _ordered_scores(self) -> tuple[Array, Array]:
        of_class, others = self.ordered
        return self.scores[of_class], self.scores[others]

    @cached_property
    def negatives_below(self) -> tuple[Array, Array]:
        """For each row of the class in order: how many of the others score lower, and how many lower or the same."""
        positives, negatives = self._ordered_scores
        return np.searchsorted(negatives, positives, "left"), np.searchsorted(negatives, positives, "right")

    @cached_property
    def positives_below(self) -> Array:
        """For each row of the class in order: how many of the class score lower."""
        positives, _ = self._ordered_scores
        return np.searchsorted(positives, positives, "left")

    @cached_property
    def has_influences(self) -> bool:
        """Whether there are rows enough for first order."""
        n_positive = int(self.is_positive.sum())
        return min(n_positive, len(self.is_positive) - n_positive) >= ROWS_FOR_INFLUENCES

    def _sums(self, weights: Array) -> tuple[Array, Array, Array]:
        """Return the weights (b, p) of the class, and sums (b, k + 1) of the first k of the class and of the others.

        They are in order of the scores, and found once for the same weights. The class alone is looked at row by row:
        of the others only sums are needed, which are whole for whole weights, so that their order is all the same.
        """
        if self._summed is None or self._weights is not weights:
            positives, negatives = (np.take(weights, rows, axis=1) for rows in self.ordered)
            self._weights, self._summed = (
                weights,
                (positives, _sums_of_first(positives), _sums_of_first(negatives)),
            )
        return self._summed

    def _of_rows(self, of_positives: Array, of_negatives: Array) -> Array:
        """Return values of the rows of the class and of the others, in order of their scores, as (n,)."""
        found, (positives, negatives) = np.empty(len(self.scores)), self.ordered
        found[positives], found[negatives] = of_positives, of_negatives
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
        positives, first_positives, first_negatives = self._sums(weights)
        wins = np.einsum("bp,bp->b", positives, self._outranked(first_negatives))
        return ratio(wins, first_positives[:, -1] * first_negatives[:, -1])

    def _outranked(self, first_negatives: Array) -> Array:
        """Return the weight (b, p) of the others that each row of the class outranks, half of those of its score."""
        lower, not_higher = self.negatives_below
        outranked = np.take(first_negatives, lower, axis=1)
        if (lower != not_higher).any():
            outranked += np.take(first_negatives, not_higher, axis=1)
            outranked /= 2
        return outranked

    def _influences_on_roc_auc(self, counts: Array) -> Array:
        """Return the derivative of the area by each row's weight, (n,)."""
        _, first_positives, first_negatives = self._sums(counts)
        n_positive, n_negative = first_positives[0, -1], first_negatives[0, -1]
        outranked = self._outranked(first_negatives)[0] / n_negative
        lower, not_higher = (np.searchsorted(*self._ordered_scores, side) for side in ("left", "right"))
        outranks = 1 - (first_positives[0, lower] + first_positives[0, not_higher]) / 2 / n_positive
        area = self._roc_auc(counts)[0]
        return self._of_rows((outranked - area) / n_positive, (outranks - area) / n_negative)

    def _average_precision(self, weights: Array) -> Array:
        positives, first_positives, _ = self._sums(weights)
        true_positives, chosen = self._chosen(weights)
        precision = np.einsum("bp,bp->b", positives, true_positives / np.where(chosen > 0, chosen, 1))
        return ratio(precision, first_positives[:, -1])

    def _chosen(self, weights: Array) -> tuple[Array, Array]:
        """Return the weight (b, p) of the class, and of all rows, that score as each row of the class or higher."""
        _, first_positives, first_negatives = self._sums(weights)
        lower, _ = self.negatives_below
        true_positives = first_positives[:, -1:] - np.take(first_positives, self.positives_below, axis=1)
        return true_positives, true_positives + first_negatives[:, -1:] - np.take(
            first_negatives, lower, axis=1
        )

    def _influences_on_average_precision(self, counts: Array) -> Array:
        """Return the derivative of the average precision by each row's weight, (n,).

        A row counts among the chosen at its own score and at all lower ones: there a positive raises the precision
        TP / chosen by (chosen - TP) / chosen^2, a negative lowers it by TP / chosen^2.
        """
        positives = self._sums(counts)[0]
        true_positives, chosen = self._chosen(counts)
        chosen = np.where(chosen > 0, chosen, 1)
        precision = true_positives / chosen
        raised, lowered = (
            _sums_of_first(positives / chosen)[0],
            _sums_of_first(positives * precision / chosen)[0],
        )
        of_class, of_others = self._ordered_scores
        own, other = (np.searchsorted(of_class, scores, "right") for scores in (of_class, of_others))
        of_positives = precision[0] - self._average_precision(counts)[0] + raised[own] - lowered[own]
        return self._of_rows(of_positives, -lowered[other]) / positives.sum()


def _sums_of_first(weights: Array) -> Array:
    """Return the sums (b, k + 1) of the first none, one, ... and all of k weights, of each line (b, k)."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums
