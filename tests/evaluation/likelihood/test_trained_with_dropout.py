"""An RBM trained with dropout is the geometric mean of its thinned RBMs, every one of which is summed here."""

import math

import pytest
import torch
from helpers import small_rbms as m

from layerwise.evaluation.likelihood import (
    LikelihoodSettings,
    ais_log_weights,
    log_partition,
    reverse_ais_log_weights,
    sample_rows,
)
from layerwise.evaluation.likelihood.partition import exact_log_partition
from layerwise.models import load_network, save_network
from layerwise.models.autoencoder import from_dbn, unroll
from layerwise.models.rbm import (
    DBN,
    RBM,
    DBNConfig,
    RBMConfig,
    class_log_probabilities,
    log_pseudo_likelihood,
    rating_probabilities,
)
from layerwise.models.rbm.units import UnitsError

DROPPED = 0.3
KINDS = ["bernoulli", "softmax", "mixed", "categorical hidden", "gaussian with variances"]


def make_rbm(name, seed=0, scale=0.8):
    rbm = RBM(RBMConfig(**m.EVERY[name], dropout=DROPPED)).double()
    rng = m.seeded(seed)
    for value in rbm.parameters():
        value.normal_(0, scale, generator=rng)
    return rbm


def rows_of(rbm):
    if rbm.config.visible == "gaussian":
        return torch.randn(5, rbm.config.n_visible, generator=m.seeded(3), dtype=torch.float64)
    return m.visible_states(rbm)[0]


def mean_free_energy(rbm, rows):
    """The mean over masks of -log of the sum over the hidden states of the units that are kept."""
    energies, states = m.energies(rbm, rows), m.hidden_states(rbm)
    size = rbm.config.hidden_group_size or 1
    own = rbm.visible_units.free_energy_term(rows, rbm.visible_bias)[:, None]
    x = rbm.hidden_pre_activation(rows)
    torch.testing.assert_close(energies, own - x @ states.t())
    total = torch.zeros(len(rows), dtype=torch.float64)
    for mask in m.states(m.bits(rbm.config.n_hidden // size)):
        p = math.prod(1 - DROPPED if kept else DROPPED for kept in mask.tolist())
        kept = mask.repeat_interleave(size)
        # Each state of the units that are kept, once: the others are off in all of them.
        thinned = (states * kept).unique(dim=0)
        total -= p * (x @ thinned.t() - own).logsumexp(1)
    return total


@pytest.mark.parametrize("name", KINDS)
def test_the_free_energy_is_the_mean_over_all_thinned_rbms(name):
    rbm = make_rbm(name)
    rows = rows_of(rbm)
    torch.testing.assert_close(rbm.free_energy(rows), mean_free_energy(rbm, rows), rtol=1e-11, atol=1e-11)


def test_hidden_means_and_weights_stay_as_they_are():
    rbm, plain = make_rbm("bernoulli"), m.make_rbm("bernoulli")
    rows = rows_of(rbm)
    assert torch.equal(rbm.weight, plain.weight)
    assert torch.equal(rbm.hidden_mean(rows), plain.hidden_mean(rows))


@pytest.mark.parametrize("name", ["bernoulli", "softmax", "mixed", "categorical hidden"])
def test_the_pseudo_likelihood_and_log_z_are_those_of_the_geometric_mean(name):
    rbm = make_rbm(name)
    rows = rows_of(rbm)
    log_p = -mean_free_energy(rbm, rows)
    assert exact_log_partition(rbm) == pytest.approx(float(log_p.logsumexp(0)), abs=1e-11)
    p = log_p.softmax(0)
    expected, start = torch.zeros(len(rows), dtype=torch.float64), 0
    for site in m.sites(rbm):
        at = slice(start, start + len(site[0]))
        rest = torch.cat([rows[:, : at.start], rows[:, at.stop :]], 1)
        same = (rest[:, None] == rest[None]).all(2).double()
        expected += (p / (same @ p)).log()
        start = at.stop
    torch.testing.assert_close(log_pseudo_likelihood(rbm, rows), expected, rtol=1e-10, atol=1e-11)


def test_labels_and_ratings_are_predicted_by_the_geometric_mean():
    rbm = make_rbm("softmax")
    blank = torch.zeros(1, 6, dtype=torch.float64)
    given = blank.clone()
    given[0, 1] = 1
    options = given + torch.cat([torch.zeros(3, 3), torch.eye(3)], 1)
    expected = (-mean_free_energy(rbm, options.double())).log_softmax(0)
    found = class_log_probabilities(rbm, given[:, :3], 3)
    torch.testing.assert_close(found[0], expected, rtol=1e-10, atol=1e-11)
    rated = rating_probabilities(rbm, given, torch.tensor([0]), torch.tensor([1]), 3)
    torch.testing.assert_close(rated[0], expected.exp(), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", ["bernoulli", "softmax", "categorical hidden"])
def test_annealing_finds_log_z_of_the_geometric_mean_both_ways(name):
    rbm, n = make_rbm(name, scale=1.2), 4000
    exact, base = exact_log_partition(rbm), rbm.visible_bias + 0.3
    betas = torch.linspace(0, 1, 12, dtype=torch.float64)
    forward = ais_log_weights(rbm, base, betas, n, m.seeded(1))
    rows = rows_of(rbm)
    p = (-mean_free_energy(rbm, rows)).softmax(0)
    start = rows[torch.multinomial(p, n, replacement=True, generator=m.seeded(2))]
    backward = reverse_ais_log_weights(rbm, base, betas, start, m.seeded(4))
    for weights in (forward - exact, exact - backward):
        ratio = weights.exp()
        assert abs(float(ratio.mean()) - 1) < 5 * float(ratio.std()) / n**0.5
    # 12 temperatures are enough for these: not the undropped RBM's log Z.
    plain = m.make_rbm(name, scale=1.2)
    assert abs(exact_log_partition(plain) - exact) > 0.3


def test_rows_are_sampled_from_the_geometric_mean():
    rbm, n = make_rbm("bernoulli", scale=1.2), 40_000
    rows = rows_of(rbm)
    p = (-mean_free_energy(rbm, rows)).softmax(0)
    found = sample_rows(rbm, torch.zeros(n, 4, dtype=torch.float64), 60, m.seeded())
    frequencies = (found[:, None] == rows[None]).all(2).double().mean(0)
    assert bool(((frequencies - p).abs() < 5 * (p * (1 - p) / n).sqrt()).all())
    plain = m.make_rbm("bernoulli", scale=1.2)
    assert torch.equal(sample_rows(plain, rows, 3, m.seeded()), plain.gibbs(rows, 3, m.seeded()))


@pytest.mark.parametrize("name", ["bernoulli", "softmax", "categorical hidden"])
def test_the_reconstruction_follows_the_free_energy(name):
    """b + (1 - p) W E[h | v] is the free energy's own slope, with the other sign."""
    rbm = make_rbm(name)
    rows = rows_of(rbm).requires_grad_()
    (slope,) = torch.autograd.grad(-rbm.free_energy(rows).sum(), rows)
    found = rbm.visible_pre_activation(rbm.hidden_mean(rows.detach()))
    torch.testing.assert_close(found, slope, rtol=1e-10, atol=1e-11)


def test_gibbs_steps_end_near_the_geometric_mean():
    rbm, n = make_rbm("bernoulli", scale=1.2), 40_000
    rows = rows_of(rbm)
    p = (-mean_free_energy(rbm, rows)).softmax(0)
    found = rbm.gibbs(torch.zeros(n, 4, dtype=torch.float64), 60, m.seeded())
    frequencies = (found[:, None] == rows[None]).all(2).double().mean(0)
    assert float((frequencies - p).abs().sum()) / 2 < 0.03


def test_an_autoencoder_of_a_stack_reconstructs_as_the_stack_does():
    dbn = DBN(DBNConfig(n_visible=4, hidden_sizes=(3, 2), dropout=0.5), m.seeded()).double()
    rows = m.visible_states(m.make_rbm("bernoulli"))[0]
    for rbm in dbn.rbm_layers():
        rbm.weight.mul_(100)
    found = unroll(from_dbn(dbn).double()).double().reconstruct(rows)
    torch.testing.assert_close(found, dbn.reconstruct(rows), rtol=1e-6, atol=1e-6)


def test_too_many_visible_units_are_annealed_since_hidden_states_do_not_add_up():
    rbm = RBM(RBMConfig(n_visible=30, n_hidden=3, dropout=0.5), m.seeded()).double()
    with pytest.raises(UnitsError, match="annealed"):
        exact_log_partition(rbm)
    rows = torch.zeros(9, 30, dtype=torch.float64)
    settings = LikelihoodSettings(chains=5, temperatures=9, reverse_steps=3)
    assert log_partition(rbm, rows, settings, m.seeded()).method == "ais"


def test_a_saved_network_keeps_its_dropout(tmp_path):
    for network in (
        RBM(RBMConfig(n_visible=3, n_hidden=2, dropout=0.5)),
        DBN(DBNConfig(n_visible=3, hidden_sizes=(2, 2), dropout=0.5)),
    ):
        save_network(network, tmp_path / network.config.kind)
        loaded = load_network(tmp_path / network.config.kind)
        assert loaded.config.dropout == 0.5
    assert [rbm.config.dropout for rbm in loaded.rbm_layers()] == [0.5, 0.5]
