"""Gaussian hidden units against quadrature, sums over all visible states and autograd; float64."""

import math

import pytest
import torch
from helpers import small_rbms as m
from pydantic import ValidationError
from scipy import stats

from layerwise.data import TensorData
from layerwise.evaluation.likelihood import LikelihoodSettings
from layerwise.evaluation.likelihood.partition import exact_log_partition
from layerwise.evaluation.likelihood.rbm import log_partition
from layerwise.models.rbm import RBM, RBMConfig, log_pseudo_likelihood
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings

N = 20_000
ROWS = m.states(m.bits(3))


def gaussian_hidden_rbm(scale=0.8, **shape):
    rbm = RBM(RBMConfig(**{"n_visible": 3, "n_hidden": 2, "hidden": "gaussian"} | shape)).double()
    for value in rbm.parameters():
        value.normal_(0, scale, generator=m.seeded(1))
    return rbm


def integrated_energies(rbm, rows):
    """-log of the integral of exp(-E(v, h)) over both hidden units, by the trapezoidal rule."""
    axis = torch.linspace(-12, 12, 481, dtype=torch.float64)
    h = torch.cartesian_prod(axis, axis)
    log_area = 2 * math.log(float(axis[1] - axis[0]))
    energies = [
        h.square().sum(1) / 2 - h @ rbm.hidden_bias - v @ rbm.visible_bias - h @ rbm.weight.t() @ v
        for v in rows
    ]
    return torch.stack([-((-each).logsumexp(0) + log_area) for each in energies])


def test_the_free_energy_is_the_energy_with_the_hidden_units_integrated_out():
    rbm = gaussian_hidden_rbm()
    torch.testing.assert_close(rbm.free_energy(ROWS), integrated_energies(rbm, ROWS), rtol=1e-9, atol=1e-9)
    h = torch.randn(len(ROWS), 2, generator=m.seeded(), dtype=torch.float64)
    # E(v, h) + F(v) is -log p(h | v), a normal density about the pre-activation.
    density = torch.distributions.Normal(rbm.hidden_pre_activation(ROWS), 1.0).log_prob(h).sum(1)
    torch.testing.assert_close(rbm.free_energy(ROWS) - rbm.energy(ROWS, h), density)
    x = rbm.hidden_pre_activation(ROWS)
    loss = rbm.hidden_units.loss(x, h) + rbm.hidden_units.loss_constant(2)
    torch.testing.assert_close(-loss, density)


def test_log_z_is_the_sum_over_visible_states_and_annealing_finds_it():
    rbm = gaussian_hidden_rbm()
    expected = float((-integrated_energies(rbm, ROWS)).logsumexp(0))
    assert exact_log_partition(rbm) == pytest.approx(expected, abs=1e-9)
    settings = LikelihoodSettings(method="ais", chains=400, temperatures=200, reverse_steps=100)
    found = log_partition(rbm, ROWS, settings, m.seeded())
    assert found.low - 0.1 < expected < found.high + 0.1
    assert found.midpoint == pytest.approx(expected, abs=0.1)


def test_the_pseudo_likelihood_is_that_of_each_unit_given_the_others():
    rbm = gaussian_hidden_rbm()
    energies = integrated_energies(rbm, ROWS)
    expected = torch.zeros(len(ROWS), dtype=torch.float64)
    for i in range(3):
        flipped = [
            int((torch.where(torch.arange(3) == i, 1 - row, row) == ROWS).all(1).nonzero()) for row in ROWS
        ]
        expected += -torch.log1p((energies - energies[flipped]).exp())
    torch.testing.assert_close(log_pseudo_likelihood(rbm, ROWS), expected, rtol=1e-8, atol=1e-8)


def test_gibbs_steps_keep_the_models_distribution():
    rbm, rng = gaussian_hidden_rbm(), m.seeded(2)
    p = (-rbm.free_energy(ROWS)).softmax(0)
    start = ROWS[torch.multinomial(p, N, replacement=True, generator=rng)]
    found = (rbm.gibbs(start, 3, rng)[:, None] == ROWS).all(2).sum(0).numpy()
    assert stats.chisquare(found, p.numpy() * N).pvalue > 1e-4
    h = rbm.sample_hidden(ROWS[5:6].expand(N, -1), rng)
    mean = rbm.hidden_pre_activation(ROWS[5:6])
    for column in (h - mean).t():
        assert stats.kstest(column.numpy(), "norm").pvalue > 1e-4


def test_persistent_chains_learn_by_the_gradient_of_the_log_likelihood():
    """The mean of many updates is the exact gradient, by autograd through the sum over all states."""
    rbm, rng = gaussian_hidden_rbm(0.5), m.seeded(3)
    rows = ROWS[torch.tensor([1, 3, 3, 6])]
    free = {name: value.detach().clone().requires_grad_() for name, value in rbm.named_parameters()}

    def free_energy(v):
        x = free["hidden_bias"] + v @ free["weight"]
        return -(v @ free["visible_bias"]) - x.square().sum(1) / 2

    (-free_energy(rows).mean() - (-free_energy(ROWS)).logsumexp(0)).backward()
    n = 60_000
    settings = ContrastiveDivergenceSettings(
        chain="persistent", chains=n, steps=20, learning_rate=1.0, momentum=0.0, final_momentum=0.0
    )
    before = {name: value.clone() for name, value in rbm.named_parameters()}
    ContrastiveDivergence(rbm, settings, rng).training_step(TensorData(rows))
    for name, value in rbm.named_parameters():
        torch.testing.assert_close(value - before[name], free[name].grad, rtol=0, atol=0.05)


def test_beside_real_visible_units_they_are_refused():
    for shape in ({"visible": "gaussian"}, m.REAL["mixed with reals"] | {"learn_variance": False}):
        with pytest.raises(ValidationError, match="hidden: gaussian beside Gaussian visible units"):
            RBMConfig(**{"n_visible": 2, "n_hidden": 3} | shape | {"hidden": "gaussian"})
