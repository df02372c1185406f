import numpy as np
import pytest
import torch
from helpers.digits import embedded_digits
from sklearn.linear_model import LogisticRegression

from layerwise.data import TensorData
from layerwise.evaluation.metrics import (
    compare_with_baselines,
    compare_with_constant,
    compute_metrics,
    fit_baselines,
    usual_families,
)


def noisy_rows(n, rng, kind):
    inputs = torch.randn(n, 3, generator=rng)
    signal = inputs[:, 0] - 2 * inputs[:, 1].square()
    if kind == "regression":
        return TensorData(inputs, signal[:, None])
    if kind == "binary":
        return TensorData(inputs, (signal > -1).float()[:, None])
    if kind == "multilabel":
        return TensorData(inputs, torch.stack([signal > -1, inputs[:, 2] > 0], 1).float())
    return TensorData(inputs, (signal > -1).long() + (signal > 0).long())


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_boosting_fits_a_curve_that_a_linear_model_cannot(task):
    rng = torch.Generator().manual_seed(0)
    rows = noisy_rows(600, rng, task), noisy_rows(300, rng, task)
    found = fit_baselines(*rows, task, n_bootstrap=0)
    linear, boosting = found.values()
    name = "rmse" if task == "regression" else "error"
    assert boosting[name].value < linear[name].value
    assert next(iter(found)) == ("linear regression" if task == "regression" else "logistic regression")


def test_logistic_regression_is_scikit_learns_on_the_same_rows():
    pixels, digits = embedded_digits()
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(0))
    inputs, targets = torch.tensor(pixels / 255).float()[order], torch.tensor(digits).long()[order]
    training, test = TensorData(inputs[:400], targets[:400]), TensorData(inputs[400:700], targets[400:700])
    found = fit_baselines(training, test, "multiclass", families=("linear",), n_bootstrap=0)
    own = LogisticRegression(max_iter=2000).fit(training.inputs.numpy(), training.targets.numpy())
    accuracy = own.score(test.inputs.numpy(), test.targets.numpy())
    assert found["logistic regression"]["accuracy"].value == pytest.approx(accuracy)


def test_a_class_without_training_rows_gets_no_probability():
    rows = noisy_rows(60, torch.Generator().manual_seed(0), "multiclass")
    known = rows[torch.nonzero(rows.targets != 1)[:, 0]]
    found = fit_baselines(known, rows, "multiclass", families=("linear",), n_bootstrap=0)
    assert 0 < found["logistic regression"]["accuracy"].value < 1


def test_baselines_need_targets():
    with pytest.raises(ValueError, match="targets"):
        fit_baselines(TensorData(torch.zeros(3, 1)), TensorData(torch.zeros(3, 1)), "binary")


def scores_of(targets, n_wrong, seed):
    """Return scores of 0 and 1 targets, of which so many random rows are on the wrong side."""
    wrong = np.isin(np.arange(len(targets)), np.random.default_rng(seed).permutation(len(targets))[:n_wrong])
    return np.abs(np.where(wrong, 1 - targets, targets) - 0.2)


def test_a_network_that_loses_gets_a_sentence_with_the_difference():
    targets = np.arange(300) % 3 == 0
    targets = targets.astype(float)
    sentences = compare_with_baselines(
        "binary", targets, scores_of(targets, 80, 0), {"gradient boosting": scores_of(targets, 20, 1)}
    )
    assert "loses to gradient boosting: error 0.2667 against 0.0667" in sentences[0]
    assert "a difference of 0.2000" in sentences[0]
    assert "roc_auc" in sentences[1]


def test_a_difference_within_chance_is_no_loss():
    targets = (np.arange(300) % 2).astype(float)
    network, other = scores_of(targets, 33, 0), scores_of(targets, 30, 1)
    assert compare_with_baselines("binary", targets, network, {"x": other}) == []


def noisy_scores(targets, rng, signal=1.2):
    """Return (n, 1) probabilities of a model that sees the targets through noise of its own."""
    logits = (2 * targets - 1) * signal - 1.5 * rng.standard_normal(len(targets))
    return (1 / (1 + np.exp(-logits)))[:, None]


def test_against_three_equally_good_models_the_network_loses_in_one_run_of_twenty():
    rng = np.random.default_rng(0)
    spoke = 0
    for _ in range(100):
        targets = (rng.random(300) < 0.5).astype(float)
        network, *others = (noisy_scores(targets, rng) for _ in range(4))
        named = dict(zip("abc", others, strict=True))
        spoke += bool(compare_with_baselines("binary", targets, network, named, n_bootstrap=200))
    # Of a level of 5 % 10 runs of 100 are the 98 % quantile.
    assert spoke <= 10


def test_a_clearly_better_model_is_named_in_every_run():
    rng = np.random.default_rng(0)
    for _ in range(20):
        targets = (rng.random(300) < 0.5).astype(float)
        network, better = noisy_scores(targets, rng, 0.6), noisy_scores(targets, rng, 1.8)
        assert compare_with_baselines("binary", targets, network, {"x": better}, n_bootstrap=200)


def test_a_difference_that_is_sure_but_within_the_margin_is_no_loss():
    targets = np.random.default_rng(0).standard_normal(2000)
    network, other = (
        (targets + 1.01)[:, None],
        (targets + 1.0)[:, None],
    )  # RMSE 1.01 against 1.00 on every row
    assert compare_with_baselines("regression", targets, network, {"x": other}) == []
    (sentence,) = compare_with_baselines("regression", targets, network, {"x": other}, margin=0.005)
    assert "rmse 1.0100 against 1.0000, a difference of 0.0100" in sentence


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_every_family_fits_every_task(task):
    rng = torch.Generator().manual_seed(0)
    rows = noisy_rows(200, rng, task), noisy_rows(50, rng, task)
    families = ("linear", "ridge", "forest", "boosting", "neighbors")
    found = fit_baselines(*rows, task, families=families, n_bootstrap=0)
    linear = {"linear regression", "ridge regression"} if task == "regression" else {"logistic regression"}
    assert set(found) == linear | {"random forest", "gradient boosting", "nearest neighbors"}
    name = "rmse" if task == "regression" else "log_loss"
    forest = found["random forest"][name]
    assert forest.beats(forest.base_rate)


def test_ridge_regression_is_better_than_none_where_columns_are_many():
    rng = torch.Generator().manual_seed(0)
    inputs, noise = torch.randn(140, 55, generator=rng), torch.randn(140, 1, generator=rng)
    rows = TensorData(inputs, inputs[:, :1] + noise)
    found = fit_baselines(rows[:60], rows[60:], "regression", families=("linear", "ridge"), n_bootstrap=0)
    assert found["ridge regression"]["rmse"].value < 0.7 * found["linear regression"]["rmse"].value


def test_images_have_nearest_neighbors_and_what_takes_minutes_by_setting_alone():
    assert usual_families("multiclass", images=True) == ("neighbors",)
    assert usual_families("multiclass", images=True, n_products=2e12) == ()
    assert usual_families("multiclass", images=True, all_of_them=True) == ("linear", "neighbors", "boosting")
    assert usual_families("regression") == ("ridge", "forest", "boosting")
    assert usual_families("binary") == ("linear", "forest", "boosting")


def test_trees_are_grown_for_few_classes_or_where_they_are_asked_for():
    trees = ("linear", "forest", "boosting")
    assert usual_families("multiclass", n_rows=1000, n_outputs=50) == trees
    assert usual_families("multiclass", n_rows=1000, n_outputs=51) == ("linear",)
    assert usual_families("multiclass", n_rows=200_000, n_outputs=10) == trees
    assert usual_families("multiclass", n_rows=200_001, n_outputs=10) == ("linear", "boosting")
    assert usual_families("multiclass", n_rows=500_000, n_outputs=10, all_of_them=True) == trees
    assert usual_families("multiclass", n_rows=500_001, n_outputs=10) == ("linear",)
    assert usual_families("multiclass", n_rows=1000, n_outputs=51, all_of_them=True) == trees


def test_without_resamples_nothing_is_said_of_baselines():
    targets = (np.arange(300) % 2).astype(float)
    others = {"x": scores_of(targets, 5, 1)}
    assert compare_with_baselines("binary", targets, scores_of(targets, 90, 0), others, n_bootstrap=0) == []


def test_a_network_that_is_no_better_than_a_constant_gets_a_sentence():
    targets = (np.arange(100) % 5 == 0).astype(float)
    found = compare_with_constant(compute_metrics("binary", targets, np.full(100, 0.2), n_bootstrap=0))
    assert found[0] == "The network is no better than a constant: error 0.2000 against 0.2000."


def test_a_network_within_chance_of_a_constant_gets_a_sentence_and_a_better_one_none():
    targets = (np.arange(40) % 2).astype(float)
    weak, strong = scores_of(targets, 18, 0)[:, None], scores_of(targets, 3, 0)[:, None]
    found = compare_with_constant(compute_metrics("binary", targets, weak))
    assert "may be no better than a constant: error 0.4500" in found[0]
    assert compare_with_constant(compute_metrics("binary", targets, strong)) == []
