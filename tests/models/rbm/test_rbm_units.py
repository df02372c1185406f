"""Every kind of units against enumeration of the joint distribution; float64."""

import math

import pytest
import torch
from helpers import small_rbms as m
from scipy import stats

from layerwise.data import ColumnBlock
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import UnitBlock, UnitsError, unit_blocks

N = 30_000
SHORT = UnitBlock(kind="softmax", size=3, groups=(2,), rest=(False,))


def rows_of(rbm):
    """Rows that the RBM can be given: its states, or random ones."""
    if not m.gaussian_columns(rbm):
        return m.visible_states(rbm)[0]
    return exact_samples(rbm, 12)


def exact_samples(rbm, n, seed=0):
    """Rows of an RBM with Gaussian units: h from its marginal, in closed form, and then v from its conditional."""
    h, b, sigma2 = m.hidden_states(rbm), rbm.visible_bias, m.variances(rbm)
    x = b + h @ rbm.weight.t()
    real = m.gaussian_columns(rbm)
    log_p = h @ rbm.hidden_bias + ((x[:, real] ** 2 - b[real] ** 2) / (2 * sigma2[real])).sum(1)
    other = [i for i in range(rbm.config.n_visible) if i not in real]
    discrete = [torch.zeros(1, 0, dtype=torch.float64)]
    if other:
        rest = [site for block in rbm.config.blocks if block.kind != "gaussian" for site in sites_of(block)]
        discrete = m.states(rest)
        each = discrete @ x[:, other].t()
        log_p = log_p + each.logsumexp(0)
    rng = m.seeded(seed)
    chosen = torch.multinomial(log_p.softmax(0), n, replacement=True, generator=rng)
    v = x[chosen] + sigma2.sqrt() * torch.randn(n, len(b), generator=rng, dtype=torch.float64)
    if other:
        picked = torch.multinomial(each.t().softmax(1)[chosen], 1, generator=rng)[:, 0]
        v[:, other] = discrete[picked]
    return v


def sites_of(block):
    if block.kind == "bernoulli":
        return m.bits(block.size)
    return [s for size, rest in zip(block.groups, block.rest, strict=True) for s in m.one_hot(size, rest)]


def state_counts(rows, states):
    """How many of the rows are each of the states; every row has to be one."""
    found = (rows[:, None] == states[None]).all(2)
    assert bool((found.sum(1) == 1).all())
    return found.sum(0).numpy()


@pytest.mark.parametrize("name", m.EVERY)
def test_the_free_energy_is_minus_the_log_of_the_sum_over_hidden_states(name):
    rbm = m.make_rbm(name)
    rows = rows_of(rbm)
    expected = -(-m.energies(rbm, rows)).logsumexp(1)
    torch.testing.assert_close(rbm.free_energy(rows), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", m.EVERY)
def test_the_energy_is_the_printed_sum(name):
    rbm = m.make_rbm(name)
    rows, h = rows_of(rbm), m.hidden_states(rbm)
    found = torch.stack([rbm.energy(rows, state.expand(len(rows), -1)) for state in h], 1)
    torch.testing.assert_close(found, m.energies(rbm, rows), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", m.EVERY)
def test_the_hidden_mean_is_the_conditional_of_the_joint(name):
    rbm = m.make_rbm(name)
    rows = rows_of(rbm)
    expected = (-m.energies(rbm, rows)).softmax(1) @ m.hidden_states(rbm)
    torch.testing.assert_close(rbm.hidden_mean(rows), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", m.DISCRETE)
def test_the_visible_mean_is_the_conditional_of_the_joint(name):
    rbm = m.make_rbm(name)
    rows, p = m.joint(rbm)
    expected = p.t() @ rows / p.sum(0)[:, None]
    observation_counts = None
    if name == "counts":
        observation_counts = torch.full((len(expected), 1), float(m.WORDS), dtype=torch.float64)
    found = rbm.visible_mean(m.hidden_states(rbm), observation_counts)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", m.DISCRETE)
def test_the_partition_function_over_visible_states_is_the_one_over_hidden_states(name):
    rbm = m.make_rbm(name)
    rows, times = m.visible_states(rbm)
    over_visible = (times.log() - rbm.free_energy(rows)).logsumexp(0)
    h = m.hidden_states(rbm)
    words = m.WORDS if name == "counts" else 1
    own = rbm.visible_units.log_partition(rbm.visible_pre_activation(h), rbm.visible_bias)
    over_hidden = (words * (h @ rbm.hidden_bias + own)).logsumexp(0)
    torch.testing.assert_close(over_visible, over_hidden, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", m.REAL)
def test_summing_gaussian_units_out_is_the_integral(name):
    rbm = m.make_rbm(name, scale=0.5)
    # Importance sampling from the RBM's own exact samples: mean of exp(-F) / density has to be Z... so the density.
    v = exact_samples(rbm, 5)
    h = m.hidden_states(rbm)
    log_joint = -m.energies(rbm, v)
    log_p_h = h @ rbm.hidden_bias + rbm.visible_units.log_partition(
        rbm.visible_pre_activation(h), rbm.visible_bias
    )
    x, sigma2, real = rbm.visible_pre_activation(h), m.variances(rbm), m.gaussian_columns(rbm)
    log_v_given_h = torch.zeros(len(v), len(h), dtype=torch.float64)
    for i in range(rbm.config.n_visible):
        if i in real:
            normal = torch.distributions.Normal(x[:, i], sigma2[i].sqrt())
            log_v_given_h += normal.log_prob(v[:, i, None])
    if name == "mixed with reals":
        group = torch.cat([torch.zeros(len(h), 1, dtype=torch.float64), x[:, 2:4]], 1).log_softmax(1)
        state = torch.where(v[:, 2:4].sum(1) == 0, 0, 1 + v[:, 2:4].argmax(1))
        log_v_given_h += group[:, state].t()
        log_v_given_h += torch.distributions.Bernoulli(logits=x[:, 4]).log_prob(v[:, 4, None])
    # p*(v, h) = p*(h) p(v | h) for each pair, which fixes p*(h).
    torch.testing.assert_close(log_joint, log_p_h + log_v_given_h, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", m.DISCRETE)
@pytest.mark.parametrize("steps", [1, 4])
def test_rows_of_the_model_stay_rows_of_the_model_under_gibbs_steps(name, steps):
    rbm = m.make_rbm(name)
    rows, p = m.joint(rbm)
    p_v = p.sum(1)
    rng = m.seeded(steps)
    start = rows[torch.multinomial(p_v, N, replacement=True, generator=rng)]
    found = rbm.gibbs(start, steps, rng)
    assert stats.chisquare(state_counts(found, rows), p_v.numpy() * N).pvalue > 1e-4
    h = rbm.sample_hidden(found, rng)
    assert stats.chisquare(state_counts(h, m.hidden_states(rbm)), p.sum(0).numpy() * N).pvalue > 1e-4


@pytest.mark.parametrize("name", m.REAL)
def test_rows_of_a_model_with_real_values_stay_rows_of_the_model(name):
    rbm = m.make_rbm(name)
    start, rng = exact_samples(rbm, N), m.seeded(3)
    found = rbm.gibbs(start, 3, rng)
    expected = exact_samples(rbm, N, seed=7)
    for i in range(rbm.config.n_visible):
        assert stats.ks_2samp(found[:, i].numpy(), expected[:, i].numpy()).pvalue > 1e-4
    # A combination of all columns sees what the marginals don't.
    pairs = rbm.free_energy(found), rbm.free_energy(expected)
    assert stats.ks_2samp(*(values.numpy() for values in pairs)).pvalue > 1e-4


def test_gibbs_steps_forget_where_they_began_in_every_discrete_rbm():
    for name in ("softmax", "mixed", "counts"):
        rbm = m.make_rbm(name)
        rows, p = m.joint(rbm)
        found = rbm.gibbs(rows[:1].expand(N, -1).clone(), 40, m.seeded())
        assert stats.chisquare(state_counts(found, rows), p.sum(1).numpy() * N).pvalue > 1e-4


def test_clamped_units_keep_their_values_and_the_others_follow_the_conditional():
    rbm = m.make_rbm("bernoulli")
    rows, p = m.joint(rbm)
    clamped = torch.tensor([True, False, True, False])
    start = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64).expand(N, -1)
    found = rbm.gibbs(start, 40, m.seeded(), clamped)
    fits = (rows[:, 0] == 1) & (rows[:, 2] == 0)
    conditional = p.sum(1)[fits] / p.sum(1)[fits].sum()
    assert stats.chisquare(state_counts(found, rows[fits]), conditional.numpy() * N).pvalue > 1e-4


def test_a_missing_group_drops_out_of_the_row():
    rbm = m.make_rbm("softmax")
    row = torch.tensor([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    alone = RBM(RBMConfig(n_visible=3, n_hidden=3, visible="softmax", groups=(3,))).double()
    alone.weight.copy_(rbm.weight[:3])
    alone.visible_bias.copy_(rbm.visible_bias[:3])
    alone.hidden_bias.copy_(rbm.hidden_bias)
    torch.testing.assert_close(rbm.free_energy(row), alone.free_energy(row[:, :3]))
    samples = rbm.gibbs(row.expand(500, -1), 3, m.seeded())
    assert not samples[:, 3:].any()
    assert torch.equal(samples[:, :3].sum(1), torch.ones(500, dtype=torch.float64))
    torch.testing.assert_close(rbm.reconstruct(row)[:, 3:], torch.zeros(1, 3, dtype=torch.float64))
    x = torch.randn(1, 6, generator=m.seeded(), dtype=torch.float64)
    torch.testing.assert_close(rbm.visible_units.loss(x, row), -x[:, :3].log_softmax(1)[:, 1])


def test_rectified_units_have_no_energy_of_their_sum():
    rbm = RBM(RBMConfig(n_visible=2, n_hidden=2, hidden="nrelu"))
    with pytest.raises(UnitsError, match="copies"):
        rbm.energy(torch.zeros(1, 2), torch.ones(1, 2))


def test_an_rbm_with_rectified_units_drifts_by_its_approximation_only():
    # Copies of a binary unit make an exact RBM; Gibbs steps with the approximation must stay near it.
    rbm = RBM(RBMConfig(n_visible=3, n_hidden=2, hidden="nrelu")).double()
    for value in rbm.parameters():
        value.normal_(0, 0.5, generator=m.seeded(1))
    rows = m.states(m.bits(3))
    p = (-rbm.free_energy(rows)).softmax(0)
    rng = m.seeded()
    start = rows[torch.multinomial(p, N, replacement=True, generator=rng)]
    found = state_counts(rbm.gibbs(start, 10, rng), rows) / N
    assert abs(found - p.numpy()).sum() / 2 < 0.05  # total variation distance


def test_columns_of_a_table_become_units():
    blocks = (
        ColumnBlock(name="age", kind="real", start=0, stop=1),
        ColumnBlock(name="income", kind="real", start=1, stop=2),
        ColumnBlock(name="colour", kind="categorical", start=2, stop=4, categories=("red", "green", "blue")),
        ColumnBlock(name="city", kind="categorical", start=4, stop=6, categories=("Rome", "Oslo")),
        ColumnBlock(name="member", kind="binary", start=6, stop=7),
    )
    assert unit_blocks(blocks) == (
        UnitBlock(kind="gaussian", size=2),
        UnitBlock(kind="softmax", size=4, groups=(2, 2), rest=(True, False)),
        UnitBlock(kind="bernoulli", size=1),
    )
    with pytest.raises(UnitsError, match="'words' holds counts"):
        unit_blocks((ColumnBlock(name="words", kind="count", start=0, stop=9),))


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("softmax", [[1.0, 1.0, 0.0, 0.0, 0.0, 1.0]], "one-hot"),
        ("counts", [[0.5, 1.0, 2.0]], "whole numbers"),
        ("bernoulli", [[0.0, 1.0, 2.0, 0.0]], "from 0 to 2"),
    ],
)
def test_rows_that_the_units_cannot_take_are_refused(name, rows, message):
    with pytest.raises(UnitsError, match=message):
        m.make_rbm(name).initialize_from(torch.tensor(rows, dtype=torch.float64))


@pytest.mark.parametrize("name", ["softmax", "uneven softmax", "mixed", "counts"])
def test_the_first_biases_make_independent_units_with_the_rows_means(name):
    rbm = m.make_rbm(name)
    rows = m.visible_states(rbm)[0].repeat(4000, 1)
    rng = m.seeded(4)
    rows = rows[torch.randint(len(rows), (len(rows) // 3,), generator=rng)]
    rbm.weight.zero_()
    rbm.initialize_from(rows)
    mean = rbm.visible_units.mean(rbm.visible_bias[None])
    expected = rows.mean(0) / (rows.sum(1).mean() if name == "counts" else 1)
    torch.testing.assert_close(mean[0], expected, rtol=0, atol=2e-3)


def test_first_variances_are_those_of_the_rows():
    rbm = m.make_rbm("gaussian with variances")
    rows = torch.tensor([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0]], dtype=torch.float64)
    rbm.initialize_from(rows)
    assert rbm.visible_bias.tolist() == [2.0, 5.0]
    found = rbm.visible_units.log_variance.exp().tolist()
    assert found == pytest.approx([8 / 3, math.exp(-6)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_visible": 5, "visible": "softmax", "groups": (2, 2)},
        {"n_visible": 5, "visible": "mixed", "blocks": m.BLOCKS},
        {"n_visible": 5, "hidden": "categorical", "hidden_group_size": 3},
        {"n_visible": 3, "visible": "mixed", "blocks": (SHORT,)},
    ],
)
def test_sizes_that_do_not_add_up_are_refused(wrong):
    with pytest.raises(ValueError, match=r"in all|no groups"):
        RBMConfig(n_hidden=4, **wrong)
