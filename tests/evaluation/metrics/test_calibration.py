"""The calibration error is the same however its gaps are summed."""

import numpy as np
import pytest

from layerwise.evaluation.metrics import calibration, compute_metrics


def test_the_calibration_error_of_many_rows_is_that_of_a_matrix_of_gaps(monkeypatch):
    rng = np.random.default_rng(3)
    scores = rng.random((400, 1))
    targets = (rng.random((400, 1)) < scores**2).astype(float)
    few = compute_metrics("binary", targets, scores, n_bootstrap=50)["calibration_error"]
    monkeypatch.setattr(calibration, "GAPS_IN_A_MATRIX", 100)
    many = compute_metrics("binary", targets, scores, n_bootstrap=50)["calibration_error"]
    bins = np.minimum((scores * 15).astype(int), 14)
    expected = sum(abs((targets - scores)[bins == k].sum()) for k in range(15)) / 400
    for found in (few, many):
        assert found.value == pytest.approx(expected, abs=1e-14)
    assert (many.low, many.high) == pytest.approx((few.low, few.high), abs=1e-12)


def test_outcomes_drawn_as_sums_spread_as_those_drawn_one_by_one(monkeypatch):
    confidence = np.random.default_rng(4).beta(0.5, 2, (40_000, 1))  # some bins of each kind
    found = {}
    for variance in (1000, np.inf):
        monkeypatch.setattr(calibration, "SUMMED_VARIANCE", variance)
        errors = calibration.errors_if_calibrated(confidence, 1500, np.random.default_rng(5))
        found[variance] = [errors.mean(), errors.std(), np.quantile(errors, 0.95)]
        # The mean of an absolute normal is sqrt(2 / pi) standard deviations.
        bins = np.minimum((confidence[:, 0] * 15).astype(int), 14)
        spread = np.sqrt(np.bincount(bins, (confidence * (1 - confidence))[:, 0]))
        assert errors.mean() == pytest.approx(np.sqrt(2 / np.pi) * spread.sum() / 40_000, rel=0.02)
    assert found[1000] == pytest.approx(found[np.inf], rel=0.05)
