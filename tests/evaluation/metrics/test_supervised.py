import time
import warnings

import numpy as np
import pytest
import torch
from sklearn import metrics

from layerwise.evaluation.metrics import (
    Metric,
    choose_threshold,
    compute_metrics,
    paired_difference,
    reaches_threshold,
)
from layerwise.evaluation.metrics.resampling import enough_resamples, resampled_values
from layerwise.evaluation.metrics.supervised import MIN_RESAMPLES, SUM_WORK


def binary_rows(n=400, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    targets = (rng.random(n) < 0.3).astype(np.float32)[:, None]
    scores = 1 / (1 + np.exp(-(rng.normal(size=(n, 1)) + 1.5 * targets - 0.8)))
    return targets, np.round(scores, 1) * 0.98 + 0.01 if ties else scores


def class_rows(n=500, k=4, seed=1):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[targets]
    return targets, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def values(result):
    return {name: metric.value for name, metric in result.items()}


@pytest.mark.parametrize("ties", [False, True])
def test_binary_metrics_agree_with_scikit_learn(ties):
    targets, scores = binary_rows(ties=ties)
    y, p = targets[:, 0], scores[:, 0]
    found = values(compute_metrics("binary", targets, scores, n_bootstrap=0))
    expected = {
        "accuracy": metrics.accuracy_score(y, p >= 0.5),
        "error": 1 - metrics.accuracy_score(y, p >= 0.5),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, p >= 0.5),
        "f1": metrics.f1_score(y, p >= 0.5),
        "roc_auc": metrics.roc_auc_score(y, p),
        "average_precision": metrics.average_precision_score(y, p),
        "log_loss": metrics.log_loss(y, p),
        "brier": metrics.brier_score_loss(y, p),
    }
    assert found == pytest.approx(expected | {"calibration_error": found["calibration_error"]})


def test_multiclass_metrics_agree_with_scikit_learn():
    targets, scores = class_rows()
    found = values(compute_metrics("multiclass", torch.tensor(targets), torch.tensor(scores), n_bootstrap=0))
    chosen = scores.argmax(1)
    onehot = np.eye(4)[targets]
    expected = {
        "accuracy": metrics.accuracy_score(targets, chosen),
        "error": 1 - metrics.accuracy_score(targets, chosen),
        "balanced_accuracy": metrics.balanced_accuracy_score(targets, chosen),
        "f1": metrics.f1_score(targets, chosen, average="macro"),
        "roc_auc": metrics.roc_auc_score(targets, scores, multi_class="ovr", average="macro"),
        "average_precision": metrics.average_precision_score(onehot, scores, average="macro"),
        "log_loss": metrics.log_loss(targets, scores),
        "brier": ((scores - onehot) ** 2).sum(1).mean(),
    }
    assert found == pytest.approx(expected | {"calibration_error": found["calibration_error"]})


def test_multilabel_metrics_agree_with_scikit_learn():
    rng = np.random.default_rng(3)
    targets = (rng.random((300, 3)) < [0.2, 0.5, 0.7]).astype(np.float32)
    scores = np.clip(0.35 * targets + 0.6 * rng.random((300, 3)), 0.01, 0.99)
    found = values(compute_metrics("multilabel", targets, scores, n_bootstrap=0))
    chosen = scores >= 0.5
    per_label = [metrics.balanced_accuracy_score(targets[:, k], chosen[:, k]) for k in range(3)]
    expected = {
        "accuracy": metrics.accuracy_score(targets, chosen),
        "error": 1 - metrics.accuracy_score(targets, chosen),
        "hamming_loss": metrics.hamming_loss(targets, chosen),
        "balanced_accuracy": np.mean(per_label),
        "f1": metrics.f1_score(targets, chosen, average="macro"),
        "roc_auc": metrics.roc_auc_score(targets, scores),
        "average_precision": metrics.average_precision_score(targets, scores),
        "log_loss": np.mean([metrics.log_loss(targets[:, k], scores[:, k]) for k in range(3)]),
        "brier": ((scores - targets) ** 2).mean(),
    }
    assert found == pytest.approx(expected | {"calibration_error": found["calibration_error"]})


def test_regression_metrics_agree_with_scikit_learn():
    rng = np.random.default_rng(4)
    targets = rng.normal(size=(200, 2)) * [1, 10] + 1000
    given = targets + rng.normal(size=(200, 2))
    found = compute_metrics("regression", targets, given, n_bootstrap=0)
    assert values(found) == pytest.approx(
        {
            "rmse": metrics.root_mean_squared_error(targets, given),
            "mae": metrics.mean_absolute_error(targets, given),
            "r2": metrics.r2_score(targets, given),
        }
    )
    assert found["rmse"].better == "lower"
    assert found["r2"].better == "higher"


def test_calibration_error_is_the_gap_between_confidence_and_outcome():
    targets = np.array([1.0, 1, 0, 0, 1, 0, 0, 0, 0, 0])
    scores = np.array([0.7] * 5 + [0.2] * 5)
    # Two bins of five rows: outcomes 3/5 against .7, and 0 against .2.
    assert compute_metrics("binary", targets, scores, n_bootstrap=0)[
        "calibration_error"
    ].value == pytest.approx(0.15)


def test_outcomes_drawn_from_the_scores_are_calibrated():
    rng = np.random.default_rng(0)
    scores = rng.random(50_000)
    targets = (rng.random(50_000) < scores).astype(float)
    assert compute_metrics("binary", targets, scores, n_bootstrap=0)["calibration_error"].value < 0.01


def test_the_interval_of_the_auc_is_near_the_one_of_hanley_and_mcneil():
    targets, scores = binary_rows(1000)
    found = compute_metrics("binary", targets, scores)["roc_auc"]
    auc, positives = found.value, targets.sum()
    negatives = 1000 - positives
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    error = np.sqrt(variance / (positives * negatives))
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(error, rel=0.2)


def test_every_interval_holds_its_value():
    for task, rows in (("binary", binary_rows()), ("multiclass", class_rows())):
        for metric in compute_metrics(task, *rows, n_bootstrap=300).values():
            assert metric.low <= metric.value <= metric.high, metric


def test_the_same_seed_gives_the_same_interval():
    rows = binary_rows()
    assert compute_metrics("binary", *rows, seed=3) == compute_metrics("binary", *rows, seed=3)
    assert compute_metrics("binary", *rows, seed=3) != compute_metrics("binary", *rows, seed=4)


def test_intervals_of_10000_rows_of_ten_classes_take_seconds_at_most():
    rows = class_rows(10_000, 10)
    began = time.process_time()
    compute_metrics("multiclass", *rows)
    # About 1 s on a free core; the bound only catches a loop over resamples.
    assert time.process_time() - began < 15


def test_a_constant_prediction_gets_the_base_rate():
    targets, _ = class_rows()
    frequencies = np.bincount(targets) / len(targets)
    constant = np.tile(frequencies, (len(targets), 1))
    for metric in compute_metrics("multiclass", targets, constant, n_bootstrap=0).values():
        if metric.base_rate is not None:
            assert metric.value == pytest.approx(metric.base_rate), metric.name
    targets = np.random.default_rng(0).normal(size=(50, 1))
    found = compute_metrics("regression", targets, np.full((50, 1), targets.mean()), n_bootstrap=0)
    assert found["rmse"].value == pytest.approx(found["rmse"].base_rate)
    assert found["r2"].value == pytest.approx(0)
    median = compute_metrics("regression", targets, np.full((50, 1), np.median(targets)), n_bootstrap=0)[
        "mae"
    ]
    assert median.value == pytest.approx(median.base_rate)


def test_targets_of_one_class_have_no_auc_but_an_accuracy():
    found = compute_metrics("binary", np.ones((20, 1)), np.full((20, 1), 0.8))
    assert "roc_auc" not in found
    assert found["accuracy"].value == 1


def test_scores_that_are_certain_and_right_are_measured_without_a_warning():
    truth = np.arange(30) % 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compute_metrics("multiclass", truth, np.eye(3)[truth])
    assert (found["calibration_error"].value, found["calibration_error"].low) == (0, 0)


def test_certain_scores_have_a_finite_log_loss():
    found = compute_metrics(
        "binary", np.array([1.0, 0]), np.array([0.0, 1.0], dtype=np.float32), n_bootstrap=0
    )
    assert found["log_loss"].value == pytest.approx(-np.log(np.finfo(np.float32).eps), rel=1e-3)


@pytest.mark.parametrize(
    ("task", "targets", "scores", "message"),
    [
        ("binary", [1, 0], [0.1, np.nan], "NaN"),
        ("binary", [1, 0], [0.1, 3.0], "no probabilities"),
        ("binary", [1, 2], [0.1, 0.3], "must be 0 or 1"),
        ("binary", [1, 0, 1], [0.1, 0.3], "3 targets"),
        ("binary", [], [], "no rows"),
        ("multiclass", [0, 3], np.full((2, 3), 1 / 3), "classes 0..3"),
        ("regression", np.zeros((2, 2)), np.zeros((2, 1)), "do not fit"),
    ],
)
def test_wrong_input_gets_a_message(task, targets, scores, message):
    with pytest.raises(ValueError, match=message):
        compute_metrics(task, np.array(targets), np.array(scores))


def test_a_metric_knows_whether_lower_is_better():
    assert Metric(name="rmse", value=1, better="lower").beats(2)
    assert not Metric(name="r2", value=1).beats(2)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("criterion", ["f1", "accuracy", "cost"])
def test_the_chosen_threshold_is_the_best_of_all(criterion, ties):
    targets, scores = binary_rows(300, ties=ties)
    y = targets[:, 0]

    def utility(threshold):
        chosen = scores[:, 0] >= threshold
        if criterion == "f1":
            return metrics.f1_score(y, chosen)
        false_positives, false_negatives = (chosen & (y == 0)).sum(), (~chosen & (y == 1)).sum()
        cost = 1 if criterion == "accuracy" else 5
        return -(false_positives + cost * false_negatives)

    chosen = choose_threshold(targets, scores, criterion, false_negative_cost=5)
    assert utility(chosen) == max(utility(t) for t in [0.0, *np.unique(scores), 1.1])


def test_the_threshold_of_separable_rows_is_a_half_where_that_is_as_good():
    assert choose_threshold([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9], "accuracy") == 0.5


def test_where_one_kind_of_error_costs_nothing_the_other_is_avoided_altogether():
    targets, scores = binary_rows(50)
    assert (scores >= choose_threshold(targets, scores, "cost", false_positive_cost=0))[targets == 1].all()
    assert not (scores >= choose_threshold(targets, scores, "cost", false_negative_cost=0))[
        targets == 0
    ].any()


def test_a_threshold_among_certain_scores_means_the_same_everywhere():
    scores = np.array([[np.float32(1) - np.float32(6e-8)], [1.0], [0.0], [1.0]], dtype=np.float32)
    targets = np.array([0.0, 1, 0, 1])
    threshold = choose_threshold(targets, scores, "accuracy")
    assert scores[0, 0] < threshold <= 1
    assert compute_metrics("binary", targets, scores, threshold=threshold)["accuracy"].value == 1
    assert reaches_threshold(scores, threshold)[:, 0].tolist() == [False, True, False, True]
    # At the precision of the scores the threshold is rounded to one of its neighbours.
    between = (float(scores[0, 0]) + 1) / 2
    assert reaches_threshold(scores, between)[:, 0].tolist() == [False, True, False, True]


def test_certain_scores_are_ranked_as_they_are():
    scores = np.array([1.0, 1 - 6e-8, 0.9, 0.5], dtype=np.float32)
    assert compute_metrics("binary", [1.0, 0, 0, 0], scores, n_bootstrap=0)["roc_auc"].value == 1


def test_a_threshold_needs_both_classes():
    with pytest.raises(ValueError, match="one class"):
        choose_threshold(np.ones(5), np.full(5, 0.4))
    with pytest.raises(ValueError, match="one class"):
        choose_threshold([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.7], weights=[1, 1, 0, 0])


@pytest.mark.parametrize(
    ("asked", "rows", "drawn"),
    [(1000, 10_000, 1000), (1000, 25_000, 400), (1000, 10**7, 200), (50, 10**7, 50)],
)
def test_of_very_many_rows_fewer_resamples_are_drawn(asked, rows, drawn):
    assert enough_resamples(asked, rows, SUM_WORK, MIN_RESAMPLES) == drawn


def test_the_difference_of_many_rows_needs_no_thousand_resamples(monkeypatch):
    drawn = []

    def counted(statistics, counts, n_bootstrap, seed):
        drawn.append(n_bootstrap)
        return resampled_values(statistics, counts, 2, seed)

    monkeypatch.setattr("layerwise.evaluation.metrics.comparison.resampled_values", counted)
    for n in (10_000, 40_000, 200_000):
        targets = np.arange(n)[:, None] % 2
        paired_difference("binary", targets, targets * 0.5, targets * 0.4, "log_loss")
    assert drawn == [1000, 250, 100]
