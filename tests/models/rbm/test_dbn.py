import pytest
import torch
from helpers.seeded import seeded
from scipy import stats

from layerwise.models import MLP, MLPConfig
from layerwise.models.autoencoder import from_dbn
from layerwise.models.rbm import DBN, DBNConfig


def stack(n_visible=4, hidden_sizes=(3, 2), visible="bernoulli", seed=0, scale=0.8):
    dbn = DBN(DBNConfig(n_visible=n_visible, hidden_sizes=hidden_sizes, visible=visible)).double()
    rng = seeded(seed)
    for value in dbn.parameters():
        value.normal_(0, scale, generator=rng)
    return dbn


def all_states(n):
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * n).view(-1, n)


def exact_distribution(dbn):
    """p(v) of every visible state: the top RBM's, then one directed conditional a layer."""
    *lower, top = dbn.rbms
    v, h = all_states(top.config.n_visible), all_states(top.config.n_hidden)
    log_p = v @ top.visible_bias + (v @ top.weight @ h.t() + h @ top.hidden_bias).logsumexp(1)
    p = log_p.softmax(0)
    for rbm in reversed(lower):
        above, below = all_states(rbm.config.n_hidden), all_states(rbm.config.n_visible)
        on = torch.sigmoid(above @ rbm.weight.t() + rbm.visible_bias)
        conditional = (on[:, None, :] * below + (1 - on[:, None, :]) * (1 - below)).prod(2)
        p = p @ conditional
    return p


def assert_sampled_from(rows, p):
    indices = (rows.long() * 2 ** torch.arange(rows.shape[1]).flip(0)).sum(1)
    counts = torch.bincount(indices, minlength=len(p)).numpy()
    assert stats.chisquare(counts, p.numpy() * len(rows)).pvalue > 1e-4


@pytest.mark.parametrize("hidden_sizes", [(3,), (3, 3), (3, 2, 3)])
def test_samples_have_the_exact_distribution(hidden_sizes):
    dbn = stack(hidden_sizes=hidden_sizes)
    means = dbn.sample(40_000, 40, seeded())
    samples = torch.bernoulli(means, generator=seeded(1))
    assert_sampled_from(samples, exact_distribution(dbn))


def test_samples_of_a_single_rbm_do_not_drift_from_rows_of_the_model():
    dbn = stack(hidden_sizes=(3,), scale=1.5)
    p = exact_distribution(dbn)
    start = all_states(4)[torch.multinomial(p, 40_000, replacement=True, generator=seeded())]
    for steps in (0, 1, 5):
        means = dbn.sample(40_000, steps, seeded(steps), start)
        assert_sampled_from(torch.bernoulli(means, generator=seeded(9)), p)


def test_samples_start_from_the_activations_of_the_rows_they_are_given():
    dbn = stack(hidden_sizes=(3, 2), scale=3)
    rows = torch.tensor([[0.0, 0, 1, 1]], dtype=torch.float64).expand(50_000, -1)
    first, top = dbn.rbms
    activations = torch.sigmoid(rows[:1] @ first.weight + first.hidden_bias)
    up = torch.sigmoid(activations @ top.weight + top.hidden_bias)
    # With no step in the top RBM: E[v] = sum over its two hidden units' and three visible units' states.
    h2, h1 = all_states(2), all_states(3)
    p_h2 = (up * h2 + (1 - up) * (1 - h2)).prod(1)
    on = torch.sigmoid(h2 @ top.weight.t() + top.visible_bias)
    p_h1 = p_h2 @ (on[:, None, :] * h1 + (1 - on[:, None, :]) * (1 - h1)).prod(2)
    expected = p_h1 @ torch.sigmoid(h1 @ first.weight.t() + first.visible_bias)
    found = dbn.sample(50_000, 0, seeded(), rows).mean(0)
    torch.testing.assert_close(found, expected, rtol=0, atol=5 * 0.5 / 50_000**0.5)


def test_samples_are_means_of_the_visible_units_and_depend_on_the_generator_alone():
    dbn = stack(hidden_sizes=(3, 2))
    first, second = dbn.sample(6, 5, seeded(1)), dbn.sample(6, 5, seeded(1))
    assert first.shape == (6, 4)
    assert ((first > 0) & (first < 1)).all()
    assert torch.equal(first, second)
    assert not torch.equal(first, dbn.sample(6, 5, seeded(2)))


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_the_way_up_and_down_is_mean_field_by_hand(visible):
    dbn = stack(visible=visible)
    first, top = dbn.rbms
    v = torch.rand(5, 4, generator=seeded(), dtype=torch.float64)
    h1 = torch.sigmoid(v @ first.weight + first.hidden_bias)
    h2 = torch.sigmoid(h1 @ top.weight + top.hidden_bias)
    down = torch.sigmoid(h2 @ top.weight.t() + top.visible_bias)
    x = down @ first.weight.t() + first.visible_bias
    expected = torch.sigmoid(x) if visible == "bernoulli" else x
    torch.testing.assert_close(dbn.encode(v, 1), h1)
    torch.testing.assert_close(dbn.encode(v), h2)
    torch.testing.assert_close(dbn.decode(h2), expected)
    torch.testing.assert_close(dbn.reconstruct(v), expected)
    torch.testing.assert_close(dbn.decode(h1, 1), first.visible_mean(h1))
    assert dbn.encode(v, 0) is v


def test_only_the_first_rbm_has_gaussian_units():
    dbn = stack(hidden_sizes=(3, 2, 2), visible="gaussian")
    assert [rbm.config.visible for rbm in dbn.rbm_layers()] == ["gaussian", "bernoulli", "bernoulli"]
    assert [rbm.weight.shape for rbm in dbn.rbm_layers(2)] == [(4, 3), (3, 2)]


def learnt_variances(**shape):
    dbn = DBN(DBNConfig(**{"n_visible": 4, "visible": "gaussian", "learn_variance": True} | shape))
    for value in dbn.parameters():
        value.normal_(0, 0.8, generator=seeded())
    return dbn


def test_networks_get_the_weights_of_units_of_learnt_variance_over_the_variance():
    dbn = learnt_variances(hidden_sizes=(6, 5))
    assert [rbm.config.learn_variance for rbm in dbn.rbm_layers()] == [True, False]
    rows = torch.randn(50, 4, generator=seeded())
    variance = dbn.rbm_layers()[0].visible_units.log_variance.exp()
    first = torch.sigmoid((rows / variance) @ dbn.rbm_layers()[0].weight + dbn.rbm_layers()[0].hidden_bias)
    torch.testing.assert_close(dbn.encode(rows, 1), first)
    network = MLP(MLPConfig(n_inputs=4, n_outputs=2, hidden_sizes=(6, 5)), seeded(7))
    dbn.copy_to(network)
    autoencoders = from_dbn(dbn)
    for depth in (1, 2):
        torch.testing.assert_close(network.encode(rows, depth), dbn.encode(rows, depth))
        torch.testing.assert_close(autoencoders.encode(rows, depth), dbn.encode(rows, depth))
    torch.testing.assert_close(autoencoders.reconstruct(rows), dbn.reconstruct(rows))


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_every_layer_reaches_the_classifier(visible):
    dbn = stack(hidden_sizes=(6, 5, 3), visible=visible).float()
    network = MLP(MLPConfig(n_inputs=4, n_outputs=2, hidden_sizes=(6, 5, 3)), seeded(7))
    head = network.output.weight.clone()
    dbn.copy_to(network)
    for layer, rbm in zip(network.hidden, dbn.rbms, strict=True):
        assert torch.equal(layer.weight, rbm.weight.t())
        assert torch.equal(layer.bias, rbm.hidden_bias)
    assert torch.equal(network.output.weight, head)
    rows = torch.rand(50, 4, generator=seeded())
    for depth in (1, 2, 3):
        torch.testing.assert_close(network.encode(rows, depth), dbn.encode(rows, depth), rtol=1e-6, atol=1e-7)


def test_the_copy_shares_no_memory_with_the_stack():
    dbn = stack(hidden_sizes=(3,)).float()
    network = MLP(MLPConfig(n_inputs=4, n_outputs=2, hidden_sizes=(3,)), seeded())
    dbn.copy_to(network)
    before = dbn.rbms[0].weight.clone()
    with torch.no_grad():
        network.hidden[0].weight.zero_()
        network.hidden[0].bias.zero_()
    assert torch.equal(dbn.rbms[0].weight, before)
    assert dbn.rbms[0].hidden_bias.any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_sizes": (3, 3)}, r"\(3, 3\) differ from the stack's \(3, 2\)"),
        ({"activation": "relu"}, "not relu.*activation: sigmoid"),
        # One input would be broadcast over four visible units without a word.
        ({"n_inputs": 1}, "1 inputs but the stack has 4"),
    ],
)
def test_a_network_that_does_not_fit_the_stack_is_refused(changes, message):
    network = MLP(MLPConfig(**{"n_inputs": 4, "n_outputs": 2, "hidden_sizes": (3, 2)} | changes), seeded())
    before = [value.clone() for value in network.parameters()]
    with pytest.raises(ValueError, match=message):
        stack().copy_to(network)
    for value, old in zip(network.parameters(), before, strict=True):
        assert torch.equal(value, old)


def test_a_stack_needs_a_layer_of_at_least_one_unit():
    with pytest.raises(ValueError, match="at least 1 item"):
        DBNConfig(n_visible=4, hidden_sizes=())
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        DBN(DBNConfig(n_visible=4, hidden_sizes=(3, 0)))
