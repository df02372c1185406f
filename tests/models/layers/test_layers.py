import math

import pytest
import torch
from scipy import stats
from torch.nn import functional

from layerwise.models import (
    ACTIVATION_CHOICES,
    ACTIVATIONS,
    INITIALIZER_CHOICES,
    INITIALIZERS,
    MLP,
    MLPConfig,
    activation,
    initialize_,
)
from layerwise.models.layers import (
    Conv2d,
    ConvTranspose2d,
    DropConnect,
    Linear,
    initialize_bias_,
    normalization,
)

M, N = 240, 360  # fan_out, fan_in

BOUNDS = {
    "uniform": 0.05,
    "xavier_uniform": 1 / math.sqrt(N),
    "glorot_uniform": math.sqrt(6 / (N + M)),
    "he_uniform": math.sqrt(6 / N),
    "lecun_uniform": math.sqrt(3 / N),
}
VARIANCES = {
    "normal": 0.05**2,
    "glorot_normal": 2 / (N + M),
    "he_normal": 2 / N,
    "lecun": 1 / N,
    "lecun_normal": 1 / N,
}


def initialized(name, m=M, n=N, seed=0):
    weight = torch.full((m, n), float("nan"))
    initialize_(weight, name, torch.Generator().manual_seed(seed))
    return weight


def test_every_initializer_is_tested_here():
    assert {*BOUNDS, *VARIANCES, "zeros", "orthogonal"} == set(INITIALIZERS)


@pytest.mark.parametrize("name", BOUNDS)
def test_uniform_starts_fill_their_interval(name):
    weight, bound = initialized(name).flatten().numpy(), BOUNDS[name]
    assert abs(weight).max() <= bound
    assert stats.kstest(weight, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", VARIANCES)
def test_normal_starts_have_their_variance(name):
    weight = initialized(name).flatten().numpy()
    assert stats.kstest(weight, stats.norm(0, math.sqrt(VARIANCES[name])).cdf).pvalue > 1e-3


def test_uniform_and_normal_forms_of_one_rule_have_one_variance():
    for rule in ("glorot", "lecun", "he"):
        assert BOUNDS[f"{rule}_uniform"] ** 2 / 3 == pytest.approx(VARIANCES[f"{rule}_normal"])


@pytest.mark.parametrize(("m", "n"), [(30, 50), (50, 30), (40, 40)])
def test_an_orthogonal_start_is_orthogonal(m, n):
    weight = initialized("orthogonal", m, n)
    gram = weight @ weight.t() if m <= n else weight.t() @ weight
    torch.testing.assert_close(gram, torch.eye(min(m, n)), rtol=0, atol=1e-5)


def test_zeros_are_zeros():
    assert not initialized("zeros").any()


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name != "zeros"])
def test_the_rng_alone_decides_the_weights(name):
    torch.manual_seed(1)
    first = initialized(name)
    torch.manual_seed(2)
    assert torch.equal(first, initialized(name))
    assert not torch.equal(first, initialized(name, seed=1))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_the_function_of_its_name(name):
    x = torch.linspace(-4, 4, 33)
    functions = {
        "linear": lambda x: x,
        "prelu": lambda x: torch.where(x > 0, x, 0.25 * x),
        "sigmoid": lambda x: 1 / (1 + torch.exp(-x)),
        "tanh": torch.tanh,
    }
    expected = functions.get(name) or getattr(functional, name)
    torch.testing.assert_close(activation(name)(x), expected(x))


def test_each_layer_gets_an_activation_of_its_own():
    network = MLP(MLPConfig(n_inputs=3, n_outputs=1, hidden_sizes=(4, 4), activation="prelu"))
    first, second = (layer.weight for layer in network.activations)
    first.data.fill_(0.75)
    assert float(second.detach()) == 0.25  # PReLU's start, and not the first layer's
    assert {id(first), id(second)} <= {id(value) for value in network.parameters()}


def test_every_choice_is_described():
    assert set(ACTIVATION_CHOICES) == set(ACTIVATIONS)
    assert set(INITIALIZER_CHOICES) == set(INITIALIZERS)


def test_a_gain_multiplies_the_start():
    weight = torch.empty(M, N)
    initialize_(weight, "he_normal", torch.Generator().manual_seed(0), gain=3.0)
    torch.testing.assert_close(weight, 3 * initialized("he_normal"))


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("normal", stats.norm(0, 0.05)),
        ("uniform", stats.uniform(-0.05, 0.1)),
        ("xavier_uniform", stats.uniform(-1 / math.sqrt(N), 2 / math.sqrt(N))),
    ],
)
def test_biases_start_by_their_own_rule(name, law):
    bias = torch.empty(20_000)
    initialize_bias_(bias, name, N, torch.Generator().manual_seed(0))
    assert stats.kstest(bias.numpy(), law.cdf).pvalue > 1e-3


def test_constant_biases_are_the_constant_and_zeros_are_zeros():
    bias = torch.empty(5)
    initialize_bias_(bias, "constant", N, torch.Generator(), 0.1)
    assert torch.equal(bias, torch.full((5,), 0.1))
    initialize_bias_(bias, "zeros", N, torch.Generator(), 0.1)
    assert not bias.any()


def test_normalizations_standardize_over_rows_or_over_units():
    x = 3 + 2 * torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    over_rows, over_units = normalization("batch", 8)(x), normalization("layer", 8)(x)
    torch.testing.assert_close(over_rows.mean(0), torch.zeros(8), rtol=0, atol=1e-5)
    torch.testing.assert_close(over_rows.var(0, correction=0), torch.ones(8), rtol=0, atol=1e-4)
    torch.testing.assert_close(over_units.mean(1), torch.zeros(50), rtol=0, atol=1e-5)
    torch.testing.assert_close(over_units.var(1, correction=0), torch.ones(50), rtol=0, atol=1e-3)
    assert normalization("none", 8)(x) is x


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [(Linear, (3, 2)), (DropConnect, (3, 2, 0.5)), (Conv2d, (1, 2, 4)), (ConvTranspose2d, (2, 1, 4))],
)
def test_a_layer_that_is_yet_to_be_initialized_draws_none_of_torchs_global_random_numbers(kind, arguments):
    before = torch.get_rng_state()
    layer = kind(*arguments)
    assert torch.equal(torch.get_rng_state(), before)
    torch_layer = next(k for k in kind.__mro__ if k.__module__.startswith("torch"))
    assert (
        layer.state_dict().keys()
        == torch_layer(*arguments[: 3 if "Conv" in kind.__name__ else 2]).state_dict().keys()
    )


def test_the_slope_of_leaky_relu_can_be_chosen_and_prelu_learns_as_many_as_it_is_given():
    x = torch.tensor([[-2.0, 3.0]])
    torch.testing.assert_close(activation("leaky_relu")(x), torch.tensor([[-0.02, 3.0]]))
    torch.testing.assert_close(activation("leaky_relu", leaky_slope=0.3)(x), torch.tensor([[-0.6, 3.0]]))
    assert activation("prelu").weight.shape == (1,)
    assert activation("prelu", prelu_slopes=2).weight.tolist() == [0.25, 0.25]


def test_other_fans_than_the_shape_says_set_the_bounds():
    weight = torch.zeros(40, 90)
    initialize_(weight, "glorot_uniform", torch.Generator().manual_seed(0), fans=(100.0, 50.0))
    assert float(weight.abs().max()) == pytest.approx(math.sqrt(6 / 150), rel=0.01)
