import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from layerwise.data import TensorData
from layerwise.evaluation.metrics import (
    baseline_scores,
    choose_threshold,
    compute_metrics,
    paired_difference,
    smearing_factors,
)
from layerwise.evaluation.metrics.baselines import base_rate

RNG = np.random.default_rng(0)
COUNTS = RNG.integers(0, 4, 80)
TASKS = ["binary", "multiclass", "multilabel", "regression"]


def rows(task, n=80, seed=1):
    rng = np.random.default_rng(seed)
    if task == "regression":
        return rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    if task == "multiclass":
        return rng.integers(0, 3, n), rng.dirichlet(np.ones(3), n)
    k = 1 if task == "binary" else 3
    return rng.integers(0, 2, (n, k)).astype(float), rng.random((n, k))


@pytest.mark.parametrize("task", TASKS)
def test_a_weight_of_2_counts_as_the_row_twice(task):
    targets, scores = rows(task)
    weighted = compute_metrics(task, targets, scores, n_bootstrap=0, weights=COUNTS)
    repeated = compute_metrics(
        task, np.repeat(targets, COUNTS, 0), np.repeat(scores, COUNTS, 0), n_bootstrap=0
    )
    assert set(weighted) == set(repeated)
    for name, metric in repeated.items():
        assert weighted[name].value == pytest.approx(metric.value, abs=1e-12), name


@pytest.mark.parametrize("task", TASKS)
def test_base_rates_count_rows_by_their_weights(task):
    targets, _ = rows(task)
    counts = COUNTS + (np.arange(80) == 0)
    weighted = base_rate(task, targets, 3, counts)
    repeated = base_rate(task, np.repeat(targets, counts, 0), 3)
    for name, value in repeated.items():
        assert weighted[name] == pytest.approx(value, abs=1e-12), name


def test_weighted_metrics_are_those_of_scikit_learn():
    targets, scores = rows("binary")
    weights = RNG.random(80)
    found = compute_metrics("binary", targets, scores, n_bootstrap=0, weights=weights)
    truth, given = targets[:, 0], scores[:, 0]
    assert found["roc_auc"].value == pytest.approx(sk.roc_auc_score(truth, given, sample_weight=weights))
    assert found["f1"].value == pytest.approx(sk.f1_score(truth, given >= 0.5, sample_weight=weights))
    assert found["log_loss"].value == pytest.approx(sk.log_loss(truth, given, sample_weight=weights))


def test_equal_weights_change_no_value_and_no_bootstrap_interval():
    targets, scores = rows("binary")
    plain = compute_metrics("binary", targets, scores)
    weighted = compute_metrics("binary", targets, scores, weights=np.full(80, 2.0))
    for name in ("error", "roc_auc", "f1", "log_loss"):
        assert weighted[name].value == pytest.approx(plain[name].value)
        assert weighted[name].low == pytest.approx(plain[name].low)
        assert weighted[name].high == pytest.approx(plain[name].high)


def test_few_rows_with_most_of_the_weight_make_the_interval_wide():
    targets, scores = rows("binary", 400)
    heavy = np.where(np.arange(400) < 20, 100.0, 1.0)
    plain = compute_metrics("binary", targets, scores)["error"]
    weighted = compute_metrics("binary", targets, scores, weights=heavy)["error"]
    assert weighted.high - weighted.low > 3 * (plain.high - plain.low)


def test_the_threshold_counts_rows_by_their_weights():
    targets, scores = rows("binary")
    for criterion in ("f1", "accuracy", "cost"):
        weighted = choose_threshold(targets, scores, criterion, false_negative_cost=3, weights=COUNTS)
        repeated = choose_threshold(
            np.repeat(targets, COUNTS, 0), np.repeat(scores, COUNTS, 0), criterion, false_negative_cost=3
        )
        kept = np.repeat(scores, COUNTS, 0) >= repeated
        np.testing.assert_array_equal(np.repeat(scores, COUNTS, 0) >= weighted, kept)


def test_a_paired_difference_counts_rows_by_their_weights():
    targets, first = rows("binary")
    second = rows("binary", seed=5)[1]
    repeated = [np.repeat(each, COUNTS, 0) for each in (targets, first, second)]
    for name in ("error", "roc_auc"):
        found = paired_difference("binary", targets, first, second, name, weights=COUNTS)
        assert found[0] == pytest.approx(paired_difference("binary", *repeated, name)[0])
        assert found[1] < found[0] < found[2]


def test_smearing_counts_rows_by_their_weights():
    targets, values = rows("regression")
    found = smearing_factors(targets, values, COUNTS).values
    repeated = smearing_factors(np.repeat(targets, COUNTS, 0), np.repeat(values, COUNTS, 0)).values
    np.testing.assert_allclose(found, repeated)


def test_baselines_learn_from_rows_by_their_weights():
    import torch

    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.normal(size=(80, 3)).astype(np.float32))
    targets = torch.from_numpy((rng.random((80, 1)) < 0.4).astype(np.float32))
    counts = torch.from_numpy(COUNTS)
    weighted = TensorData(inputs, targets, counts.float())
    repeated = TensorData(inputs.repeat_interleave(counts, 0), targets.repeat_interleave(counts, 0))
    found = [
        baseline_scores(each, weighted, "binary", families=["linear"])["logistic regression"]
        for each in (weighted, repeated)
    ]
    np.testing.assert_allclose(*found, atol=1e-4)


@pytest.mark.parametrize("weights", [np.ones(79), np.full(80, -1.0), np.zeros(80), np.full(80, np.nan)])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        compute_metrics("binary", *rows("binary"), weights=weights)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_resamples_in_which_no_row_counts_are_left_out_without_a_warning(task):
    targets = np.array([0, 1, 1]) if task == "multiclass" else np.array([[0.0], [1], [1]])
    scores = (
        np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]])
        if task == "multiclass"
        else np.array([[0.2], [0.4], [0.7]])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compute_metrics(task, targets, scores, weights=[0, 0, 2])
        name = "rmse" if task == "regression" else "log_loss"
        difference = paired_difference(task, targets, scores, scores[::-1], name, weights=[0, 0, 2])
    assert all(np.isfinite(each.value) for each in found.values())
    assert np.isfinite(difference).all()
