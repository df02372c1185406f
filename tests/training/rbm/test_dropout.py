"""Hidden units that are left out of an update take no part in it, nor in the activation that is remembered."""

import pytest
import torch
from helpers import small_rbms as m

from layerwise.data import TensorData
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import UnitsError
from layerwise.training import fit
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings

PLAIN = {"momentum": 0.0, "final_momentum": 0.0, "weight_decay": 0.0}


def make_rbm(name="bernoulli", dropout=0.5):
    rbm = RBM(RBMConfig(**m.EVERY[name], dropout=dropout)).double()
    for value in rbm.parameters():
        value.normal_(0, 0.8, generator=m.seeded())
    return rbm


def plan(rbm, seed=1, **settings):
    return ContrastiveDivergence(
        rbm, ContrastiveDivergenceSettings(dropout=rbm.config.dropout, **settings), m.seeded(seed)
    )


def test_a_unit_is_left_out_for_the_whole_step():
    row = torch.tensor([[0.0, 1, 1, 0]], dtype=torch.float64)
    dropped = 0
    for seed in range(40):
        rbm, before = make_rbm(), make_rbm()
        plan(rbm, seed=seed, learning_rate=1.0, steps=2, **PLAIN).training_step(TensorData(row))
        still = (rbm.weight == before.weight).all(0)
        assert torch.equal(still, rbm.hidden_bias == before.hidden_bias)
        dropped += int(still.sum())
    assert 35 < dropped < 85  # of 120, at a half


def test_a_group_of_categorical_units_is_left_out_as_a_whole():
    row = torch.tensor([[0.0, 1, 1]], dtype=torch.float64)
    dropped = 0
    for seed in range(40):
        rbm, before = make_rbm("categorical hidden"), make_rbm("categorical hidden")
        plan(rbm, seed=seed, learning_rate=1.0, **PLAIN).training_step(TensorData(row))
        still = (rbm.hidden_bias == before.hidden_bias).view(2, 3)
        assert torch.equal(still.all(1), still.any(1))
        dropped += int(still.all(1).sum())
    assert 20 < dropped < 60  # of 80, at a half


def test_the_running_activation_is_of_the_rows_that_kept_the_unit():
    rows = torch.rand(5, 4, generator=m.seeded(5), dtype=torch.float64)
    ends = []
    for sparsity in ({}, {"sparsity_target": 0.2, "sparsity_cost": 0.7, "sparsity_decay": 0.8}):
        rbm = make_rbm()
        plan(rbm, learning_rate=0.3, **PLAIN, **sparsity).training_step(TensorData(rows))
        ends.append(rbm)
    kept = torch.rand(5, 3, generator=m.seeded(1), dtype=torch.float64) >= 0.5
    assert not kept.all()
    assert bool(kept.any(0).all())
    activation = (make_rbm().hidden_mean(rows) * kept).sum(0) / kept.sum(0)
    push = 0.3 * 0.7 * (0.2 - (0.8 * 0.2 + 0.2 * activation))
    torch.testing.assert_close(ends[1].hidden_bias - ends[0].hidden_bias, push, rtol=1e-9, atol=1e-12)


def test_a_unit_that_every_row_left_out_keeps_its_running_activation():
    learner = plan(make_rbm(), sparsity_target=0.2)
    for seed in range(9):
        learner.rng.manual_seed(seed)
        before = learner.mean_activation.clone()
        learner.training_step(TensorData(torch.ones(1, 4, dtype=torch.float64)))
        kept = torch.rand(1, 3, generator=m.seeded(seed), dtype=torch.float64)[0] >= 0.5
        assert torch.equal(learner.mean_activation != before, kept)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_units_that_are_kept_reach_the_sparsity_target(dropout):
    rows = torch.rand(400, 12, generator=m.seeded(), dtype=torch.float64).round()
    rbm = RBM(RBMConfig(n_visible=12, n_hidden=10, dropout=dropout), m.seeded(1)).double()
    learner = plan(rbm, learning_rate=0.1, final_momentum=0.5, sparsity_target=0.1, sparsity_cost=1.0)
    fit(learner, TensorData(rows), epochs=60, batch_size=50, rng=m.seeded(2))
    assert float(rbm.hidden_mean(rows).mean()) == pytest.approx(0.1, abs=0.02)


def test_learning_with_dropout_raises_the_likelihood_of_the_geometric_mean():
    rows = m.states(m.bits(4))[[0, 0, 0, 15, 15, 15, 3]].repeat(30, 1)
    rbm = RBM(RBMConfig(n_visible=4, n_hidden=8, dropout=0.3), m.seeded()).double()
    rbm.initialize_from(rows)
    v = m.states(m.bits(4))

    def log_likelihood():
        return float(-rbm.free_energy(rows).mean() - (-rbm.free_energy(v)).logsumexp(0))

    before = log_likelihood()
    learner = plan(rbm, learning_rate=0.1, steps=2)
    fit(learner, TensorData(rows), epochs=60, batch_size=30, rng=m.seeded(1))
    assert log_likelihood() > before + 0.8


@pytest.mark.parametrize("chain", ["persistent", "tempered"])
def test_chains_of_their_own_cannot_follow(chain):
    with pytest.raises(UnitsError, match="persistent chains cannot follow"):
        plan(make_rbm(), chain=chain)


def test_an_rbm_whose_config_has_another_dropout_is_refused():
    with pytest.raises(UnitsError, match=r"dropout 0 and its settings 0.5"):
        ContrastiveDivergence(make_rbm(dropout=0.0), ContrastiveDivergenceSettings(dropout=0.5), m.seeded())
