import numpy as np
import pytest
from scipy.stats import binomtest

from layerwise.evaluation.metrics import (
    compute_metrics,
    errors_if_calibrated,
    paired_difference,
    wilson_interval,
)
from layerwise.evaluation.metrics.intervals import rare_error_interval
from layerwise.evaluation.metrics.resampling import resampled_values


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


def test_a_mean_loss_with_rare_errors_is_that_of_wilsons_fraction_of_wrong_rows():
    losses, wrong = np.array([0.0] * 98 + [3.0, 5.0]), np.arange(100) >= 98
    low, high = rare_error_interval(losses, wrong, np.full(100, 4.0))
    fraction = wilson_interval(0.02, 100)  # of wrong rows, whose mean loss is (3 + 5 + 4) / 3
    assert (low, high) == pytest.approx([4 * each for each in fraction])


def test_without_a_wrong_row_a_loss_may_still_be_high_by_what_one_would_cost():
    low, high = rare_error_interval(np.full(50, 0.01), np.zeros(50, bool), np.full(50, 4.6))
    assert low == pytest.approx(0.01)
    top = wilson_interval(0.0, 50)[1]
    assert high == pytest.approx(0.01 * (1 - top) + 4.6 * top)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_losses_of_a_network_without_a_wrong_row_have_room_above(task):
    n = 200
    targets = np.arange(n) % 2
    first = np.where(targets == 1, 0.99, 0.01)
    scores = first[:, None] if task == "binary" else np.column_stack([1 - first, first])
    found = compute_metrics(task, targets, scores, n_bootstrap=50)
    top = float(wilson_interval(0.0, n)[1])
    right, wrong = -np.log(0.99), -np.log(0.01)
    assert found["log_loss"].value == pytest.approx(right)
    assert found["log_loss"].high == pytest.approx(right * (1 - top) + wrong * top)
    scale = 1 if task == "binary" else 2
    assert found["brier"].high == pytest.approx(scale * (0.01**2 * (1 - top) + 0.99**2 * top))


def test_with_many_wrong_rows_the_bootstraps_interval_stays():
    rng = np.random.default_rng(0)
    targets = (rng.random(300) < 0.5).astype(float)
    scores = np.clip(0.5 + 0.3 * (2 * targets - 1) * np.where(rng.random(300) < 0.8, 1, -1), 0, 1)[:, None]
    found = compute_metrics("binary", targets, scores, n_bootstrap=200)["log_loss"]
    losses = -np.log(np.where(targets == 1, scores[:, 0], 1 - scores[:, 0]))
    drawn = resampled_values({"x": lambda w: w @ losses / w.sum(1)}, np.ones(300), 200, 0)["x"]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))
