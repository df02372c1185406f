"""An ensemble that shares its weights against networks of their own, and its averages against probabilities."""

import copy

import pytest
import torch
from helpers.seeded import seeded as rng

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models import MLP, EnsembleConfig, MLPConfig, combine_members, load_network, save_network
from layerwise.training.supervised import FinetuningSettings
from layerwise.training.supervised.backpropagation import Backpropagation
from layerwise.training.supervised.losses import task_loss

MEMBERS = 3


def ensemble(combine="values", n_outputs=2, **changes):
    """An ensemble whose every parameter is random, in float64."""
    shape = {"n_inputs": 4, "n_outputs": n_outputs, "hidden_sizes": (6, 5), "activation": "tanh"} | changes
    config = MLPConfig(**shape, ensemble=EnsembleConfig(members=MEMBERS, combine=combine))
    network = MLP(config, rng()).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(
                torch.randn(parameter.shape, generator=rng(parameter.numel()), dtype=torch.float64)
            )
    return network


def member_alone(network, k):
    """A plain network with one member's scales multiplied into the shared weights."""
    alone = MLP(network.config.model_copy(update={"ensemble": None})).double()
    with torch.no_grad():
        for layer, shared in zip(alone.hidden, network.hidden, strict=True):
            layer.weight.copy_(shared.output_scales[k][:, None] * shared.weight * shared.input_scales[k])
            layer.bias.copy_(shared.bias[k])
        alone.output.weight.copy_(network.output.weight[k])
        alone.output.bias.copy_(network.output.bias[k])
    return alone.eval()


@pytest.fixture
def x():
    return torch.randn(7, 4, generator=rng(1), dtype=torch.float64)


@pytest.mark.parametrize("changes", [{}, {"hidden_sizes": ()}, {"input_dropout": 0.3}])
def test_each_member_is_a_network_of_its_own(x, changes):
    network = ensemble(**changes).eval()
    outputs = network.member_outputs(x).unflatten(0, (-1, MEMBERS))
    for k in range(MEMBERS):
        alone = member_alone(network, k)
        assert torch.allclose(outputs[:, k], alone(x))
    everyone = torch.stack([member_alone(network, k).encode(x) for k in range(MEMBERS)])
    assert torch.allclose(network.encode(x), everyone.mean(0))


def test_values_are_averaged(x):
    network = ensemble()
    expected = sum(member_alone(network, k)(x) for k in range(MEMBERS)) / MEMBERS
    assert torch.allclose(network(x), expected)


def test_probabilities_are_averaged_not_logits(x):
    network = ensemble("sigmoid")
    expected = sum(member_alone(network, k)(x).sigmoid() for k in range(MEMBERS)) / MEMBERS
    assert torch.allclose(network(x).sigmoid(), expected)
    network = ensemble("softmax", n_outputs=3)
    expected = sum(member_alone(network, k)(x).softmax(1) for k in range(MEMBERS)) / MEMBERS
    assert torch.allclose(network(x).softmax(1), expected)


def test_members_that_are_all_but_sure_are_averaged_without_an_infinity():
    sure = combine_members(torch.tensor([[200.0], [200.0]]), EnsembleConfig(members=2, combine="sigmoid"))
    assert sure.item() == pytest.approx(200)


@pytest.mark.parametrize(
    ("task", "combine", "n_outputs"), [("binary", "sigmoid", 1), ("multiclass", "softmax", 3)]
)
def test_a_step_follows_the_mean_of_the_members_own_losses(x, task, combine, n_outputs):
    network = ensemble(combine, n_outputs)
    targets = torch.randint(0, max(2, n_outputs), (7,), generator=rng(2))
    rows = TensorData(x, targets if task == "multiclass" else targets[:, None].double())
    naive = copy.deepcopy(network)
    of_members = naive.member_outputs(x).unflatten(0, (-1, MEMBERS))
    loss = sum(task_loss(task, of_members[:, k], rows.targets).mean() for k in range(MEMBERS)) / MEMBERS
    loss.backward()
    expected = [p.detach() - 0.1 * p.grad for p in naive.parameters()]

    settings = FinetuningSettings(optimizer="sgd", learning_rate=0.1, schedule="constant")
    plan = Backpropagation(network, task, settings, rng(9))
    plan.on_train_start(Progress("network", plan, 1, 1))
    plan.on_epoch_start(1)
    losses = plan.training_step(rows)
    for found, right in zip(network.parameters(), expected, strict=True):
        assert torch.allclose(found, right)
    assert losses["objective"].mean().item() == pytest.approx(loss.item())
    together = task_loss(
        task, combine_members(of_members.flatten(0, 1), network.config.ensemble), rows.targets
    )
    assert torch.allclose(losses["loss"], together)
    assert losses["loss"].mean() < loss  # the mean of probabilities has the smaller loss (Jensen)


def test_members_start_apart_each_with_one_scale_a_column():
    config = MLPConfig(n_inputs=4, n_outputs=1, hidden_sizes=(6,), ensemble=EnsembleConfig(members=MEMBERS))
    scales = MLP(config, rng()).hidden[0].input_scales
    assert scales.shape == (MEMBERS, 4)
    assert len(scales.unique()) == MEMBERS * 4


def test_an_ensemble_is_read_again_with_the_same_bits(tmp_path, x):
    network = ensemble("softmax").float().eval()
    save_network(network, tmp_path)
    assert torch.equal(load_network(tmp_path)(x.float()), network(x.float()))
