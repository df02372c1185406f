"""Partition functions, log-probabilities and bounds against enumeration; float64."""

import json
import math

import pytest
import torch
from helpers import small_rbms as m

from layerwise.evaluation.likelihood import (
    LikelihoodSettings,
    RBMLikelihood,
    ais_log_weights,
    annealing_schedule,
    log_partition,
    log_probability,
    reverse_ais_log_weights,
)
from layerwise.evaluation.likelihood.partition import (
    LogPartition,
    exact_log_partition,
    log_partition_interval,
)
from layerwise.models.rbm import RBM, RBMConfig, log_pseudo_likelihood
from layerwise.models.rbm.units import UnitsError

WITHOUT_COUNTS = [name for name in m.DISCRETE if name != "counts"]


def enumerated(rbm):
    """Log Z by the energies of every pair of states."""
    rows, times = m.visible_states(rbm)
    return float((times.log()[:, None] - m.energies(rbm, rows)).logsumexp((0, 1)))


@pytest.mark.parametrize("name", m.DISCRETE)
def test_the_exact_partition_function_is_the_sum_over_all_pairs_of_states(name):
    rbm = m.make_rbm(name)
    words = m.WORDS if name == "counts" else 1
    assert exact_log_partition(rbm, words) == pytest.approx(enumerated(rbm), abs=1e-11)


@pytest.mark.parametrize("sizes", [(11, 4), (4, 11), (3, 14)])
def test_either_side_may_be_the_smaller_one(sizes):
    rbm = RBM(RBMConfig(n_visible=sizes[0], n_hidden=sizes[1])).double()
    for value in rbm.parameters():
        value.normal_(0, 0.7, generator=m.seeded(3))
    v, h = m.states(m.bits(sizes[0])), m.states(m.bits(sizes[1]))
    over_visible = (-rbm.free_energy(v)).logsumexp(0)
    own = torch.nn.functional.softplus(rbm.visible_pre_activation(h)).sum(1)
    over_hidden = (h @ rbm.hidden_bias + own).logsumexp(0)
    assert float(over_visible) == pytest.approx(float(over_hidden), abs=1e-11)
    assert exact_log_partition(rbm) == pytest.approx(float(over_visible), abs=1e-11)


def test_gaussian_rbms_are_summed_over_their_hidden_states():
    rbm = m.make_rbm("gaussian with variances", scale=0.5)
    # On a fine grid of both visible units, by the trapezoid rule.
    axis = torch.linspace(-14, 14, 1401, dtype=torch.float64)
    v = torch.cartesian_prod(axis, axis)
    expected = (-rbm.free_energy(v)).logsumexp(0) + 2 * math.log(float(axis[1] - axis[0]))
    assert exact_log_partition(rbm) == pytest.approx(float(expected), abs=1e-8)


def test_an_rbm_with_too_many_units_is_refused():
    with pytest.raises(UnitsError, match="26 hidden ones; use annealed"):
        exact_log_partition(RBM(RBMConfig(n_visible=30, n_hidden=26)))
    with pytest.raises(UnitsError, match="annealed"):
        exact_log_partition(RBM(RBMConfig(n_visible=3, n_hidden=2, visible="gaussian", hidden="nrelu")))


def test_the_schedule_runs_from_0_to_1_and_is_densest_near_1():
    betas = annealing_schedule(290)
    assert len(betas) == 291
    assert betas[0] == 0
    assert betas[-1] == 1
    steps = betas.diff()
    assert bool((steps > 0).all())
    assert steps[-1] < steps[0] / 5


@pytest.mark.parametrize(
    "name", [*WITHOUT_COUNTS, "counts", "gaussian", "gaussian with variances", "mixed with reals"]
)
def test_annealing_finds_the_exact_partition_function_between_its_two_directions(name):
    rbm = m.make_rbm(name, scale=0.8)
    words = torch.full((4000,), float(m.WORDS)) if name == "counts" else None
    exact = exact_log_partition(rbm, m.WORDS if name == "counts" else 1)
    base = rbm.visible_bias + 0.3
    betas = torch.linspace(0, 1, 12, dtype=torch.float64)
    forward = ais_log_weights(rbm, base, betas, 4000, m.seeded(1), words)
    # Exact samples to anneal back from: h from its marginal, v from its conditional.
    h = m.hidden_states(rbm)
    own = rbm.visible_units.log_partition(rbm.visible_pre_activation(h), rbm.visible_bias)
    p_h = ((m.WORDS if name == "counts" else 1) * (h @ rbm.hidden_bias + own)).softmax(0)
    chosen = torch.multinomial(p_h, 4000, replacement=True, generator=m.seeded(2))
    observation_counts = None if words is None else words[:, None].double()
    start = rbm.sample_visible(h[chosen], m.seeded(3), observation_counts)
    backward = reverse_ais_log_weights(rbm, base, betas, start, m.seeded(4))
    # The mean weight is unbiased both ways: five standard errors.
    for weights in (forward - exact, exact - backward):
        ratio = weights.exp()
        assert abs(float(ratio.mean()) - 1) < 5 * float(ratio.std()) / 4000**0.5
    error = 3 * max(float(forward.std()), float(backward.std())) / 4000**0.5
    assert float(forward.mean()) < exact + error
    assert float(backward.mean()) > exact - error
    found = log_partition_interval([forward], backward)
    assert found.low - 0.1 < exact < found.high + 0.1
    assert found.high - found.low < 0.6


def test_few_temperatures_widen_the_gap_between_the_two_directions():
    rbm = m.make_rbm("bernoulli", scale=2.5)
    exact, widths = exact_log_partition(rbm), []
    p = (-rbm.free_energy(m.visible_states(rbm)[0])).softmax(0)
    chosen = torch.multinomial(p, 2000, replacement=True, generator=m.seeded())
    start = m.visible_states(rbm)[0][chosen]
    for n in (2, 200):
        betas = torch.linspace(0, 1, n, dtype=torch.float64)
        base = torch.zeros_like(rbm.visible_bias)
        forward = ais_log_weights(rbm, base, betas, 2000, m.seeded(1))
        backward = reverse_ais_log_weights(rbm, base, betas, start, m.seeded(2))
        assert float(forward.mean()) < exact < float(backward.mean())
        widths.append(float(backward.mean() - forward.mean()))
    assert widths[0] > 10 * widths[1]


def test_the_interval_of_a_larger_rbm_holds_the_exact_value():
    rbm = RBM(RBMConfig(n_visible=30, n_hidden=12), m.seeded()).double()
    for value in rbm.parameters():
        value.normal_(0, 0.5, generator=m.seeded(1))
    rows = rbm.gibbs(torch.zeros(300, 30, dtype=torch.float64), 50, m.seeded(2))
    settings = LikelihoodSettings(method="ais", chains=200, temperatures=300, reverse_steps=100)
    found = log_partition(rbm, rows, settings, m.seeded(3))
    exact = log_partition(rbm, rows, LikelihoodSettings(), m.seeded(3))
    assert exact.method == "exact"
    assert found.low < exact.low < found.high
    assert found.high - found.low < 0.5
    assert found.ais_mean <= found.ais
    assert found.reverse <= found.reverse_mean


def two_modes():
    """An RBM whose rows are all off or all on, as often, with its exact log Z."""
    rbm = RBM(RBMConfig(n_visible=8, n_hidden=2)).double()
    rbm.weight.fill_(6.0)
    rbm.visible_bias.fill_(-6.0)
    rbm.hidden_bias.fill_(-24.0)
    return rbm, enumerated(rbm)


def test_a_mode_that_the_rows_miss_is_found_and_takes_the_upper_bound():
    rbm, exact = two_modes()
    off = torch.zeros(100, 8, dtype=torch.float64)
    settings = LikelihoodSettings(method="ais", chains=1000, temperatures=300, reverse_steps=50)
    # Annealing between the rows' own biases and the RBM, both ways: narrow, and half of Z.
    base, betas = rbm.visible_units.initial_bias(off), annealing_schedule(300)
    forward = ais_log_weights(rbm, base, betas, 1000, m.seeded(1))
    backward = reverse_ais_log_weights(rbm, base, betas, off, m.seeded(2))
    wrong = log_partition_interval([forward], backward)
    assert wrong.high - wrong.low < 0.05
    assert wrong.high < exact - 0.5
    found = log_partition(rbm, off, settings, m.seeded(3))
    assert not found.is_bounded
    assert found.ais == pytest.approx(exact, abs=0.1)
    assert found.low < exact
    log_p = log_probability(rbm, off, found)
    assert log_p.low == -math.inf
    assert log_p.midpoint == log_p.high == pytest.approx(-exact - float(rbm.free_energy(off[:1])), abs=0.2)
    # JSON has no infinity: a missing bound is null there, and comes back.
    rows = RBMLikelihood(
        log_partition=found, log_probability={"test": log_p}, pseudo_likelihood=-1.0, is_sampled=False
    )
    assert "test/log_prob_low" not in rows.metrics()
    assert rows.metrics()["test/log_prob"] == log_p.high
    assert "no upper bound" in str(
        rows.model_copy(update={"log_probability": {"test": log_p, "training": log_p}})
    )
    text = json.dumps(rows.model_dump(mode="json"), allow_nan=False)
    assert RBMLikelihood.model_validate(json.loads(text)) == rows
    # Rows of both modes bound it from both sides.
    both = torch.cat([off, 1 - off])
    found = log_partition(rbm, both, settings, m.seeded(4))
    assert found.is_bounded
    assert found.low < exact < found.high


def test_the_start_of_the_higher_lower_bound_counts_at_half_the_level():
    rng = m.seeded()
    low, high = (c + torch.randn(500, generator=rng, dtype=torch.float64) for c in (1.0, 2.0))
    backward = high + 1
    width = float(torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(1 - 0.0125)))
    for starts in ([low, high], [high, low]):
        found = log_partition_interval(starts, backward)
        weights = high.exp()
        error = float(weights.std() / weights.mean() / 500**0.5)
        assert found.ais == pytest.approx(float(weights.mean().log()))
        assert found.low == pytest.approx(found.ais - width * error)
        assert found.ais_mean == pytest.approx(float(high.mean()))


def test_rounding_alone_takes_no_upper_bound():
    same = torch.full((9,), 3.0, dtype=torch.float64)
    found = log_partition_interval([same], same - 1e-7)
    assert found.low == found.high == pytest.approx(3.0)
    assert not log_partition_interval([same], same - 0.01).is_bounded


def test_log_probabilities_are_those_of_the_joint_table():
    rbm = m.make_rbm("mixed")
    rows, p = m.joint(rbm)
    exact = exact_log_partition(rbm)
    found = log_probability(rbm, rows, LogPartition("exact", exact, exact))
    values = p.sum(1).log()
    assert found.low == found.high == pytest.approx(float(values.mean()), abs=1e-11)
    assert found.standard_error == pytest.approx(float(values.std() / len(rows) ** 0.5), abs=1e-11)
    wide = log_probability(rbm, rows, LogPartition("ais", exact - 1, exact + 2))
    assert wide.low == pytest.approx(found.low - 2)
    assert wide.high == pytest.approx(found.low + 1)


def test_the_log_probability_of_a_single_row_has_no_standard_error_and_can_be_read_again():
    found = log_probability(
        m.make_rbm("bernoulli"), torch.zeros(1, 4).double(), LogPartition("exact", 1.0, 1.0)
    )
    assert found.standard_error is None
    assert type(found).model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("numbers_at_once", [1, 50, 200_000])
@pytest.mark.parametrize("name", WITHOUT_COUNTS)
def test_the_pseudo_likelihood_is_that_of_the_joint_table(name, numbers_at_once, monkeypatch):
    monkeypatch.setattr("layerwise.models.rbm.units.bernoulli.NUMBERS_AT_ONCE", numbers_at_once)
    rbm = m.make_rbm(name)
    rows, p = m.joint(rbm)
    p_v = p.sum(1)
    expected = torch.zeros(len(rows), dtype=torch.float64)
    start = 0
    for site in m.sites(rbm):
        at = slice(start, start + len(site[0]))
        rest = torch.cat([rows[:, : at.start], rows[:, at.stop :]], 1)
        same = (rest[:, None] == rest[None]).all(2).double()
        expected += (p_v / (same @ p_v)).log()
        start = at.stop
    torch.testing.assert_close(log_pseudo_likelihood(rbm, rows), expected, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", m.REAL)
def test_the_pseudo_likelihood_of_real_columns_is_a_ratio_of_densities(name):
    rbm = m.make_rbm(name)
    rows = torch.zeros(3, rbm.config.n_visible, dtype=torch.float64)
    rows[:, :2] = torch.randn(3, 2, generator=m.seeded(), dtype=torch.float64)
    rows[1:, 2:] = torch.tensor([1.0, 0.0, 1.0]) if name == "mixed with reals" else rows[1:, 2:]
    expected = torch.zeros(3, dtype=torch.float64)
    axis = torch.linspace(-60, 60, 60_001, dtype=torch.float64)
    for k, row in enumerate(rows):
        for i in (0, 1):
            line = row.repeat(len(axis), 1)
            line[:, i] = axis
            log_sum = (-rbm.free_energy(line)).logsumexp(0) + math.log(120 / 60_000)
            expected[k] -= float(rbm.free_energy(row[None])) + log_sum
        if name == "mixed with reals":
            for columns, options in ((slice(2, 4), ([1, 0], [0, 1], [0, 0])), (slice(4, 5), ([0], [1]))):
                line = row.repeat(len(options), 1)
                line[:, columns] = torch.tensor(options, dtype=torch.float64)
                expected[k] -= float(rbm.free_energy(row[None])) + (-rbm.free_energy(line)).logsumexp(0)
    torch.testing.assert_close(log_pseudo_likelihood(rbm, rows), expected, rtol=1e-9, atol=1e-9)


def test_missing_groups_take_no_part_in_the_pseudo_likelihood():
    rbm = m.make_rbm("softmax")
    row = torch.tensor([[0.0, 1, 0, 0, 0, 0]], dtype=torch.float64)
    options = torch.cat([torch.eye(3), torch.zeros(3, 3)], 1).double()
    expected = -rbm.free_energy(options).neg().logsumexp(0) - rbm.free_energy(row)[0]
    torch.testing.assert_close(log_pseudo_likelihood(rbm, row)[0], expected)


@pytest.mark.parametrize(
    "shape",
    [m.DISCRETE["counts"], {"n_visible": 2, "n_hidden": 2, "visible": "gaussian", "hidden": "nrelu"}],
)
def test_rbms_without_a_pseudo_likelihood_raise_an_error(shape):
    with pytest.raises(UnitsError):
        log_pseudo_likelihood(RBM(RBMConfig(**shape)), torch.zeros(1, shape["n_visible"]))


@pytest.mark.parametrize("broken", ["weight", "visible_bias", "hidden_bias"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_rbm_that_diverged_has_no_pseudo_likelihood(broken, value):
    rbm = RBM(RBMConfig(n_visible=3, n_hidden=2, visible="gaussian", learn_variance=True), m.seeded())
    getattr(rbm, broken).data.fill_(value)
    assert not torch.isfinite(log_pseudo_likelihood(rbm, torch.ones(2, 3))).any()
