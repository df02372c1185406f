"""Small networks whose parameters are views of one vector."""

import pytest
import torch
from torch import nn

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.optim import (
    OPTIMIZERS,
    flat_parameters as one_vector,
    flatten_parameters,
    should_flatten,
)
from layerwise.training.supervised import FinetuningSettings
from layerwise.training.supervised.backpropagation import Backpropagation


def network() -> MLP:
    config = MLPConfig(n_inputs=3, n_outputs=1, hidden_sizes=(4, 2), activation="tanh")
    return MLP(config, torch.Generator().manual_seed(1)).double()


def rows() -> TensorData:
    inputs = torch.randn(20, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return TensorData(inputs, (inputs[:, :1] > 0).double())


def trained(settings: FinetuningSettings) -> MLP:
    net = network()
    plan = Backpropagation(net, "binary", settings, torch.Generator(), n_rows=20)
    plan.on_train_start(Progress("network", plan, 20, 1))
    plan.on_epoch_start(1)
    for _ in range(20):
        plan.training_step(rows())
    return net


def test_a_change_of_the_vector_is_a_change_of_its_parameters() -> None:
    linear = nn.Linear(2, 3)
    before = [p.detach().clone() for p in linear.parameters()]
    vector = flatten_parameters(list(linear.parameters()))
    assert all(torch.equal(p, q) for p, q in zip(linear.parameters(), before, strict=True))
    with torch.no_grad():
        vector += 1
    assert all(torch.equal(p, q + 1) for p, q in zip(linear.parameters(), before, strict=True))


def test_gradients_gather_in_the_vectors_gradient() -> None:
    linear = nn.Linear(2, 1)
    vector = flatten_parameters(list(linear.parameters()))
    linear(torch.tensor([[3.0, 5.0]])).sum().backward()
    assert vector.grad is not None
    assert vector.grad.tolist() == [3.0, 5.0, 1.0]


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_optimizer_moves_joined_parameters_as_it_moves_separate_ones(
    optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = FinetuningSettings(
        optimizer=optimizer, learning_rate=0.01, clip_norm=0.05, l2=1.0, max_norm=1.5
    )
    joined = trained(settings)
    monkeypatch.setattr(one_vector, "MAX_FLAT_NUMBERS", 0)
    separate = trained(settings)
    for a, b in zip(joined.parameters(), separate.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)
    assert not torch.equal(separate.output.weight, network().output.weight)


def test_many_numbers_or_mixed_types_stay_apart() -> None:
    small, large = torch.zeros(2), torch.zeros(one_vector.MAX_FLAT_NUMBERS)
    assert should_flatten([small, small])
    assert not should_flatten([small])
    assert not should_flatten([small, large])
    assert not should_flatten([small, small.double()])
