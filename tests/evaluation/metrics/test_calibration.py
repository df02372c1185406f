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
