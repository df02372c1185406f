import pytest
import torch
from scipy import stats
from torch import distributions

from layerwise.models.rbm import RBM, RBMConfig
from layerwise.utils import UserError


def all_states(n):
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * n).view(-1, n)


def small_rbm(n_visible=4, n_hidden=3, visible="bernoulli", seed=0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    rbm = RBM(RBMConfig(n_visible=n_visible, n_hidden=n_hidden, visible=visible)).double()
    for value in rbm.parameters():
        value.normal_(0, scale, generator=rng)
    return rbm


def written_out_energy(rbm, v, h):
    """E(v, h) by three sums, as the papers print it."""
    interaction = sum(
        v[i] * rbm.weight[i, j] * h[j] for i in range(len(v)) for j in range(len(h))
    )  # fmt: skip
    hidden = sum(rbm.hidden_bias[j] * h[j] for j in range(len(h)))
    if rbm.config.visible == "bernoulli":
        own = -sum(rbm.visible_bias[i] * v[i] for i in range(len(v)))
    else:
        own = sum((v[i] - rbm.visible_bias[i]) ** 2 for i in range(len(v))) / 2
    return own - hidden - interaction


def energy_table(rbm, rows):
    """E of every row with every hidden state, shape (rows, 2^n_hidden)."""
    states = all_states(rbm.config.n_hidden)
    return torch.stack([torch.stack([written_out_energy(rbm, v, h) for h in states]) for v in rows])


def joint_table(rbm):
    """p(v, h) of a Bernoulli RBM, shape (2^n_visible, 2^n_hidden)."""
    log_p = -energy_table(rbm, all_states(rbm.config.n_visible))
    return (log_p - log_p.logsumexp((0, 1))).exp()


def state_indices(rows):
    """The number that the bits of each row write, so that states can be counted."""
    return (rows.long() * 2 ** torch.arange(rows.shape[1]).flip(0)).sum(1)


def assert_sampled_from(rows, p):
    """Chi-square test of rows of bits against the probability of every state, at one in 10,000."""
    counts = torch.bincount(state_indices(rows), minlength=len(p)).numpy()
    assert stats.chisquare(counts, p.numpy() * len(rows)).pvalue > 1e-4


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_the_free_energy_is_minus_the_log_of_the_sum_over_hidden_states(visible):
    rbm = small_rbm(visible=visible)
    rows = all_states(4)
    if visible == "gaussian":
        rows = 2 * torch.randn(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = -(-energy_table(rbm, rows)).logsumexp(1)
    torch.testing.assert_close(rbm.free_energy(rows), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_the_energy_is_the_printed_sum(visible):
    rbm = small_rbm(visible=visible)
    v, h = all_states(4), all_states(3)
    pairs = [(a, b) for a in v for b in h]
    found = rbm.energy(torch.stack([a for a, _ in pairs]), torch.stack([b for _, b in pairs]))
    torch.testing.assert_close(found, energy_table(rbm, v).flatten(), rtol=1e-12, atol=1e-12)


def test_the_partition_function_over_visible_states_is_the_one_over_hidden_states():
    rbm = small_rbm()
    transposed = RBM(RBMConfig(n_visible=3, n_hidden=4)).double()
    transposed.weight.copy_(rbm.weight.t())
    transposed.visible_bias.copy_(rbm.hidden_bias)
    transposed.hidden_bias.copy_(rbm.visible_bias)
    over_visible = (-rbm.free_energy(all_states(4))).logsumexp(0)
    over_hidden = (-transposed.free_energy(all_states(3))).logsumexp(0)
    torch.testing.assert_close(over_visible, over_hidden, rtol=1e-12, atol=0)
    torch.testing.assert_close(over_visible, (-energy_table(rbm, all_states(4))).logsumexp((0, 1)))


def test_means_are_the_conditionals_of_the_joint_table():
    rbm = small_rbm()
    joint, v, h = joint_table(rbm), all_states(4), all_states(3)
    hidden_given_visible = joint @ h / joint.sum(1, keepdim=True)
    visible_given_hidden = joint.t() @ v / joint.sum(0)[:, None]
    torch.testing.assert_close(rbm.hidden_mean(v), hidden_given_visible, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(rbm.visible_mean(h), visible_given_hidden, rtol=1e-12, atol=1e-12)


def test_the_hidden_mean_of_a_gaussian_rbm_is_its_conditional():
    rbm = small_rbm(visible="gaussian")
    rows = torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    p = (-energy_table(rbm, rows)).softmax(1)
    torch.testing.assert_close(rbm.hidden_mean(rows), p @ all_states(3), rtol=1e-12, atol=1e-12)


def test_the_visible_mean_of_a_gaussian_rbm_is_where_its_energy_is_least():
    rbm = small_rbm(visible="gaussian")
    h = all_states(3)
    v = rbm.visible_mean(h).requires_grad_()
    (gradient,) = torch.autograd.grad(rbm.energy(v, h).sum(), v)
    assert gradient.abs().max() < 1e-12


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_rows_of_the_model_stay_rows_of_the_model_under_gibbs_steps(steps):
    rbm = small_rbm(scale=0.8)
    p, n = joint_table(rbm).sum(1), 40_000
    rng = torch.Generator().manual_seed(steps)
    start = all_states(4)[torch.multinomial(p, n, replacement=True, generator=rng)]
    assert_sampled_from(start, p)
    assert_sampled_from(rbm.gibbs(start, steps, rng), p)


def test_gibbs_steps_forget_where_they_began():
    rbm = small_rbm(scale=0.8)
    start = torch.zeros(40_000, 4, dtype=torch.float64)
    found = rbm.gibbs(start, 60, torch.Generator().manual_seed(0))
    assert_sampled_from(found, joint_table(rbm).sum(1))


def test_rows_of_a_gaussian_model_stay_rows_of_the_model_under_gibbs_steps():
    rbm = small_rbm(n_visible=2, n_hidden=3, visible="gaussian")
    h, n = all_states(3), 40_000
    # Integrating v out leaves p(h) ~ exp(c.h + |b + W h|^2 / 2 - |b|^2 / 2): v is a mixture of unit normals.
    means = rbm.visible_bias + h @ rbm.weight.t()
    weights = (h @ rbm.hidden_bias + means.square().sum(1) / 2).softmax(0)
    mixture = distributions.MixtureSameFamily(
        distributions.Categorical(weights), distributions.Independent(distributions.Normal(means, 1), 1)
    )
    rng = torch.Generator().manual_seed(0)
    chosen = torch.multinomial(weights, n, replacement=True, generator=rng)
    start = means[chosen] + torch.randn(n, 2, generator=rng, dtype=torch.float64)
    found = rbm.gibbs(start, 3, rng)
    error = (mixture.variance / n).sqrt()
    assert ((found.mean(0) - mixture.mean).abs() < 5 * error).all()
    assert stats.ks_2samp(mixture.log_prob(start).numpy(), mixture.log_prob(found).numpy()).pvalue > 1e-4
    assert_sampled_from(rbm.sample_hidden(found, rng), weights)


def test_visible_biases_start_from_log_odds():
    rows = torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    rbm = RBM(RBMConfig(n_visible=3, n_hidden=2))
    rbm.initialize_from(rows)
    ones = rows.sum(0)
    # Half a one and half a zero are added, so that a constant column has finite odds.
    torch.testing.assert_close(rbm.visible_bias, torch.log((ones + 0.5) / (3 - ones + 0.5)))


def test_visible_biases_of_gaussian_units_start_from_the_means():
    rows = torch.tensor([[2.0, -7.0], [4.0, 3.0]])
    rbm = RBM(RBMConfig(n_visible=2, n_hidden=2, visible="gaussian"))
    rbm.initialize_from(rows)
    assert rbm.visible_bias.tolist() == [3.0, -2.0]


def test_bernoulli_units_refuse_rows_outside_the_unit_interval():
    with pytest.raises(UserError, match=r"from -1\.5 to 2.*visible: gaussian"):
        RBM(RBMConfig(n_visible=2, n_hidden=2)).initialize_from(torch.tensor([[-1.5, 0.0], [0.5, 2.0]]))


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_the_features_of_a_row_do_not_depend_on_its_batch(visible):
    rbm = small_rbm(30, 20, visible)
    rows = torch.rand(64, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    batched = rbm.hidden_mean(rows)
    for i in (0, 17, 63):
        torch.testing.assert_close(rbm.hidden_mean(rows[i : i + 1])[0], batched[i], rtol=1e-13, atol=0)


def test_a_reconstruction_is_the_way_up_and_down():
    rbm = small_rbm()
    v = all_states(4)
    h = torch.sigmoid(v @ rbm.weight + rbm.hidden_bias)
    torch.testing.assert_close(rbm.reconstruct(v), torch.sigmoid(h @ rbm.weight.t() + rbm.visible_bias))


def test_first_weights_have_the_standard_deviation_of_the_practical_guide():
    rbm = RBM(RBMConfig(n_visible=300, n_hidden=200), torch.Generator().manual_seed(0))
    # The standard deviation of 60,000 draws errs by 0.3 %.
    assert float(rbm.weight.std()) == pytest.approx(0.01, rel=0.015)
    assert not rbm.visible_bias.any()
    assert not rbm.hidden_bias.any()
