import numpy as np
import pytest

from layerwise.data import TargetTransform
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


@pytest.mark.parametrize("kind", ["sqrt", "yeo_johnson", "quantile"])
def test_the_mean_of_any_transform_is_that_over_the_residuals(kind):
    rng = np.random.default_rng(0)
    y = rng.gamma(2.0, 30.0, 20_000)[:, None]
    transform = TargetTransform.fit(kind, y)
    targets = transform.forward(y)
    values = np.full_like(targets, targets.mean())
    smearing = smearing_factors(targets, values, transform=transform)
    means = raw_means(values, smearing.values, transform)
    assert means[0, 0] == pytest.approx(y.mean(), rel=0.02)
    found = compute_raw_metrics(targets, values, smearing.values, n_bootstrap=0, transform=transform)
    assert found["rmse"].value == pytest.approx(y.std(), rel=0.02)
    assert found["mae"].value == pytest.approx(np.abs(y - transform.inverse(values)).mean(), rel=1e-6)


def test_the_mean_of_a_skewed_target_stays_below_the_largest_one():
    rng = np.random.default_rng(3)
    log_median = rng.normal(size=(4000, 1))
    y = np.exp(log_median + rng.normal(size=(4000, 1)))
    transform = TargetTransform.fit("yeo_johnson", y[:2000])
    assert transform.parameters[0][0] < 0
    targets, values = transform.forward(y), transform.forward(np.exp(log_median))
    smearing = smearing_factors(targets[:2000], values[:2000], transform=transform).values
    assert raw_means(values[2000:], smearing, transform).max() <= y[:2000].max()
