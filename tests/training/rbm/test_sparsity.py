"""The push of each hidden unit towards the sparsity target has the documented size, whatever else a step does."""

import pytest
import torch
from helpers import small_rbms as m

from layerwise.data import TensorData
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.training import fit
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings

TARGET, COST, DECAY, RATE = 0.05, 0.7, 0.8, 0.3


def plan(rbm, **settings):
    return ContrastiveDivergence(rbm, ContrastiveDivergenceSettings(**settings), m.seeded(1))


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_first_step_differs_by_the_whole_push_at_any_momentum(centered, momentum):
    rows = torch.rand(6, 4, generator=m.seeded(5), dtype=torch.float64)
    ends = []
    for sparsity in ({}, {"sparsity_target": TARGET, "sparsity_cost": COST, "sparsity_decay": DECAY}):
        rbm = m.make_rbm("bernoulli")
        activation = rbm.hidden_mean(rows).mean(0)
        learner = plan(rbm, learning_rate=RATE, momentum=momentum, centered=centered, **sparsity)
        learner.training_step(TensorData(rows))
        ends.append(rbm)
    running = DECAY * TARGET + (1 - DECAY) * activation
    push = RATE * COST * (TARGET - running)
    plain, sparse = ends
    torch.testing.assert_close(sparse.hidden_bias - plain.hidden_bias, push, rtol=1e-9, atol=1e-12)
    expected = torch.outer(rows.mean(0), push)
    torch.testing.assert_close(sparse.weight - plain.weight, expected, rtol=1e-9, atol=1e-12)
    assert torch.equal(sparse.visible_bias, plain.visible_bias)


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sparsity_brings_the_mean_activation_to_its_target(centered, momentum):
    rows = torch.rand(400, 12, generator=m.seeded(), dtype=torch.float64).round()
    rbm = RBM(RBMConfig(n_visible=12, n_hidden=10), m.seeded(1)).double()
    learner = plan(
        rbm,
        learning_rate=0.1,
        momentum=momentum,
        final_momentum=momentum,
        centered=centered,
        sparsity_target=0.05,
        sparsity_cost=1.0,
    )
    fit(learner, TensorData(rows), epochs=60, batch_size=50, rng=m.seeded(2))
    assert (rbm.hidden_mean(rows).mean(0) - 0.05).abs().max() < 0.03
