"""The bound on the log-probability of rows under a deep belief network, against enumeration; float64."""

import math

import pytest
import torch
from helpers import small_rbms as m

from layerwise.evaluation.likelihood import LikelihoodSettings, StackLikelihood, bound_log_probability
from layerwise.evaluation.likelihood.dbn import variational_bound
from layerwise.evaluation.likelihood.partition import LogPartition, exact_log_partition
from layerwise.evaluation.likelihood.rbm import LogProbability
from layerwise.models.rbm import DBN, DBNConfig
from layerwise.models.rbm.units import UnitsError


def random_dbn(sizes, scale=0.8):
    dbn = DBN(DBNConfig(n_visible=sizes[0], hidden_sizes=sizes[1:])).double()
    for value in dbn.parameters():
        value.normal_(0, scale, generator=m.seeded(2))
    return dbn


def exact_log_probabilities(dbn):
    """Log p(v) of every visible state of a belief network."""
    *lower, top = dbn.rbm_layers()
    p = (-top.free_energy(m.states(m.bits(top.config.n_visible)))).softmax(0)
    for rbm in reversed(lower):
        h, v = m.states(m.bits(rbm.config.n_hidden)), m.states(m.bits(rbm.config.n_visible))
        p = p @ torch.exp(
            -torch.stack(
                [rbm.visible_units.loss(rbm.visible_pre_activation(h), s.expand(len(h), -1)) for s in v], 1
            )
        )
    return p.log()


@pytest.mark.parametrize("sizes", [(4, 3, 2), (4, 3, 3, 2)])
def test_the_variational_bound_is_below_the_exact_log_probability(sizes):
    dbn = random_dbn(sizes)
    rows = m.states(m.bits(4))
    exact = exact_log_probabilities(dbn)
    assert float(exact.exp().sum()) == pytest.approx(1)
    log_z = exact_log_partition(dbn.rbm_layers()[-1])
    bound = variational_bound(dbn, rows, log_z, m.seeded(), samples=4000)
    assert bool((bound < exact + 0.05).all())
    assert float((exact - bound).mean()) < 2


def test_the_bound_is_exact_where_the_second_rbm_is_the_first_one_upside_down():
    dbn = random_dbn((4, 3, 4))
    first, second = dbn.rbm_layers()
    second.weight.copy_(first.weight.t())
    second.visible_bias.copy_(first.hidden_bias)
    second.hidden_bias.copy_(first.visible_bias)
    rows = m.states(m.bits(4))
    log_z = exact_log_partition(second)
    # Then q is the posterior, and every sample of it gives log p(v) itself.
    bound = variational_bound(dbn, rows, log_z, m.seeded(), samples=1)
    torch.testing.assert_close(bound, -first.free_energy(rows) - log_z, rtol=1e-11, atol=1e-11)


def test_the_bound_of_a_single_rbm_is_its_log_probability():
    dbn = random_dbn((4, 3))
    rows, rbm = m.states(m.bits(4)), dbn.rbm_layers()[0]
    log_z = exact_log_partition(rbm)
    torch.testing.assert_close(
        variational_bound(dbn, rows, log_z, m.seeded()), -rbm.free_energy(rows) - log_z
    )


@pytest.mark.parametrize("sizes", [(4, 3), (4, 3, 2), (4, 3, 3, 2)])
@pytest.mark.parametrize("method", ["exact", "ais"])
def test_the_mean_bound_is_the_expectation_over_every_hidden_state(sizes, method):
    dbn, rows = random_dbn(sizes), m.states(m.bits(4))
    *lower, top = dbn.rbm_layers()
    log_z = math.log(sum(torch.exp(-top.free_energy(m.states(m.bits(top.config.n_visible))))))
    # E_q over every path of hidden states: weights of q, with the sum of log p - log q along each.
    expected = []
    for row in rows:
        paths = [(1.0, 0.0, row)]
        for rbm in lower:
            longer = []
            for weight, value, v in paths:
                up = torch.sigmoid(v @ rbm.weight + rbm.hidden_bias)
                for h in m.states(m.bits(rbm.config.n_hidden)):
                    q = float((up * h + (1 - up) * (1 - h)).prod())
                    down = torch.sigmoid(rbm.weight @ h + rbm.visible_bias)
                    p = float((down * v + (1 - down) * (1 - v)).prod())
                    longer.append((weight * q, value + math.log(p) - math.log(q), h))
            paths = longer
        total = sum(w * (value - float(top.free_energy(h[None]))) for w, value, h in paths)
        expected.append(total - log_z)
    settings = LikelihoodSettings(method=method)
    repeated = rows.repeat(300, 1)
    found = bound_log_probability(dbn, rows, repeated, settings, m.seeded()).bound
    assert found.midpoint == pytest.approx(sum(expected) / len(expected), abs=0.03)
    assert found.n_rows == len(repeated)
    if method == "exact":
        assert found.low == found.high


def test_the_bound_of_real_rows_is_that_of_their_density():
    dbn = DBN(DBNConfig(n_visible=2, hidden_sizes=(2,), visible="gaussian", learn_variance=True)).double()
    for value in dbn.parameters():
        value.normal_(0, 0.5, generator=m.seeded(2))
    axis = torch.linspace(-14, 14, 281, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    log_z = exact_log_partition(dbn.rbm_layers()[0])
    density = variational_bound(dbn, grid, log_z, m.seeded()).exp()
    assert float(density.sum()) * float(axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=1e-6)
    # And through a second layer: the mean over rows of a bound on a density stays below its own entropy's.
    deep = DBN(DBNConfig(n_visible=2, hidden_sizes=(2, 2), visible="gaussian", learn_variance=True)).double()
    for value in deep.parameters():
        value.normal_(0, 0.5, generator=m.seeded(3))
    log_z = exact_log_partition(deep.rbm_layers()[1])
    bound = variational_bound(deep, grid, log_z, m.seeded(), samples=200).exp()
    total = float(bound.sum()) * float(axis[1] - axis[0]) ** 2
    assert 0.5 < total < 1.01


def test_a_stack_trained_with_dropout_has_no_bound():
    dbn = DBN(DBNConfig(n_visible=4, hidden_sizes=(3, 2), dropout=0.5)).double()
    rows = m.states(m.bits(4))
    with pytest.raises(UnitsError, match="dropout has no likelihood"):
        bound_log_probability(dbn, rows, rows, LikelihoodSettings(), m.seeded())


def test_a_bound_whose_log_z_has_no_upper_end_promises_nothing_from_below():
    bound = {"high": -111.5, "midpoint": -111.5, "standard_error": 0.3, "n_rows": 9}
    missed = StackLikelihood(
        log_partition=LogPartition("ais", 1146.9, math.inf, ais=1147.9),
        bound=LogProbability(low=-math.inf, **bound),
    )
    assert "at least" not in str(missed)
    assert "-111.50 nats or less" in str(missed)
    assert "no upper bound" in str(missed)
    held = StackLikelihood(
        log_partition=LogPartition("ais", 1146.9, 1148.0), bound=LogProbability(low=-112.6, **bound)
    )
    assert "at least -111.50 nats (between -112.60" in str(held)
