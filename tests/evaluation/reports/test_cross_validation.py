import numpy as np
import pytest
from scipy import stats

from layerwise.evaluation.metrics import compute_metrics
from layerwise.evaluation.reports import CrossValidation, Fold, corrected_interval, make_fold


def fold(k, error, n_test=20, **others):
    metrics = {"error": error, **others}
    return Fold(
        name=f"fold_{k:02d}",
        n_training=72,
        n_validation=8,
        n_test=n_test,
        seconds=1.0,
        metrics=metrics,
        better=dict.fromkeys(metrics, "lower"),
    )


def test_the_interval_is_that_of_nadeau_and_bengio():
    values = [0.1, 0.2, 0.15, 0.3, 0.25]
    low, high = corrected_interval(values, 0.25)
    deviation = np.sqrt((1 / 5 + 0.25) * np.var(values, ddof=1))
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 4, np.mean(values), deviation))


def test_the_interval_covers_the_true_error_where_the_plain_t_does_not():
    # A nearest mean of 40 rows: its error on endless rows is known, and folds of the same rows go together.
    rng, covered, plainly = np.random.default_rng(0), 0, 0
    trials, n, shift = 400, 40, 0.5
    for _ in range(trials):
        y = rng.integers(0, 2, n)
        x = rng.normal(size=(n, 8)) + shift * (2 * y[:, None] - 1) / np.sqrt(8)
        errors, true = [], []
        for _ in range(3):
            for test in np.array_split(rng.permutation(n), 5):
                rest = np.setdiff1d(np.arange(n), test)
                ends = [x[rest][y[rest] == k].mean(0) for k in (0, 1)]
                direction, middle = ends[1] - ends[0], (ends[0] + ends[1]) / 2
                errors.append(np.mean(((x[test] - middle) @ direction > 0) != y[test]))
                scale = np.linalg.norm(direction)
                mean = shift / np.sqrt(8) * direction.sum() / scale
                offset = middle @ direction / scale
                true.append((stats.norm.cdf(-mean + offset) + stats.norm.cdf(-mean - offset)) / 2)
        low, high = corrected_interval(errors, 0.25)
        covered += low <= np.mean(true) <= high
        half = stats.t.ppf(0.975, 14) * np.std(errors, ddof=1) / np.sqrt(15)
        plainly += abs(np.mean(errors) - np.mean(true)) <= half
    assert covered / trials > 0.92
    assert plainly / trials < 0.85


def test_means_are_over_the_folds_and_stay_within_their_bounds():
    found = CrossValidation.of([fold(1, 0.0), fold(2, 0.1)])
    assert found.statistics["error"].mean == pytest.approx(0.05)
    assert found.statistics["error"].std == pytest.approx(np.std([0, 0.1], ddof=1))
    assert found.statistics["error"].low == 0
    found = CrossValidation.of(
        [fold(1, 0.5, r2=0.6, calibration_error=0.9), fold(2, 0.5, r2=0.99, calibration_error=0.5)]
    )
    assert found.statistics["r2"].high == found.statistics["calibration_error"].high == 1


def test_a_metric_that_a_fold_lacks_has_no_mean():
    found = CrossValidation.of([fold(1, 0.1, roc_auc=0.9), fold(2, 0.2)])
    assert "roc_auc" not in found.statistics
    assert "error" in found.statistics


def test_each_fold_is_a_run_below_the_run_with_its_curves():
    metrics = compute_metrics("binary", [0, 1, 1, 0], [0.1, 0.9, 0.4, 0.2], n_bootstrap=0)
    epochs = [({"train/loss": 0.7}, 1), ({"train/loss": 0.6}, 2)]
    found = CrossValidation.of([make_fold(f"f{k}", (6, 2, 4), 1.0, metrics, epochs) for k in range(2)])
    children = found.child_runs
    assert [each.name for each in children] == ["f0", "f1"]
    assert children[0].metrics["train/loss"] == 0.6
    assert children[0].metrics["test/error"] == 0.25
    assert children[0].parameters["test_rows"] == "4"
    assert found.logged_metrics["folds/error_mean"] == 0.25


def test_the_section_of_a_card_says_which_interval_it_is_and_what_was_measured():
    text = CrossValidation.of([fold(1, 0.1), fold(2, 0.2, n_test=21)]).section()
    assert "corrected resampled t" in text
    assert "20 to 21 test rows" in text
    assert "| error | lower | 0.1500 [" in text
