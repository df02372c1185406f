"""Persistent and tempered chains keep the model's distribution."""

import pytest
import torch
from helpers import small_rbms as m
from scipy import stats

from layerwise.data import TensorData
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import UnitsError
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings
from layerwise.training.rbm.chains import PersistentChains, TemperedChains


def plan(rbm, seed=1, **settings):
    return ContrastiveDivergence(rbm, ContrastiveDivergenceSettings(**settings), m.seeded(seed))


def counts_of(rows, states):
    return (rows[:, None] == states[None]).all(2).sum(0).numpy()


@pytest.mark.parametrize("name", ["bernoulli", "softmax", "mixed", "categorical hidden", "counts"])
def test_persistent_chains_do_not_drift(name):
    rbm = m.make_rbm(name)
    rows, p = m.joint(rbm)
    n, rng = 30_000, m.seeded(2)
    chains = PersistentChains(rbm, n, rng)
    h = m.hidden_states(rbm)
    lengths = torch.full((n, 1), float(m.WORDS), dtype=torch.float64) if name == "counts" else None
    chains.start(h[torch.multinomial(p.sum(0), n, replacement=True, generator=rng)], lengths)
    visible, hidden = (
        torch.empty(n, rbm.config.n_visible).double(),
        torch.empty(n, rbm.config.n_hidden).double(),
    )
    for _ in range(3):
        chains.advance(visible, hidden, 1)
    assert stats.chisquare(counts_of(visible, rows), p.sum(1).numpy() * n).pvalue > 1e-4
    assert stats.chisquare(counts_of(chains.hidden, h), p.sum(0).numpy() * n).pvalue > 1e-4
    torch.testing.assert_close(hidden, rbm.hidden_mean(visible))


@pytest.mark.parametrize("name", ["bernoulli", "softmax", "categorical hidden"])
def test_tempered_chains_do_not_drift_at_any_temperature(name):
    rbm = m.make_rbm(name, scale=1.2)
    n, rng = 20_000, m.seeded(2)
    chains = TemperedChains(rbm, n, rng, temperatures=4)
    assert chains.betas.tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    rows = m.visible_states(rbm)[0]
    h, energies = m.hidden_states(rbm), m.energies(rbm, rows)
    levels = [(-beta * energies).flatten().softmax(0).view_as(energies) for beta in chains.betas]
    chains.hidden = torch.cat(
        [h[torch.multinomial(p.sum(0), n, replacement=True, generator=rng)] for p in levels]
    )
    visible, hidden = (
        torch.empty(n, rbm.config.n_visible).double(),
        torch.empty(n, rbm.config.n_hidden).double(),
    )
    for _ in range(3):
        chains.advance(visible, hidden, 1)
    assert chains.accepted.shape == (3 * n,)
    assert stats.chisquare(counts_of(visible, rows), levels[0].sum(1).numpy() * n).pvalue > 1e-4
    for level, p in enumerate(levels):
        found = counts_of(chains.hidden[level * n : (level + 1) * n], h)
        assert stats.chisquare(found, p.sum(0).numpy() * n).pvalue > 1e-4


@pytest.mark.parametrize("steps", [1, 2])
def test_the_rate_of_swaps_is_that_of_the_exchanges_rule(steps):
    rbm = m.make_rbm("bernoulli", scale=1.2)
    n, rng = 40_000, m.seeded(2)
    learner = plan(rbm, chain="tempered", chains=n, temperatures=2, learning_rate=1e-12, steps=steps)
    rows = m.visible_states(rbm)[0]
    energies = m.energies(rbm, rows).flatten()
    # Both temperatures at their own distribution: at inverse temperature 0 every pair of states is as likely.
    hot, cold = torch.full_like(energies, 1 / len(energies)), (-energies).softmax(0)
    h = m.hidden_states(rbm).repeat(len(rows), 1)
    learner.chains.hidden = torch.cat(
        [h[torch.multinomial(p, n, replacement=True, generator=rng)] for p in (cold, hot)]
    )
    expected = (cold[:, None] * hot * (energies[:, None] - energies).exp().clamp_max(1)).sum()
    found = learner.training_step(TensorData(rows[:5]))["swap_rate"]
    assert found.shape == (n * steps,)
    assert float(found.mean()) == pytest.approx(float(expected), abs=5 * 0.5 / n**0.5)


def test_tempered_chains_reach_the_mode_that_a_single_chain_does_not():
    rbm = RBM(RBMConfig(n_visible=8, n_hidden=2)).double()
    # Two far-off modes, all on and all off, of equal weight.
    rbm.weight.fill_(6.0)
    rbm.visible_bias.fill_(-6.0)
    rbm.hidden_bias.fill_(-24.0)
    fraction = {}
    for kind in ("persistent", "tempered"):
        n = 200
        chains = (
            PersistentChains(rbm, n, m.seeded())
            if kind == "persistent"
            else TemperedChains(rbm, n, m.seeded(), temperatures=20)
        )
        chains.start(torch.zeros(1, 2, dtype=torch.float64))
        visible, hidden = torch.empty(n, 8).double(), torch.empty(n, 2).double()
        chains.advance(visible, hidden, 400)
        fraction[kind] = float((visible.mean(1) > 0.5).double().mean())
    assert fraction["persistent"] < 0.02
    assert 0.35 < fraction["tempered"] < 0.65


@pytest.mark.parametrize(
    "shape", [m.REAL["gaussian"], {"n_visible": 3, "n_hidden": 2, "hidden": "nrelu"}, m.DISCRETE["counts"]]
)
def test_tempering_refuses_units_whose_inputs_do_not_simply_scale(shape):
    with pytest.raises(UnitsError, match="chain: persistent"):
        plan(RBM(RBMConfig(**shape)), chain="tempered")


def test_persistent_chains_go_on_where_they_were_and_their_number_is_not_the_batchs():
    rbm = m.make_rbm("bernoulli")
    learner = plan(rbm, chain="persistent", chains=7)
    states = m.visible_states(rbm)[0]
    rows = states[torch.randint(len(states), (6,), generator=m.seeded(5))]
    learner.training_step(TensorData(rows))
    first = learner.chains.hidden.clone()
    learner.training_step(TensorData(rows[:2]))  # a short last batch
    assert first.shape == learner.chains.hidden.shape == (7, 3)
    state = learner.state_dict()
    again = plan(m.make_rbm("bernoulli", seed=9), seed=9, chain="persistent", chains=7)
    again.load_state_dict(state)
    for part in (rows, rows[:4]):
        learner.training_step(TensorData(part))
        again.training_step(TensorData(part))
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in learner.state_dict().items())
