import numpy as np
import pytest
import torch
from sklearn.isotonic import IsotonicRegression
from torch import nn

from layerwise.data import TensorData
from layerwise.models import MLP, CalibratedNetwork, MLPConfig, load_network, save_network
from layerwise.training import TrainingError
from layerwise.training.supervised import best_temperature, calibrate, probabilities
from layerwise.utils import torch_rng


def classifier(task, scale=1.0):
    """Return a network without hidden layers, whose logits are a scale times those that made the targets."""
    k = {"binary": 1, "multiclass": 3, "multilabel": 2}[task]
    network = MLP(MLPConfig(n_inputs=4, n_outputs=k, hidden_sizes=()), torch_rng(0, "w")).eval()
    with torch.no_grad():
        network.output.weight.mul_(3)
    rng = torch.Generator().manual_seed(1)
    inputs = torch.randn(4000, 4, generator=rng)
    true = probabilities(task, network(inputs).detach())
    if task == "multiclass":
        targets = torch.multinomial(true, 1, generator=rng)[:, 0]
    else:
        targets = torch.bernoulli(true, generator=rng)
    with torch.no_grad():
        network.output.weight.mul_(scale)
        network.output.bias.mul_(scale)
    return network, TensorData(inputs, targets)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_the_temperature_is_what_the_logits_were_multiplied_by(task, scale):
    network, rows = classifier(task, scale)
    found = calibrate(network, task, rows, "temperature")
    assert float(found.temperature) == pytest.approx(scale, rel=0.1)


def test_the_temperature_has_the_lowest_log_loss():
    network, rows = classifier("binary", 3.0)
    logits = network(rows.inputs).detach().double()
    best = best_temperature("binary", logits, rows)

    def loss(temperature):
        return float(
            nn.functional.binary_cross_entropy_with_logits(logits / temperature, rows.targets.double())
        )

    grid = np.exp(np.linspace(-1, 3, 2001))
    assert loss(best) <= min(map(loss, grid)) + 1e-9


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_isotonic_probabilities_are_those_of_scikit_learn(task):
    network, rows = classifier(task, 2.0)
    found = calibrate(network, task, rows, "isotonic")
    scores = probabilities(task, network(rows.inputs).detach()).double().numpy()
    truth = rows.targets.numpy()
    truth = np.eye(3)[truth] if task == "multiclass" else truth
    expected = np.column_stack(
        [
            IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(s, t).predict(s)
            for s, t in zip(scores.T, truth.T, strict=True)
        ]
    ).clip(1 / 8000, 1 - 1 / 8000)
    if task == "multiclass":
        expected = expected / expected.sum(1, keepdims=True)
    given = probabilities(task, found(rows.inputs).detach()).numpy()
    np.testing.assert_allclose(given, expected, atol=2e-4)


def test_isotonic_probabilities_beyond_the_points_are_those_of_the_ends():
    network, rows = classifier("binary")
    found = calibrate(network, "binary", rows[slice(0, 200)], "isotonic")
    far = torch.tensor([[100.0] * 4, [-100.0] * 4])
    given = found(far).detach().sigmoid()
    assert float(given.min()) >= 1 / 400 - 1e-6
    assert float(given.max()) <= 1 - 1 / 400 + 1e-6


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_other_rows_of_the_same_kind_are_calibrated(method):
    network, rows = classifier("binary", 4.0)
    learnt, others = rows[slice(0, 2000)], rows[slice(2000, 4000)]
    found = calibrate(network, "binary", learnt, method)

    def log_loss(each):
        return float(
            nn.functional.binary_cross_entropy_with_logits(each(others.inputs).detach(), others.targets)
        )

    assert log_loss(found) < 0.7 * log_loss(network)


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_weights_count_rows(method):
    network, rows = classifier("binary", 2.0)
    rows = rows[slice(0, 300)]
    counts = torch.randint(0, 4, (300,), generator=torch.Generator().manual_seed(0))
    weighted = TensorData(rows.inputs, rows.targets, counts.float()).with_mean_weight_1()
    repeated = TensorData(rows.inputs.repeat_interleave(counts, 0), rows.targets.repeat_interleave(counts, 0))
    first, second = (calibrate(network, "binary", each, method) for each in (weighted, repeated))
    seen = rows.inputs[counts > 0]
    torch.testing.assert_close(first(seen).sigmoid(), second(seen).sigmoid(), atol=2e-3, rtol=0)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_a_calibrated_network_is_the_same_after_it_was_saved(tmp_path, task, method):
    network, rows = classifier(task, 2.0)
    found = calibrate(network, task, rows, method)
    save_network(found, tmp_path)
    back = load_network(tmp_path)
    assert isinstance(back, CalibratedNetwork)
    assert torch.equal(back(rows.inputs), found(rows.inputs))


def test_rows_of_one_class_and_a_regression_are_refused():
    network, rows = classifier("binary")
    with pytest.raises(TrainingError, match="all validation rows are of one class"):
        calibrate(network, "binary", TensorData(rows.inputs, torch.ones(4000, 1)), "temperature")
    # Those of the other class count nothing.
    assert rows.targets is not None
    weighted = TensorData(rows.inputs, rows.targets, rows.targets[:, 0])
    with pytest.raises(TrainingError, match="all validation rows are of one class"):
        calibrate(network, "binary", weighted, "isotonic")
    with pytest.raises(TrainingError, match="the task is regression"):
        calibrate(network, "regression", rows, "temperature")
