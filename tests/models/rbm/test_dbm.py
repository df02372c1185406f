import pytest
import torch
from helpers.small_rbms import bits, seeded, states

from layerwise.evaluation.likelihood import LikelihoodSettings, log_partition
from layerwise.models import MLP, MLPConfig, load_network, save_network
from layerwise.models.rbm import DBM, RBM, DBMConfig, MeanFieldNetwork, RBMConfig

N, BOTTOM, TOP = 4, 3, 2


def make_dbm(seed=0, scale=1.0):
    dbm = DBM(DBMConfig(n_visible=N, hidden_sizes=(BOTTOM, TOP), mean_field_steps=50)).double()
    rng = seeded(seed)
    for value in dbm.parameters():
        value.normal_(0, scale, generator=rng)
    return dbm


def parts(dbm):
    """W1, W2 and the biases of the three layers, cut out of the joint RBM."""
    joint = dbm.joint
    return (
        joint.weight[:N], joint.weight[N:].T, joint.visible_bias[:N], joint.hidden_bias, joint.visible_bias[N:],
    )  # fmt: skip


def exact(dbm):
    """log p(v), log Z and p(v, h1, h2) by the paper's energy, of every state."""
    w1, w2, b, c1, c2 = parts(dbm)
    v, h1, h2 = (states(bits(n)) for n in (N, BOTTOM, TOP))
    minus_energy = (
        (v @ b)[:, None, None]
        + (h1 @ c1)[None, :, None]
        + (h2 @ c2)[None, None]
        + (v @ w1 @ h1.T)[:, :, None]
        + (h1 @ w2 @ h2.T)[None]
    )
    log_z = minus_energy.logsumexp((0, 1, 2))
    return minus_energy.logsumexp((1, 2)) - log_z, float(log_z), (minus_energy - log_z).exp()


def test_log_z_of_the_joint_rbm_is_that_of_the_papers_energy():
    dbm = make_dbm()
    _, log_z, _ = exact(dbm)
    rows = states(bits(N + TOP))
    found = log_partition(dbm.joint, rows, LikelihoodSettings(method="exact"), seeded())
    assert found.low == pytest.approx(log_z, abs=1e-9)


def test_annealing_agrees_with_the_exact_log_z():
    dbm = make_dbm()
    _, log_z, _ = exact(dbm)
    settings = LikelihoodSettings(method="ais", chains=500, temperatures=200, reverse_steps=100)
    found = log_partition(dbm.joint, states(bits(N + TOP)), settings, seeded())
    assert found.low <= log_z <= found.high
    assert found.high - found.low < 0.2


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.0])
def test_the_mean_field_bound_is_below_log_p_and_no_step_lowers_it(scale):
    dbm = make_dbm(scale=scale)
    log_p, log_z, _ = exact(dbm)
    rows = states(bits(N))
    bounds = torch.stack([dbm.bound(rows, log_z, steps) for steps in (0, 1, 2, 5, 50)])
    assert (bounds <= log_p + 1e-9).all()
    assert (bounds.diff(dim=0) >= -1e-9).all()


def test_the_bound_is_the_expected_energy_and_the_entropy_of_the_factorial_posterior():
    dbm = make_dbm()
    w1, w2, b, c1, c2 = parts(dbm)
    rows = states(bits(N))
    bottom, top = dbm.mean_field(rows)
    expected = (
        rows @ b + bottom @ c1 + top @ c2 + ((rows @ w1) * bottom).sum(1) + ((bottom @ w2) * top).sum(1)
    )
    entropy = sum(torch.distributions.Bernoulli(means).entropy().sum(1) for means in (bottom, top))
    torch.testing.assert_close(dbm.bound(rows), expected + entropy)


def test_without_connections_to_the_top_the_bound_is_exact():
    dbm = make_dbm()
    dbm.joint.weight[N:] = 0
    log_p, log_z, _ = exact(dbm)
    torch.testing.assert_close(dbm.bound(states(bits(N)), log_z), log_p)


def test_samples_have_the_exact_distribution():
    dbm = make_dbm()
    log_p, _, _ = exact(dbm)
    n = 40_000
    means = dbm.sample(n, 40, seeded())
    rows = torch.bernoulli(means, generator=seeded(1))
    counts = torch.bincount((rows.long() * 2 ** torch.arange(N).flip(0)).sum(1), minlength=2**N)
    # Each count is binomial: 4.5 standard deviations of 16 states are a chance of one in ten thousand.
    expected = n * log_p.exp()
    assert ((counts - expected).abs() < 4.5 * expected.sqrt()).all()


def test_h1_sees_the_mean_of_two_rbms_that_were_trained_with_doubled_weights():
    lower, upper = (
        RBM(RBMConfig(n_visible=n, n_hidden=m), seeded(m)).double() for n, m in ((N, BOTTOM), (BOTTOM, TOP))
    )
    for value in (*lower.parameters(), *upper.parameters()):
        value.normal_(generator=seeded(7))
    dbm = make_dbm()
    dbm.initialize_from_rbms(lower, upper)
    v, h2 = states(bits(N))[5:6], states(bits(TOP))[1:2]
    doubled_rows = lower.hidden_bias + 2 * v @ lower.weight
    doubled_top = upper.visible_bias + 2 * h2 @ upper.weight.T
    seen = dbm.joint.hidden_pre_activation(torch.cat([v, h2], 1))
    torch.testing.assert_close(seen, (doubled_rows + doubled_top) / 2)


def network_of(dbm):
    plain = MLP(MLPConfig(n_inputs=N, n_outputs=3, hidden_sizes=(BOTTOM, TOP)), seeded(3)).double()
    return MeanFieldNetwork.of(dbm, plain).double(), plain


def test_a_network_of_a_converged_dbm_has_its_mean_field_means_as_activations():
    dbm = make_dbm()
    network, plain = network_of(dbm)
    rows = states(bits(N))
    for found, expected in zip(network.hidden_activations(rows), dbm.mean_field(rows), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(network.output.weight, plain.output.weight)


def test_rows_with_their_mean_field_activations_are_read_as_they_are():
    network, _ = network_of(make_dbm())
    rows = states(bits(N))
    torch.testing.assert_close(network(network.embed(rows)), network(rows), atol=0, rtol=0)


def test_a_network_and_its_dbm_are_read_as_they_were_saved(tmp_path):
    dbm = make_dbm().float()
    network, _ = network_of(dbm)
    rows = states(bits(N)).float()
    for k, each in enumerate((dbm, network.float())):
        save_network(each, tmp_path / str(k))
        read = load_network(tmp_path / str(k))
        call = read.encode if k == 0 else read
        torch.testing.assert_close(call(rows), (each.encode if k == 0 else each)(rows), atol=0, rtol=0)


def test_the_networks_own_dbm_does_not_learn():
    network, _ = network_of(make_dbm())
    assert not [name for name, value in network.named_parameters() if "dbm" in name and value.requires_grad]
