"""Chains of documents keep their lengths; chains of incomplete rows are refused; float64."""

from itertools import product

import pytest
import torch
from helpers import small_rbms as m

from layerwise.data import SparseTensorData, TensorData
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import UnitBlock, UnitsError
from layerwise.training.rbm import (
    ContrastiveDivergence,
    ContrastiveDivergenceSettings,
    RBMTrainingSettings,
    fit_rbm,
)

SHORT, LONG = 2, 6


def plan(rbm, seed=1, **settings):
    return ContrastiveDivergence(rbm, ContrastiveDivergenceSettings(**settings), m.seeded(seed))


def documents_rbm(seed=0):
    # A weak bias a word that adds up over a document: hidden units of long documents are nearly always on.
    rbm = RBM(RBMConfig(n_visible=3, n_hidden=2, visible="counts")).double()
    rbm.weight.normal_(0, 1.2, generator=m.seeded(seed))
    rbm.visible_bias.normal_(0, 0.5, generator=m.seeded(seed + 1))
    rbm.hidden_bias.fill_(0.3)
    return rbm


def mean_hidden(rbm, words):
    """E[h | D] by a sum over every ordered document of so many words and every hidden state."""
    ordered = torch.tensor(list(product(range(3), repeat=words)))
    counts = torch.nn.functional.one_hot(ordered, 3).sum(1).double()
    h = m.hidden_states(rbm)
    minus_energy = (
        counts @ rbm.visible_bias[:, None] + counts @ rbm.weight @ h.t() + words * (h @ rbm.hidden_bias)
    )
    return (minus_energy - minus_energy.logsumexp((0, 1))).exp().sum(0) @ h


def documents(n):
    """Rows of two lengths in an order of their own in each batch."""
    lengths = torch.where(torch.rand(n, generator=m.seeded(n)) < 0.5, SHORT, LONG)
    words = torch.randint(3, (n, LONG), generator=m.seeded(n + 1))
    counts = torch.nn.functional.one_hot(words, 3) * (torch.arange(LONG) < lengths[:, None])[..., None]
    return counts.sum(1).double()


def test_persistent_chains_of_documents_sample_the_model_of_their_own_length():
    rbm, n = documents_rbm(), 20_000
    learner = plan(rbm, chain="persistent", chains=n, learning_rate=1e-12, steps=3)
    for k in range(20):
        learner.training_step(TensorData(documents(n + k)))
    lengths = learner.chains.lengths[:, 0]
    assert lengths.unique().tolist() == [SHORT, LONG]
    assert float((lengths == SHORT).double().mean()) == pytest.approx(0.5, abs=0.02)
    for words in (SHORT, LONG):
        found = learner.chains.hidden[lengths == words]
        expected = mean_hidden(rbm, words)
        error = 5 * (expected * (1 - expected) / len(found)).sqrt()
        assert bool(((found.mean(0) - expected).abs() < error).all()), words


@pytest.mark.parametrize("sparse", [False, True])
def test_a_run_of_documents_goes_on_with_the_lengths_of_its_chains(sparse):
    rows = documents(40)
    batches = [TensorData(rows[:7]), TensorData(rows[7:12]), TensorData(rows[12:])]
    if sparse:
        from scipy.sparse import csr_matrix

        data = SparseTensorData(csr_matrix(rows.numpy()))
        batches = [data[torch.arange(k, k + 7)] for k in (0, 7, 14)]
    learner = plan(documents_rbm(), chain="persistent", chains=9)
    learner.training_step(batches[0])
    state = learner.state_dict()
    again = plan(documents_rbm(5), seed=9, chain="persistent", chains=9)
    again.load_state_dict(state)
    for each in (learner, again):
        for batch in batches[1:]:
            each.training_step(batch)
    assert torch.equal(again.chains.lengths, learner.chains.lengths)
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in learner.state_dict().items())
    fresh = plan(documents_rbm(), chain="persistent", chains=9)
    fresh.load_state_dict(plan(documents_rbm(), chain="persistent", chains=9).state_dict())
    assert not fresh.chains.started


COMPLETE = torch.eye(3).repeat(4, 2)
INCOMPLETE = torch.cat([COMPLETE, torch.tensor([[0.0, 0, 0, 1, 0, 0]])])
WITH_REST = {
    "visible": "mixed",
    "blocks": (UnitBlock(kind="softmax", size=6, groups=(3, 3), rest=(True, False)),),
}


def train(rows, shape, **settings):
    rbm = RBM(RBMConfig(n_visible=6, n_hidden=3, **shape), m.seeded())
    chosen = RBMTrainingSettings(epochs=2, batch_size=4, n_hidden=3, **settings)
    return fit_rbm(rbm, TensorData(rows), None, chosen, 0)


SOFTMAX = {"visible": "softmax", "groups": (3, 3)}
MIXED = {
    "visible": "mixed",
    "blocks": (UnitBlock(kind="softmax", size=6, groups=(3, 3), rest=(False, False)),),
}


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        (SOFTMAX, {"chain": "persistent"}),
        (SOFTMAX, {"chain": "tempered"}),
        (SOFTMAX, {"centered": True}),
        (MIXED, {"chain": "persistent"}),
        (MIXED, {"centered": True}),
    ],
)
def test_groups_that_a_row_misses_refuse_chains_that_know_nothing_of_it(shape, settings):
    with pytest.raises(UnitsError, match=r"missing in 1 of 13 rows.*chain: data"):
        train(INCOMPLETE, shape, **settings)
    assert train(COMPLETE, shape, **settings).history["rbm"]


@pytest.mark.parametrize("settings", [{"chain": "persistent"}, {"centered": True}])
def test_an_empty_group_that_is_a_state_of_its_own_is_not_missing(settings):
    assert train(INCOMPLETE, WITH_REST, **settings).history["rbm"]


@pytest.mark.parametrize("settings", [{}, {"steps": 3}, {"sample_visible": True}])
def test_chains_from_the_batch_leave_missing_groups_out(settings):
    rbm = RBM(RBMConfig(n_visible=6, n_hidden=3, **SOFTMAX), m.seeded())
    before = {name: value.clone() for name, value in rbm.state_dict().items()}
    without_second = torch.eye(6)[:3].repeat(4, 1)
    plan(rbm, weight_decay=0.0, **settings).training_step(TensorData(without_second))
    for name in ("weight", "visible_bias"):
        first, second = (rbm.state_dict()[name] - before[name]).split(3)
        assert torch.equal(second, torch.zeros_like(second))
        assert bool((first != 0).any())
    assert train(INCOMPLETE, SOFTMAX, **settings).history["rbm"]


def test_a_plan_alone_refuses_them_at_its_first_batch():
    rbm = RBM(RBMConfig(n_visible=6, n_hidden=3, visible="softmax", groups=(3, 3)), m.seeded())
    learner = plan(rbm, chain="persistent")
    with pytest.raises(UnitsError, match="missing in 1 of 13 rows"):
        learner.training_step(TensorData(INCOMPLETE))
