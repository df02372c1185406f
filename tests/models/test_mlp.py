import copy

import pytest
import torch
from helpers.seeded import seeded
from torch import nn

from layerwise.models import ACTIVATIONS, MLP, MLPConfig
from layerwise.models.layers import Dropout


def network(seed=0, **changes):
    shape = {"n_inputs": 5, "n_outputs": 3, "hidden_sizes": (7, 4)} | changes
    return MLP(MLPConfig(**shape), seeded(seed))


def rows(n=20, d=5, seed=3):
    return torch.randn(n, d, generator=seeded(seed))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_network_is_a_sequence_of_linear_layers_and_activations(name):
    ours = network(activation=name)
    module = {"linear": nn.Identity, "prelu": nn.PReLU, "relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}
    classes = {
        cls.__name__.lower(): cls for cls in (nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.SELU, nn.SiLU, nn.Softplus)
    }
    theirs_of = module.get(name) or classes[name.replace("_", "")]
    first, second, last = nn.Linear(5, 7), nn.Linear(7, 4), nn.Linear(4, 3)
    for theirs, own in zip((first, second, last), (*ours.hidden, ours.output), strict=True):
        theirs.load_state_dict(own.state_dict())
    peer = nn.Sequential(first, theirs_of(), second, theirs_of(), last)
    torch.testing.assert_close(ours(rows()), peer(rows()))
    torch.testing.assert_close(ours.encode(rows(), 1), peer[:2](rows()))
    torch.testing.assert_close(ours.encode(rows()), peer[:4](rows()))


def test_without_hidden_layers_it_is_a_linear_map():
    ours = network(hidden_sizes=())
    expected = rows() @ ours.output.weight.t() + ours.output.bias
    torch.testing.assert_close(ours(rows()), expected)
    torch.testing.assert_close(ours.encode(rows()), rows())


def test_gradients_agree_with_finite_differences():
    ours = network(activation="tanh").double()
    x = rows().double().requires_grad_()
    assert torch.autograd.gradcheck(ours, (x,))


def test_an_rng_decides_the_first_weights_and_none_leaves_them_zero():
    for one, other in zip(network(1).parameters(), network(1).parameters(), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(network(1).output.weight, network(2).output.weight)
    empty = MLP(MLPConfig(n_inputs=5, n_outputs=3, hidden_sizes=(7,)))
    assert not any(value.any() for value in empty.parameters())


def test_hidden_and_output_layers_start_by_their_own_rules():
    ours = network(hidden_sizes=(400,), initializer="he_uniform", output_initializer="zeros")
    assert not ours.output.weight.any()
    largest = float(ours.hidden[0].weight.detach().abs().max())
    assert 0.98 * (6 / 5) ** 0.5 < largest <= (6 / 5) ** 0.5
    assert not ours.hidden[0].bias.any()


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.8])
def test_dropout_keeps_the_expectation_and_drops_its_fraction(rate):
    layer = Dropout(rate)
    layer.rng = seeded()
    n = 400_000
    found = layer(torch.full((n,), 2.0))
    error = (rate * (1 - rate) / n) ** 0.5
    assert float((found == 0).float().mean()) == pytest.approx(rate, abs=5 * error)
    assert float(found.double().mean()) == pytest.approx(2, abs=5 * 2 * error / (1 - rate))
    torch.testing.assert_close(found[found != 0].unique(), torch.tensor([2 / (1 - rate)]))


def test_dropout_does_nothing_in_evaluation_or_at_rate_zero():
    x = rows()
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_the_gradient_through_dropout_is_the_mask():
    layer = Dropout(0.5)
    layer.rng = seeded()
    x = torch.ones(1000, requires_grad=True)
    found = layer(x)
    found.sum().backward()
    assert torch.equal(x.grad, found.detach())


def test_dropout_samples_with_its_own_rng_alone():
    ours = network(dropout=0.5, input_dropout=0.2)
    results = []
    for seed in (4, 4, 5):
        torch.manual_seed(len(results))
        ours.use_rng(seeded(seed))
        results.append(ours(rows()))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    before = torch.get_rng_state()
    ours(rows())
    assert torch.equal(before, torch.get_rng_state())


def test_masks_are_new_for_every_batch_and_row():
    layer = Dropout(0.5)
    layer.rng = seeded()
    first, second = layer(torch.ones(2000, 3)), layer(torch.ones(2000, 3))
    agreement = (first == second).float().mean()
    # Independent fair coins agree half the time; five standard errors of 6,000.
    assert float(agreement) == pytest.approx(0.5, abs=5 * 0.5 / 6000**0.5)
    assert len(first.unique(dim=0)) == 8


def test_inputs_and_hidden_layers_have_their_own_dropout_rates():
    ours = network(input_dropout=0.2, dropout=0.5)
    assert [dropout.rate for dropout in ours.dropouts] == [0.2, 0.5, 0.5]
    assert [
        dropout.rate for dropout in network(hidden_sizes=(), input_dropout=0.2, dropout=0.5).dropouts
    ] == [0.2]


def test_a_network_with_dropout_can_be_copied():
    ours = network(dropout=0.5)
    ours.use_rng(seeded())
    other = copy.deepcopy(ours).eval()
    assert torch.equal(other(rows()), ours.eval()(rows()))


@pytest.mark.parametrize("changes", [{"hidden_sizes": (3, 0)}, {"dropout": 1.0}, {"activaton": "relu"}])
def test_a_wrong_shape_is_refused(changes):
    with pytest.raises(ValueError, match=r"at least 1 unit|less than 1|did you mean 'activation'"):
        MLPConfig(n_inputs=5, n_outputs=3, **changes)


def test_hidden_layers_before_batch_normalization_have_no_bias():
    for dropconnect in (0.0, 0.5):
        ours = network(normalization="batch", dropconnect=dropconnect)
        assert [layer.bias for layer in ours.hidden] == [None, None]
        assert ours.output.bias is not None
    assert all(layer.bias is not None for layer in network(normalization="layer").hidden)


def test_prelu_has_a_slope_for_each_unit_if_that_is_wanted():
    ours = network(activation="prelu", prelu_slopes="unit")
    assert [tuple(each.weight.shape) for each in ours.activations] == [(7,), (4,)]
    slopes = torch.linspace(0, 1, 7)
    with torch.no_grad():
        ours.activations[0].weight.copy_(slopes)
    before = ours.hidden[0](rows())
    torch.testing.assert_close(ours.encode(rows(), 1), torch.where(before > 0, before, slopes * before))


def test_leaky_relu_has_the_slope_of_the_config():
    ours = network(activation="leaky_relu", leaky_slope=0.3)
    before = ours.hidden[0](rows())
    torch.testing.assert_close(ours.encode(rows(), 1), torch.where(before > 0, before, 0.3 * before))
