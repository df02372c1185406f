"""The calibration error, what it is of scores that are perfectly calibrated, and its confidence interval.

The error sums absolute gaps between outcome and confidence over bins, and each gap has noise: a calibrated model never
gets 0 (Kumar, Liang & Ma 2019; Roelofs et al. 2022). So the error says something only beside what it would be if every
outcome were drawn from its own score.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array
from layerwise.evaluation.metrics.resampling import Resamples

CALIBRATION_BINS = 15
# Redraws x scores, about half a second's work.
REDRAW_WORK = 2e7
MIN_REDRAWS = 200
# Of so large a variance a sum of outcomes is normal (Berry-Esseen: to .02).
SUMMED_VARIANCE = 1000
# The interval: how many times the gaps that were found the true ones may be, and draws of their noise.
GAP_FACTORS = np.linspace(0, 3, 61)
NOISE_DRAWS = 2000
# Rows x bins of float64 are 30 MB then.
GAPS_IN_A_MATRIX = 250_000


def confidence_and_outcome(task: Task, truth: Array, scores: Array) -> tuple[Array, Array]:
    """Return confidences and outcomes (n, k): of the highest score for multiclass (k = 1), else of each column."""
    if task == "multiclass":
        return scores.max(1, keepdims=True), truth[np.arange(len(truth)), scores.argmax(1)][:, None]
    return scores, truth


def calibration_bin(confidence: Array) -> Array:
    """Return the equal-width bin of each confidence, its shape (Naeini et al. 2015)."""
    return np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)


def calibration_gaps(confidence: Array, outcome: Array) -> Array:
    """Return outcome minus confidence of each row (n, bins), in the column of its bin."""
    bins = calibration_bin(confidence)
    gaps = np.zeros((len(confidence), CALIBRATION_BINS))
    for column in range(confidence.shape[1]):
        gaps[np.arange(len(gaps)), bins[:, column]] += outcome[:, column] - confidence[:, column]
    return gaps


def _needs_no_matrix(confidence: Array) -> bool:
    return confidence.shape[1] == 1 and len(confidence) > GAPS_IN_A_MATRIX


def summed_gaps(confidence: Array, outcome: Array) -> Callable[[Array | Resamples], Array]:
    """Return what sums the gaps of each bin by the weights of rows: (b, n) to (b, bins).

    The gaps of many rows are summed bin by bin, as the matrix of them would be the largest thing of a run; of others
    they are one matrix product.
    """
    if not _needs_no_matrix(confidence):
        gaps = calibration_gaps(confidence, outcome)
        return lambda weights: weights @ gaps
    bins, residual = calibration_bin(confidence[:, 0]), outcome[:, 0] - confidence[:, 0]
    return lambda weights: np.stack(
        [weights @ np.where(bins == k, residual, 0.0) for k in range(CALIBRATION_BINS)], axis=1
    )


def errors_if_calibrated(confidence: Array, n_redraws: int, rng: np.random.Generator) -> Array:
    """Return calibration errors of the same scores with outcomes drawn from them, (redraws,), at least 200.

    The outcomes of a bin whose sum has a variance of at least 1,000 are drawn as their sum, which is normal then.

    Args:
        confidence: (n, k).
        n_redraws: wanted; many scores get fewer.
        rng: draws the outcomes, those of a row independently.
    """
    flat = confidence.reshape(-1)
    bins = calibration_bin(flat)
    variances = np.bincount(bins, flat * (1 - flat), CALIBRATION_BINS)
    is_summed = variances >= SUMMED_VARIANCE
    is_drawn = ~is_summed[bins]
    n_drawn = max(1, int(is_drawn.sum()))
    n_redraws = int(min(n_redraws, max(MIN_REDRAWS, REDRAW_WORK / n_drawn)))
    sums = rng.standard_normal((n_redraws, int(is_summed.sum()))) * np.sqrt(variances[is_summed])
    errors = np.abs(sums).sum(1)
    if is_drawn.any():
        errors += _drawn_gaps(flat[is_drawn], bins[is_drawn], n_redraws, rng)
    return errors / len(flat)


def _drawn_gaps(confidence: Array, bins: Array, n_redraws: int, rng: np.random.Generator) -> Array:
    """Return the absolute gaps of the bins, summed, of outcomes drawn one by one, (redraws,)."""
    order = np.argsort(bins, kind="stable")
    ordered, starts = confidence[order], np.unique(bins[order], return_index=True)[1]
    chunk = max(1, 1_000_000 // len(ordered))
    gaps = []
    for start in range(0, n_redraws, chunk):
        outcomes = rng.random((min(chunk, n_redraws - start), len(ordered))) < ordered
        gaps.append(np.abs(np.add.reduceat(outcomes - ordered, starts, axis=1)).sum(1))
    return np.concatenate(gaps)


def calibration_interval(
    confidence: Array, outcome: Array, if_calibrated: Array, rng: np.random.Generator
) -> tuple[float, float]:
    """Return a 95 % confidence interval of the error that endless rows would have.

    It inverts a test: a true error is inside if, with the gaps that were found times a factor, an error as low and one
    as high as the one found are likely enough. Its lower end is 0 for what calibrated scores get too. By simulation it
    covers 91 to 100 % of the true errors at 100 to 400 rows.

    Args:
        confidence: (n, k).
        outcome: (n, k) zeros and ones.
        if_calibrated: (redraws,) of `errors_if_calibrated`.
        rng: draws the noise of the gaps.
    """
    flat, bins = confidence.reshape(-1), calibration_bin(confidence.reshape(-1))

    def by_bin(values: Array) -> Array:
        return np.bincount(bins, values, CALIBRATION_BINS)

    n, counts = len(flat), np.bincount(bins, minlength=CALIBRATION_BINS)
    residual = outcome.reshape(-1) - flat
    found = float(np.abs(by_bin(residual)).sum() / n)
    gap = by_bin(residual) / np.maximum(counts, 1)
    # The outcomes of one row's labels may go together, and then they are fewer than they look.
    spread = float((residual**2).sum())  # 0 where each score is certain and right
    # With one gap a row it is the same sum.
    is_same = _needs_no_matrix(confidence)
    of_rows = spread if is_same else float((calibration_gaps(confidence, outcome) ** 2).sum())
    inflation = max(1.0, of_rows / spread) if spread else 1.0
    noise = rng.standard_normal((NOISE_DRAWS, CALIBRATION_BINS))
    true, as_high, as_low = [], [], []
    for factor in GAP_FACTORS:
        probability = np.clip(flat + factor * gap[bins], 0, 1)
        mean = by_bin(probability - flat)
        variance = inflation * by_bin(probability * (1 - probability))
        # The number of rows in a bin varies as well.
        variance += (mean / np.maximum(counts, 1)) ** 2 * counts * (1 - counts / n)
        errors = np.abs(mean + np.sqrt(variance) * noise).sum(1) / n
        true.append(float(np.abs(mean).sum() / n))
        as_high.append(float((errors >= found).mean()))
        as_low.append(float((errors <= found).mean()))
    low = 0.0
    if (if_calibrated >= found).mean() < 0.025 and as_high[0] < 0.025:
        low = float(np.interp(0.025, np.maximum.accumulate(as_high), true))
    high = float(np.interp(-0.025, -np.minimum.accumulate(as_low), true))
    return min(low, found), max(high, found)
