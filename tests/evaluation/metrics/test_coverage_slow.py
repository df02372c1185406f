"""How often each printed interval holds the true value, by simulation: 95 % is promised, less by chance."""

import numpy as np
import pytest

from layerwise.data.preprocessing.summaries import summarize_numbers
from layerwise.evaluation import numeric_drift
from layerwise.evaluation.drift import KS_SIGNIFICANCE
from layerwise.evaluation.metrics import compute_metrics, paired_difference
from layerwise.evaluation.reports.evaluation_report import describe_worsening

pytestmark = pytest.mark.slow
RUNS = 400
# Three standard errors of 400 runs at 95 %.
CHANCE = 0.033


def binormal_rows(rng, n, prevalence, distance):
    """Return targets and their exact probabilities; positives lie `distance` standard deviations higher."""
    targets = (rng.random(n) < prevalence).astype(float)
    x = rng.normal(size=n) + distance * targets
    logits = np.log(prevalence / (1 - prevalence)) + distance * x - distance**2 / 2
    return targets, 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize(
    ("n", "prevalence", "distance"),
    [(104, 0.5, 2.5), (104, 0.2, 2.5), (104, 0.2, 1.0), (400, 0.1, 2.0), (104, 0.5, 4.5)],
)
def test_intervals_of_accuracy_auc_and_their_like_hold_the_true_value(n, prevalence, distance):
    rng = np.random.default_rng(0)
    names = ("accuracy", "roc_auc", "balanced_accuracy", "f1", "average_precision")
    everyone = compute_metrics("binary", *binormal_rows(rng, 1_000_000, prevalence, distance), n_bootstrap=0)
    held = dict.fromkeys(names, 0)
    for run in range(RUNS):
        found = compute_metrics(
            "binary", *binormal_rows(rng, n, prevalence, distance), n_bootstrap=300, seed=run
        )
        for name in names:
            held[name] += found[name].low <= everyone[name].value <= found[name].high
    for name, count in held.items():
        # The average precision of few positives is biased itself.
        least = 0.86 if name == "average_precision" else 0.95 - CHANCE
        assert count / RUNS >= least, (name, count / RUNS)


@pytest.mark.parametrize("shape", [(2, 2), (0.5, 0.5), (0.5, 8)])
@pytest.mark.parametrize("power", [1.0, 1.3])
@pytest.mark.parametrize("n", [100, 400])
def test_the_interval_of_the_calibration_error_holds_the_true_one(shape, power, n):
    rng = np.random.default_rng(0)

    def rows(size):
        scores = rng.beta(*shape, size)
        true = scores**power / (scores**power + (1 - scores) ** power)
        return (rng.random(size) < true).astype(float), scores, true

    _, scores, true = rows(2_000_000)
    bins = np.minimum((scores * 15).astype(int), 14)
    error = np.abs(np.bincount(bins, true - scores)).sum() / len(scores)
    held = above = 0
    for run in range(RUNS):
        targets, scores, _ = rows(n)
        found = compute_metrics("binary", targets, scores, n_bootstrap=200, seed=run)["calibration_error"]
        held += found.low <= error <= found.high
        above += found.value > found.calibrated_high
    assert held / RUNS >= 0.95 - CHANCE
    if power == 1:
        assert above / RUNS <= 0.05 + CHANCE


@pytest.mark.parametrize("n", [100, 300])
@pytest.mark.parametrize("name", ["error", "roc_auc"])
def test_the_interval_of_a_difference_holds_that_of_two_equally_good_models(n, name):
    rng = np.random.default_rng(0)
    held = loses = 0
    for run in range(RUNS):
        targets = (rng.random(n) < 0.5).astype(float)
        shared = rng.normal(size=n)
        first, second = (
            1 / (1 + np.exp(-(2 * targets - 1 + 0.8 * shared + 0.6 * rng.normal(size=n)))) for _ in range(2)
        )
        _, low, high = paired_difference("binary", targets, first, second, name, seed=run)
        held += low <= 0 <= high
        loses += low > 0
    assert held / RUNS >= 0.95 - CHANCE
    assert loses / RUNS <= 0.05


@pytest.mark.parametrize("n", [(104, 104), (300, 2000), (2000, 300)])
def test_rows_of_the_same_distribution_are_called_worse_in_one_run_of_twenty_at_most(n):
    rng = np.random.default_rng(0)
    alarms = 0
    for run in range(RUNS):
        old, new = (
            compute_metrics("binary", *binormal_rows(rng, size, 0.3, 2.0), n_bootstrap=200, seed=run)
            for size in n
        )
        alarms += bool(describe_worsening(new, old))
    assert alarms / RUNS <= 0.05 + CHANCE


def test_worse_rows_are_called_worse():
    rng = np.random.default_rng(0)
    alarms = 0
    for run in range(50):
        old = compute_metrics("binary", *binormal_rows(rng, 500, 0.3, 2.0), n_bootstrap=200, seed=run)
        new = compute_metrics("binary", *binormal_rows(rng, 500, 0.3, 1.0), n_bootstrap=200, seed=run)
        alarms += any("roc_auc" in sentence for sentence in describe_worsening(new, old))
    assert alarms >= 45


@pytest.mark.parametrize("n", [(800, 100), (800, 800), (5000, 200)])
@pytest.mark.parametrize("kind", ["normal", "few values"])
def test_twenty_columns_without_drift_give_an_alarm_in_one_run_of_twenty_at_most(n, kind):
    rng = np.random.default_rng(0)

    def sample(size):
        return rng.normal(size=size) if kind == "normal" else rng.poisson(2.0, size).astype(float)

    alarms = pvalues_below = 0
    for _ in range(RUNS):
        found = [
            numeric_drift("x", summarize_numbers(sample(n[0])), sample(n[1]), n[0], n_columns=20)
            for _ in range(20)
        ]
        alarms += any(each.level != "stable" for each in found)
        pvalues_below += sum(each.ks_pvalue < KS_SIGNIFICANCE for each in found)
    assert alarms / RUNS <= 0.05 + CHANCE
    assert pvalues_below / (20 * RUNS) <= KS_SIGNIFICANCE + 0.004


def confident_rows(rng, n, fraction_wrong, kind):
    """Return targets and scores of a network that is wrong on so few rows: by chance, as it says, or on hard ones."""
    if kind == "chance":
        confidence = rng.beta(200, 1, n)
        wrong = rng.random(n) < fraction_wrong
    elif kind == "calibrated":
        confidence = 1 - np.minimum(rng.exponential(fraction_wrong, n), 0.5)
        wrong = rng.random(n) > confidence
    else:
        hard = rng.random(n) < 5 * fraction_wrong
        confidence = np.where(hard, rng.beta(8, 2, n).clip(0.5), rng.beta(300, 1, n))
        wrong = rng.random(n) < np.where(hard, 0.18, 0.1 * fraction_wrong)
    targets = (rng.random(n) < 0.5).astype(float)
    confidence = np.clip(confidence, 0.5, 1 - 1e-7)
    return targets, np.where((targets == 1) ^ wrong, confidence, 1 - confidence)[:, None]


@pytest.mark.parametrize("kind", ["chance", "calibrated", "hard"])
@pytest.mark.parametrize(("n", "fraction_wrong"), [(100, 0.002), (300, 0.01), (1000, 0.002), (1000, 0.03)])
def test_losses_of_networks_that_are_seldom_wrong_are_covered(n, fraction_wrong, kind):
    rng = np.random.default_rng(0)
    many = compute_metrics("binary", *confident_rows(rng, 1_000_000, fraction_wrong, kind), n_bootstrap=0)
    covered = dict.fromkeys(("log_loss", "brier"), 0)
    for run in range(RUNS):
        found = compute_metrics(
            "binary", *confident_rows(rng, n, fraction_wrong, kind), n_bootstrap=200, seed=run
        )
        for name in covered:
            covered[name] += found[name].low <= many[name].value <= found[name].high
    assert min(covered.values()) / RUNS >= 0.90 - CHANCE


def regression_rows(kind, rng, n):
    """Return targets and values (n, 1) whose errors are normal, long-tailed, or grow with an input."""
    x = rng.normal(size=(n, 1))
    errors = {
        "normal": lambda: 0.6 * rng.normal(size=(n, 1)),
        "t5": lambda: 0.4 * rng.standard_t(5, size=(n, 1)),
        "growing": lambda: 0.3 * np.exp(0.7 * x) * rng.normal(size=(n, 1)),
    }
    return x + errors[kind](), x


@pytest.mark.parametrize(
    ("kind", "n", "least"),
    [
        ("normal", 50, 0.95),
        ("normal", 400, 0.95),
        ("t5", 50, 0.93),
        ("t5", 400, 0.95),
        # Squared errors of which few rows tell how they vary.
        ("growing", 50, 0.89),
        ("growing", 104, 0.91),
        ("growing", 400, 0.93),
        ("growing", 2000, 0.95),
    ],
)
def test_intervals_of_a_regression_hold_the_true_value(kind, n, least):
    rng = np.random.default_rng(0)
    everyone = compute_metrics("regression", *regression_rows(kind, rng, 2_000_000), n_bootstrap=0)
    held = dict.fromkeys(everyone, 0)
    for _ in range(RUNS):
        found = compute_metrics("regression", *regression_rows(kind, rng, n))
        for name in held:
            held[name] += found[name].low <= everyone[name].value <= found[name].high
    assert {name: count for name, count in held.items() if count / RUNS < least - CHANCE} == {}
    assert held["mae"] / RUNS < 0.99  # no wider than needed


@pytest.mark.parametrize("n", [50, 300])
@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_the_interval_of_a_difference_of_two_regressions_holds_that_of_equally_good_ones(n, name):
    rng = np.random.default_rng(0)
    held = 0
    for run in range(RUNS):
        x = rng.normal(size=(n, 1))
        targets = x + 0.5 * rng.normal(size=(n, 1))
        first, second = (x + 0.3 * rng.normal(size=(n, 1)) for _ in range(2))
        _, low, high = paired_difference(
            "regression", targets, first, second, name, seed=run, n_bootstrap=300
        )
        held += low <= 0 <= high
    assert held / RUNS >= 0.95 - CHANCE


def class_rows(rng, n, fractions, sharpness):
    """Return classes of so different frequencies and their exact probabilities."""
    classes = rng.choice(len(fractions), n, p=fractions)
    z = rng.normal(size=(n, len(fractions)))
    z[np.arange(n), classes] += sharpness
    odds = np.exp(sharpness * z) * fractions
    return classes, odds / odds.sum(1, keepdims=True)


@pytest.mark.parametrize(
    ("n", "fractions", "sharpness"),
    [
        (104, (1 / 3,) * 3, 2.0),
        (200, (0.1,) * 10, 2.5),
        (300, (0.1,) * 10, 3.5),
        (200, (0.55, 0.25, 0.15, 0.05), 1.5),
    ],
)
def test_intervals_of_several_classes_hold_the_true_value(n, fractions, sharpness):
    rng = np.random.default_rng(0)
    everyone = compute_metrics("multiclass", *class_rows(rng, 300_000, fractions, sharpness), n_bootstrap=0)
    held = dict.fromkeys(everyone, 0)
    for run in range(RUNS):
        found = compute_metrics(
            "multiclass", *class_rows(rng, n, fractions, sharpness), n_bootstrap=200, seed=run
        )
        for name in held:
            held[name] += found[name].low <= everyone[name].value <= found[name].high
    least = 0.95 - CHANCE
    assert {name: count / RUNS for name, count in held.items() if count / RUNS < least} == {}
