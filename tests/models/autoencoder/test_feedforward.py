import pytest
import torch
from helpers.seeded import seeded
from torch.func import jacrev, vmap
from torch.nn import functional

from layerwise.models import ACTIVATIONS, MLP, MLPConfig, activation, load_network, save_network
from layerwise.models.autoencoder import (
    Autoencoder,
    AutoencoderConfig,
    ConvolutionalAutoencoder,
    ConvolutionalConfig,
    StackConfig,
    StackedAutoencoders,
    estimate_jacobian_norm,
    from_dbn,
    mean_jacobian_norm,
    roll_up,
    unroll,
)
from layerwise.models.autoencoder.jacobian import activation_derivative
from layerwise.models.heads import build_output
from layerwise.models.layers import keep_largest
from layerwise.models.rbm import DBN, DBNConfig
from layerwise.models.rbm.units import UnitBlock


def autoencoder(double=False, **shape):
    network = Autoencoder(AutoencoderConfig(**{"n_inputs": 7, "latent_size": 3} | shape), seeded())
    with torch.no_grad():
        for value in network.parameters():
            value.add_(torch.randn(value.shape, generator=seeded(1)) * 0.3)
    return network.double() if double else network


def rows(n=6, d=7, dtype=torch.float32):
    return torch.rand(n, d, generator=seeded(2), dtype=dtype)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_derivative_is_the_derivative(name):
    act = activation(name).double()
    pre_activation = torch.linspace(-3, 3, 40, dtype=torch.float64, requires_grad=True)
    value = act(pre_activation)
    (expected,) = torch.autograd.grad(value.sum(), pre_activation)
    found = activation_derivative(act, pre_activation, act(pre_activation))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("hidden", [(), (5,), (9, 4), (6, 8, 5)])
@pytest.mark.parametrize("name", ["sigmoid", "silu"])
def test_the_jacobian_norm_is_that_of_automatic_differentiation(hidden, name):
    network = autoencoder(double=True, hidden_sizes=hidden, activation=name, latent_activation=name)
    x = rows(dtype=torch.float64)
    latent, found = network.encode_with_jacobian_norm(x)
    jacobian = vmap(jacrev(lambda row: network.encode(row[None])[0]))(x)
    torch.testing.assert_close(found, jacobian.square().sum((1, 2)), rtol=1e-10, atol=1e-14)
    torch.testing.assert_close(latent, network.encode(x))
    assert mean_jacobian_norm(network, x) == pytest.approx(float(jacobian.detach().norm(dim=(1, 2)).mean()))


def test_the_chain_of_layers_leads_to_the_same_latents_and_reconstructions():
    network, x = autoencoder(hidden_sizes=(6, 5), activation="tanh", decoder_activation="relu"), rows()
    chain = network.layer_chain()
    every = list(chain.hidden_activations(x))
    assert chain.activation_names == ("tanh", "tanh", "sigmoid", "relu", "relu")
    torch.testing.assert_close(every[2], network.encode(x))
    torch.testing.assert_close(chain.output(every[-1]), network(x))
    shape = ConvolutionalConfig(image_shape=(8, 8), latent_size=3)
    assert ConvolutionalAutoencoder(shape).layer_chain() is None


def test_the_jacobian_of_kept_units_leaves_the_others_out():
    network = autoencoder(double=True, keep=2, latent_activation="linear")
    x = rows(dtype=torch.float64)
    jacobian = vmap(jacrev(lambda row: network.encode(row[None])[0]))(x)
    torch.testing.assert_close(network.encode_with_jacobian_norm(x)[1], jacobian.square().sum((1, 2)))


def test_the_gradient_of_the_jacobian_norm_is_that_of_automatic_differentiation():
    network = autoencoder(double=True, hidden_sizes=(5,))
    x, weight = rows(dtype=torch.float64), network.encoder[0].weight
    (found,) = torch.autograd.grad(network.encode_with_jacobian_norm(x)[1].sum(), weight)

    def norm(w):
        with torch.no_grad():
            weight.copy_(w)
        return float(network.encode_with_jacobian_norm(x)[1].sum().detach())

    start, step = weight.detach().clone(), 1e-6
    for at in [(0, 0), (2, 3), (4, 6)]:
        change = torch.zeros_like(start)
        change[at] = step
        finite_difference = (norm(start + change) - norm(start - change)) / (2 * step)
        assert float(found[at]) == pytest.approx(finite_difference, rel=1e-5)


def test_the_estimated_norm_is_right_on_average():
    network, x = autoencoder(double=True, hidden_sizes=(5,)), rows(dtype=torch.float64)
    estimates = torch.stack(
        [estimate_jacobian_norm(network.encode, x, seeded(k))[1].detach() for k in range(4000)]
    )
    expected = network.encode_with_jacobian_norm(x)[1]
    error = estimates.std(0) / 4000**0.5
    assert ((estimates.mean(0) - expected).abs() < 4 * error).all()
    assert float(error.max()) > 0  # one direction alone is not the norm


def test_an_estimated_norm_has_a_gradient_only_where_gradients_are_enabled():
    network, x = autoencoder(), rows()
    with torch.no_grad():
        assert not estimate_jacobian_norm(network.encode, x, seeded())[1].requires_grad
    estimate_jacobian_norm(network.encode, x, seeded())[1].sum().backward()
    assert network.encoder[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("shape", [{}, {"hidden_sizes": (5, 4), "tied": True}, {"keep": 2}])
def test_a_single_row_is_reconstructed_as_in_a_batch(shape):
    network, x = autoencoder(**shape), rows()
    together = network.reconstruct(x)
    alone = torch.cat([network.reconstruct(row[None]) for row in x])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_tied_weights_stay_tied_after_a_reload_and_a_step(tmp_path):
    save_network(autoencoder(hidden_sizes=(5,), tied=True), tmp_path)
    network = load_network(tmp_path).train()
    assert len(network.weights()) == 2
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.loss(network(rows()), rows()).sum().backward()
    optimizer.step()
    for down, back in zip(network.encoder, reversed(network.decoder), strict=True):
        assert torch.equal(back.weight, down.weight.t())


def test_a_tied_weight_gets_the_gradient_of_encoder_and_decoder():
    tied = autoencoder(double=True, tied=True)
    free = Autoencoder(tied.config.model_copy(update={"tied": False})).double()
    with torch.no_grad():
        for target, source in zip(
            [*free.encoder, *free.decoder], [*tied.encoder, *tied.decoder], strict=True
        ):
            target.weight.copy_(source.weight)
            target.bias.copy_(source.bias)
    x = rows(dtype=torch.float64)
    for network in (tied, free):
        network.loss(network(x), x).sum().backward()
    both = free.encoder[0].weight.grad + free.decoder[0].weight.grad.t()
    torch.testing.assert_close(tied.encoder[0].weight.grad, both)


def test_kept_units_are_the_largest_of_each_row():
    latent = torch.tensor([[3.0, -1.0, 2.0, 0.5], [-4.0, -1.0, -3.0, -2.0]])
    assert keep_largest(latent, 2).tolist() == [[3.0, 0, 2.0, 0], [0, -1.0, 0, -2.0]]
    assert keep_largest(latent, 0) is latent


def test_the_bernoulli_loss_is_the_cross_entropy_also_of_several_latents_a_row():
    output, x = build_output("binary_cross_entropy", "sigmoid"), torch.randn(4, 6, 7, generator=seeded())
    target = rows()
    expected = functional.binary_cross_entropy_with_logits(x, target.expand_as(x), reduction="none").sum(-1)
    torch.testing.assert_close(output.loss(x, target), expected)
    torch.testing.assert_close(output.loss(x[0], target), expected[0])


def test_the_mixed_loss_is_the_log_density_of_its_columns():
    blocks = (
        UnitBlock(kind="gaussian", size=2),
        UnitBlock(kind="softmax", size=3, groups=(3,), rest=(False,)),
        UnitBlock(kind="bernoulli", size=1),
        UnitBlock(kind="softmax", size=2, groups=(2,), rest=(True,)),
    )
    output = build_output("mixed", "linear", blocks, learn_variance=True)
    with torch.no_grad():
        output.log_variance.copy_(torch.tensor([0.3, -0.7]))
    x = torch.randn(2, 5, 8, generator=seeded())
    target = torch.tensor([[0.4, -1.2, 0, 1, 0, 1, 0, 0]] * 4 + [[0.4, -1.2, 0, 0, 1, 0, 0, 1]])
    normal = torch.distributions.Normal(x[..., :2], (output.log_variance / 2).exp())
    category = torch.distributions.Categorical(logits=x[..., 2:5]).log_prob(target[:, 2:5].argmax(1))
    boolean = torch.distributions.Bernoulli(logits=x[..., 5]).log_prob(target[:, 5])
    with_rest = torch.cat([torch.zeros(2, 5, 1), x[..., 6:]], -1)
    state = torch.where(target[:, 7] == 1, 2, 0)
    dropped = torch.distributions.Categorical(logits=with_rest).log_prob(state)
    expected = -(normal.log_prob(target[:, :2]).sum(-1) + category + boolean + dropped)
    torch.testing.assert_close(output.loss(x, target), expected)
    torch.testing.assert_close(output.mean(x)[..., 2:5].sum(-1), torch.ones(2, 5))


def test_the_gaussian_loss_is_the_log_density():
    output = build_output("gaussian", "linear")
    with torch.no_grad():
        output.log_variance.fill_(0.4)
    x = torch.randn(6, 7, generator=seeded())
    expected = -torch.distributions.Normal(x, (output.log_variance / 2).exp()).log_prob(rows()).sum(1)
    torch.testing.assert_close(output.loss(x, rows()), expected)


@pytest.mark.parametrize("image_shape", [(28, 28), (7, 10), (9, 9)])
def test_a_convolutional_autoencoder_returns_images_of_the_input_size(image_shape):
    config = ConvolutionalConfig(image_shape=image_shape, channels=(3, 4), latent_size=5)
    network = ConvolutionalAutoencoder(config, seeded())
    x = torch.rand(4, config.n_inputs, generator=seeded())
    assert network.reconstruct(x).shape == x.shape
    assert network.encode(x).shape == (4, 5)
    torch.testing.assert_close(network(x[:1]), network(x)[:1])


@pytest.mark.parametrize("kind", ["feedforward", "convolutional"])
def test_an_autoencoder_learns_its_rows_by_heart(kind):
    if kind == "feedforward":
        network = autoencoder(n_inputs=16, latent_size=8, latent_activation="linear")
    else:
        network = ConvolutionalAutoencoder(
            ConvolutionalConfig(image_shape=(4, 4), channels=(8,), latent_size=8), seeded()
        )
    x = rows(5, 16).round()
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(300):
        optimizer.zero_grad()
        network.loss(network(x), x).mean().backward()
        optimizer.step()
    assert float((network.reconstruct(x) - x).detach().abs().max()) < 0.1


@pytest.fixture
def dbn():
    dbn = DBN(DBNConfig(n_visible=7, hidden_sizes=(5, 3)), seeded())
    with torch.no_grad():
        for value in dbn.parameters():
            value.add_(torch.randn(value.shape, generator=seeded(3)) * 0.5)
    return dbn


def test_rbms_and_the_autoencoder_they_unroll_to_reconstruct_alike(dbn):
    stack = from_dbn(dbn)
    deep = unroll(stack)
    torch.testing.assert_close(stack.reconstruct(rows()), dbn.reconstruct(rows()))
    torch.testing.assert_close(deep.reconstruct(rows()), dbn.reconstruct(rows()))
    torch.testing.assert_close(deep.encode(rows()), dbn.encode(rows()))


def test_the_weights_of_the_deep_autoencoder_are_copied_back_into_the_stack(dbn):
    stack = from_dbn(dbn)
    deep = unroll(stack)
    with torch.no_grad():
        for value in deep.parameters():
            value.mul_(1.1)
    roll_up(deep, stack)
    torch.testing.assert_close(stack.reconstruct(rows()), deep.reconstruct(rows()).detach())


def test_a_stack_initializes_the_layers_of_a_network():
    layers = (AutoencoderConfig(n_inputs=7, latent_size=5), AutoencoderConfig(n_inputs=5, latent_size=3))
    stack = StackedAutoencoders(StackConfig(layers=layers), seeded())
    network = MLP(MLPConfig(n_inputs=7, n_outputs=2, hidden_sizes=(5, 3)))
    stack.copy_to(network)
    torch.testing.assert_close(network.encode(rows()), stack.encode(rows()))
    torch.testing.assert_close(network.encode(rows(), 1), stack.encode(rows(), 1))
    with pytest.raises(ValueError, match=r"activations \('relu', 'relu'\) differ from the stack's"):
        stack.copy_to(MLP(MLPConfig(n_inputs=7, n_outputs=2, hidden_sizes=(5, 3), activation="relu")))


def test_layers_that_do_not_fit_make_no_stack():
    layers = (AutoencoderConfig(n_inputs=7, latent_size=5), AutoencoderConfig(n_inputs=4, latent_size=3))
    with pytest.raises(ValueError, match="4 inputs cannot read latents of 5"):
        StackConfig(layers=layers)


@pytest.mark.parametrize(
    ("name", "bound"),
    [("he_uniform", (6 / (8 * 9 / 4)) ** 0.5), ("glorot_uniform", (6 / (8 * 9 / 4 + 4 * 9)) ** 0.5)],
)
def test_transposed_convolutions_start_by_the_initializer(name, bound):
    config = ConvolutionalConfig(image_shape=(8, 8), channels=(4, 8), latent_size=3, initializer=name)
    network = ConvolutionalAutoencoder(config, torch.Generator().manual_seed(0))
    weight = network.up[0].weight
    assert weight.shape[:2] == (8, 4)
    assert 0.95 * bound < float(weight.detach().abs().max()) <= bound
    zeros = config.model_copy(update={"initializer": "zeros"})
    assert not ConvolutionalAutoencoder(zeros, torch.Generator().manual_seed(0)).up[0].weight.any()
