import numpy as np
import pytest
from scipy.stats import binomtest

from layerwise.evaluation.metrics import (
    compute_metrics,
    errors_if_calibrated,
    paired_difference,
    wilson_interval,
)


@pytest.mark.parametrize(("right", "n"), [(104, 104), (97, 104), (0, 7), (3, 7)])
def test_the_interval_of_the_accuracy_is_wilsons(right, n):
    targets = np.ones(n)
    scores = np.where(np.arange(n) < right, 0.9, 0.1)
    found = compute_metrics("binary", targets, scores, n_bootstrap=20)
    exact = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert (found["accuracy"].low, found["accuracy"].high) == pytest.approx((exact.low, exact.high))
    assert (found["error"].low, found["error"].high) == pytest.approx((1 - exact.high, 1 - exact.low))


def test_wilsons_interval_takes_arrays():
    low, high = wilson_interval([0.5, 1.0], [10, 20])
    exact = [binomtest(k, n).proportion_ci(method="wilson") for k, n in ((5, 10), (20, 20))]
    assert low == pytest.approx([each.low for each in exact])
    assert high == pytest.approx([each.high for each in exact])


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_a_perfect_metric_is_not_certain(task):
    targets = np.arange(104) % 2
    if task == "multilabel":
        targets = np.stack([targets, 1 - targets], 1)
    scores = 0.1 + 0.8 * (np.eye(2)[targets] if task == "multiclass" else targets)
    found = compute_metrics(task, targets, scores, n_bootstrap=200)
    for name in ("accuracy", "balanced_accuracy", "f1", "roc_auc", "average_precision"):
        metric = found[name]
        assert metric.value == metric.high == 1, name
        # At least as wide as that of 104 rows, at most as that of the 52 of a class.
        assert wilson_interval(1, 52)[0] <= metric.low + 1e-12, name
        assert metric.low <= wilson_interval(1, 104)[0] + 1e-12, name


def test_calibrated_scores_get_the_error_that_they_would_have_if_calibrated():
    rng = np.random.default_rng(0)
    below = holds_zero = 0
    for _ in range(100):
        scores = rng.beta(2, 2, 200)
        targets = (rng.random(200) < scores).astype(float)
        found = compute_metrics("binary", targets, scores, n_bootstrap=200)["calibration_error"]
        below += found.value <= found.calibrated_high
        holds_zero += found.low == 0
    assert found.calibrated_mean == pytest.approx(0.08, abs=0.015)
    # 95 of 100 within three standard errors.
    assert below >= 88
    assert holds_zero >= 90


def test_miscalibrated_scores_lie_beyond_what_calibrated_ones_get():
    rng = np.random.default_rng(0)
    scores = rng.beta(2, 2, 2000)
    found = compute_metrics("binary", (rng.random(2000) < scores**2).astype(float), scores)[
        "calibration_error"
    ]
    assert found.low > found.calibrated_high
    assert found.low < found.value < found.high


def test_the_error_if_calibrated_of_one_score_is_the_mean_deviation_of_a_binomial():
    from scipy.stats import binom

    k = np.arange(51)
    exact = (binom.pmf(k, 50, 0.3) * np.abs(k / 50 - 0.3)).sum()
    errors = errors_if_calibrated(np.full((50, 1), 0.3), 20_000, np.random.default_rng(0))
    assert errors.mean() == pytest.approx(exact, rel=0.02)


def test_the_text_of_a_calibration_error_says_what_a_calibrated_one_would_be():
    targets, scores = np.arange(50) % 2, np.full(50, 0.4)
    assert "if calibrated: mean" in str(
        compute_metrics("binary", targets, scores, n_bootstrap=50)["calibration_error"]
    )


def test_a_paired_difference_is_that_of_the_metrics():
    rng = np.random.default_rng(0)
    targets = (rng.random(300) < 0.4).astype(float)
    first, second = (np.clip(0.3 * targets + 0.7 * rng.random(300), 0, 1) for _ in range(2))
    for name in ("error", "roc_auc", "log_loss"):
        both = [compute_metrics("binary", targets, s, n_bootstrap=0)[name].value for s in (first, second)]
        difference, low, high = paired_difference("binary", targets, first, second, name)
        assert difference == pytest.approx(both[0] - both[1])
        assert low < difference < high


def test_the_difference_of_two_errors_has_the_interval_of_bonett_and_price():
    targets = np.ones(20)
    first = np.where(np.arange(20) < 5, 0.1, 0.9)
    second = np.where(np.arange(20) == 19, 0.1, 0.9)
    # 5 rows are wrong for the first alone and 1 for the second alone.
    p, q = 6 / 22, 2 / 22
    half = 1.959964 * np.sqrt((p + q - (p - q) ** 2) / 22)
    _, low, high = paired_difference("binary", targets, first, second, "error")
    assert (low, high) == pytest.approx((p - q - half, p - q + half), rel=1e-5)


def test_the_difference_of_a_model_from_itself_is_nothing():
    targets, scores = np.arange(40) % 2, np.linspace(0, 1, 40)
    assert paired_difference("binary", targets, scores, scores, "roc_auc") == (0, 0, 0)


def test_a_metric_that_the_task_lacks_is_refused():
    with pytest.raises(ValueError, match="no metric 'rmse'"):
        paired_difference("binary", [1, 0], [0.2, 0.3], [0.2, 0.3], "rmse")
