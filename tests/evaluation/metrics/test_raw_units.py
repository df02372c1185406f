import numpy as np
import pytest

from layerwise.evaluation.metrics import (
    compute_metrics,
    compute_raw_metrics,
    raw_means,
    raw_medians,
    smearing_factors,
)


def lognormal_rows(n, seed, sigma=1.0):
    """Return log(1 + y) and its exact conditional mean."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(2, 0.5, (n, 1))
    return middle + sigma * rng.normal(size=(n, 1)), middle


def test_the_smearing_factor_of_normal_residuals_is_that_of_the_lognormal_mean():
    targets, values = lognormal_rows(200_000, 0)
    assert smearing_factors(targets, values).values == pytest.approx((np.exp(0.5),), rel=0.02)


def test_a_factor_of_one_leaves_the_median():
    values = np.array([[0.5], [2.0]])
    assert raw_means(values, [1.0]) == pytest.approx(raw_medians(values))
    assert raw_medians(values) == pytest.approx(np.expm1(values))
    assert raw_means(values, ()) == pytest.approx(raw_medians(values))


def test_the_mean_is_measured_by_the_squared_error_and_the_median_by_the_absolute_one():
    targets, values = lognormal_rows(20_000, 1)
    factors = smearing_factors(*lognormal_rows(20_000, 2)).values
    found = compute_raw_metrics(targets, values, factors, n_bootstrap=0)
    as_median = compute_metrics("regression", np.expm1(targets), np.expm1(values), n_bootstrap=0)
    as_mean = compute_metrics("regression", np.expm1(targets), raw_means(values, factors), n_bootstrap=0)
    assert found["mae"].value == as_median["mae"].value < as_mean["mae"].value
    assert found["rmse"].value == as_mean["rmse"].value < as_median["rmse"].value
    assert found["r2"].value == as_mean["r2"].value > as_median["r2"].value


def test_each_output_has_a_factor_of_its_own():
    targets = np.array([[1.0, 0], [1, 0]])
    assert smearing_factors(targets, np.zeros((2, 2))).values == pytest.approx((np.e, 1))
