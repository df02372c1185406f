"""The intervals of RMSE, MAE and R2 hold the true values, of long-tailed errors too."""

import numpy as np
import pytest

from layerwise.evaluation.metrics import compute_metrics
from layerwise.evaluation.metrics.regression_intervals import (
    _mean_absolute_error,
    _root_mean_squared_error,
    _unexplained_fraction,
    regression_intervals,
)

# Three standard errors of 300 runs at 95 %. `test_coverage_slow.py` has more kinds of errors.
RUNS, CHANCE = 300, 0.038


@pytest.mark.parametrize(("growth", "least"), [(0.0, 0.95), (0.7, 0.91)])
def test_intervals_of_a_regression_hold_the_true_value_of_long_tailed_errors_too(growth, least):
    rng, n = np.random.default_rng(0), 104

    def rows(n_rows):
        x = rng.normal(size=(n_rows, 1))
        return x + 0.3 * np.exp(growth * x) * rng.normal(size=(n_rows, 1)), x

    everyone = compute_metrics("regression", *rows(500_000), n_bootstrap=0)
    held = dict.fromkeys(("rmse", "mae", "r2"), 0)
    for _ in range(RUNS):
        for name, (low, high) in regression_intervals(*rows(n), np.ones(n)).items():
            held[name] += low <= everyone[name].value <= high
    assert {name: count for name, count in held.items() if count / RUNS < least - CHANCE} == {}


@pytest.mark.parametrize("loss", [_root_mean_squared_error, _mean_absolute_error, _unexplained_fraction])
def test_what_a_row_adds_is_the_derivative_by_its_weight(loss):
    rng = np.random.default_rng(1)
    targets, values, weights = rng.normal(size=(7, 2)), rng.normal(size=(7, 2)), rng.random(7) + 0.5
    added = loss(targets, values, weights)[1]
    for row in range(7):
        ends = [loss(targets, values, weights + sign * 1e-6 * (np.arange(7) == row))[0] for sign in (1, -1)]
        assert added[row] / weights.sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-9)


def test_intervals_are_in_the_units_of_the_target_and_hold_the_value():
    rng = np.random.default_rng(2)
    targets, values, counts = rng.normal(size=(30, 2)), rng.normal(size=(30, 2)), rng.random(30)
    found = regression_intervals(targets, values, counts)
    large = regression_intervals(1000 * targets, 1000 * values, 3 * counts)
    for name, factor in (("rmse", 1000), ("mae", 1000), ("r2", 1)):
        np.testing.assert_allclose(large[name], np.multiply(factor, found[name]), rtol=1e-9)
    metrics = compute_metrics("regression", targets, values, weights=counts)
    for name, (low, high) in found.items():
        assert (metrics[name].low, metrics[name].high) == (low, high)
        assert low < metrics[name].value < high


def test_rows_that_do_not_count_change_nothing():
    rng = np.random.default_rng(3)
    targets, values = rng.normal(size=(20, 1)), rng.normal(size=(20, 1))
    counts = np.r_[np.ones(15), np.zeros(5)]
    values[15:] = 1e6
    expected = regression_intervals(targets[:15], values[:15], np.ones(15))
    assert regression_intervals(targets, values, counts) == expected


def test_a_perfect_regression_and_a_single_row():
    targets = np.arange(5.0)[:, None]
    found = compute_metrics("regression", targets, targets)
    assert (found["rmse"].low, found["rmse"].high, found["r2"].low) == (0, 0, 1)
    alone = compute_metrics("regression", targets[:1], targets[1:2])
    assert alone["rmse"].value == 1
    assert alone["rmse"].low is None
