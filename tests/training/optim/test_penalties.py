import pytest
import torch

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.optim import penalty
from layerwise.training.supervised import FinetuningSettings
from layerwise.training.supervised.backpropagation import Backpropagation
from layerwise.training.supervised.losses import task_loss


def network():
    shape = MLPConfig(n_inputs=4, n_outputs=3, hidden_sizes=(6,), bias_initializer="normal")
    return MLP(shape, torch.Generator().manual_seed(0)).double()


def batch(n=10):
    inputs = torch.randn(n, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return TensorData(inputs, torch.arange(n) % 3)


def test_the_penalties_are_lambda_over_two_m_times_sums_over_weights():
    weights = [torch.tensor([[1.0, -2.0], [0.5, 0.0]]), torch.tensor([[-3.0]])]
    assert float(penalty(weights, l1=0.4, l2=0.0, n_rows=10)) == pytest.approx(0.4 / 20 * 6.5)
    assert float(penalty(weights, l1=0.0, l2=0.4, n_rows=10)) == pytest.approx(0.4 / 20 * 14.25)
    assert float(penalty(weights, l1=0.4, l2=0.4, n_rows=10)) == pytest.approx(0.4 / 20 * 20.75)


@pytest.mark.parametrize(("l1", "l2"), [(3.0, 0.0), (0.0, 3.0), (1.0, 2.0)])
def test_a_step_goes_down_the_gradient_of_loss_plus_penalty_and_spares_biases(l1, l2):
    ours, peer, rows = network(), network(), batch()
    cost = task_loss("multiclass", peer(rows.inputs), rows.targets).mean()
    for layer in (peer.hidden[0], peer.output):
        cost = cost + l1 / (2 * 50) * layer.weight.abs().sum() + l2 / (2 * 50) * (layer.weight**2).sum()
    gradients = torch.autograd.grad(cost, list(peer.parameters()))
    settings = FinetuningSettings(optimizer="sgd", learning_rate=0.1, l1=l1, l2=l2)
    plan = Backpropagation(ours, "multiclass", settings, torch.Generator(), n_rows=50)
    found = plan.training_step(rows)
    for new, old, gradient in zip(ours.parameters(), peer.parameters(), gradients, strict=True):
        torch.testing.assert_close(new, old - 0.1 * gradient)
    expected = penalty([peer.hidden[0].weight, peer.output.weight], l1, l2, 50)
    torch.testing.assert_close(found["penalty"], expected.detach().expand(10))
    assert "penalty" not in plan.validation_step(rows)


def test_clipping_by_value_bounds_each_number_of_the_gradient():
    ours, peer, rows = network(), network(), batch()
    gradients = torch.autograd.grad(
        task_loss("multiclass", peer(rows.inputs), rows.targets).mean(), list(peer.parameters())
    )
    limit = 0.02
    assert max(float(gradient.abs().max()) for gradient in gradients) > limit
    settings = FinetuningSettings(optimizer="sgd", learning_rate=0.1, clip_value=limit)
    Backpropagation(ours, "multiclass", settings, torch.Generator()).training_step(rows)
    for new, old, gradient in zip(ours.parameters(), peer.parameters(), gradients, strict=True):
        torch.testing.assert_close(new, old - 0.1 * gradient.clamp(-limit, limit))


def test_class_weights_multiply_each_rows_loss():
    ours, peer, rows = network(), network(), batch()
    weights = torch.tensor([1.0, 5.0, 0.0], dtype=torch.float64)
    cost = (task_loss("multiclass", peer(rows.inputs), rows.targets) * weights[rows.targets]).mean()
    gradients = torch.autograd.grad(cost, list(peer.parameters()))
    settings = FinetuningSettings(optimizer="sgd", learning_rate=0.1)
    Backpropagation(ours, "multiclass", settings, torch.Generator(), class_weights=weights).training_step(
        rows
    )
    for new, old, gradient in zip(ours.parameters(), peer.parameters(), gradients, strict=True):
        torch.testing.assert_close(new, old - 0.1 * gradient)
