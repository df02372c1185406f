import math

import pytest
import torch
from helpers import small_rbms as m
from helpers.seeded import seeded
from torch import distributions

from layerwise.models.rbm.units import (
    BernoulliUnits,
    GaussianUnits,
    NoisyReLUUnits,
    ReplicatedSoftmaxUnits,
    SoftmaxUnits,
)

N = 30_000
UNITS = {"bernoulli": BernoulliUnits(), "gaussian": GaussianUnits()}


def conditional(kind, x):
    if kind == "bernoulli":
        return distributions.Bernoulli(logits=x)
    return distributions.Normal(x, torch.ones_like(x))


@pytest.mark.parametrize("kind", UNITS)
def test_the_mean_is_the_one_of_the_distribution(kind):
    x = torch.linspace(-6, 6, 25, dtype=torch.float64)[None]
    torch.testing.assert_close(UNITS[kind].mean(x), conditional(kind, x).mean)


@pytest.mark.parametrize("kind", UNITS)
def test_samples_have_the_mean_and_the_variance_of_the_distribution(kind):
    x = torch.tensor([[-3.0, -0.5, 0.0, 1.0, 2.5]], dtype=torch.float64)
    expected, units, n = conditional(kind, x), UNITS[kind], 100_000
    samples = units.sample(units.mean(x).expand(n, -1), seeded())
    # Five standard errors of a mean; the fourth central moment bounds those of a variance.
    assert ((samples.mean(0) - expected.mean[0]).abs() < 5 * (expected.variance[0] / n).sqrt()).all()
    assert ((samples.var(0) - expected.variance[0]).abs() < 5 * (3 / n) ** 0.5).all()


@pytest.mark.parametrize("kind", UNITS)
def test_every_unit_and_row_has_a_random_number_of_its_own(kind):
    samples = UNITS[kind].sample(torch.full((20_000, 4), 0.5), seeded(1))
    # Columns and neighbouring rows do not correlate: five standard errors of a correlation.
    assert (torch.corrcoef(samples.t()) - torch.eye(4)).abs().max() < 5 / 20_000**0.5
    neighbors = torch.corrcoef(torch.stack([samples[:-1, 0], samples[1:, 0]]))[0, 1]
    assert abs(neighbors) < 5 / 20_000**0.5


def test_units_that_are_certain_never_err():
    mean = torch.tensor([0.0, 1.0]).expand(50_000, -1)
    assert torch.equal(BernoulliUnits.sample(mean, seeded()), mean)


def test_bernoulli_samples_are_zeros_and_ones_of_the_same_type():
    samples = BernoulliUnits.sample(torch.full((10, 3), 0.4, dtype=torch.float64), seeded())
    assert samples.dtype == torch.float64
    assert set(samples.unique().tolist()) == {0.0, 1.0}


def test_own_terms_are_the_negative_log_density_up_to_a_constant():
    bias = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
    v = torch.randn(6, 3, generator=seeded(), dtype=torch.float64)
    normal = -distributions.Normal(bias, 1).log_prob(v).sum(1)
    constant = 1.5 * torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64))
    torch.testing.assert_close(GaussianUnits().free_energy_term(v, bias), normal - constant)
    bits = (v > 0).double()
    coin = -distributions.Bernoulli(logits=bias).log_prob(bits).sum(1)
    log_partition = torch.nn.functional.softplus(bias).sum()
    torch.testing.assert_close(BernoulliUnits().free_energy_term(bits, bias), coin - log_partition)


def test_softmax_samples_have_one_unit_on_in_every_group_and_the_right_frequencies():
    units = SoftmaxUnits((2, 4), rest=(True, False)).double()
    x = torch.tensor([[0.5, -1.0, 2.0, 0.0, 0.3, -3.0]], dtype=torch.float64)
    p = torch.cat([torch.cat([torch.zeros(1, 1), x[:, :2]], 1).softmax(1)[:, 1:], x[:, 2:].softmax(1)], 1)
    torch.testing.assert_close(units.mean(x), p)
    samples = units.sample(units.mean(x).expand(N, -1), seeded())
    assert bool((samples[:, :2].sum(1) <= 1).all())
    assert bool((samples[:, 2:].sum(1) == 1).all())
    assert ((samples.mean(0) - p[0]).abs() < 5 * (p[0] * (1 - p[0]) / N).sqrt()).all()


@pytest.mark.parametrize("rest", [False, True])
def test_a_group_starts_at_its_frequencies_with_half_a_row_added_to_each_state(rest):
    # 20 rows of three categories; a category of none counts among the states where it is one.
    counts = torch.tensor([3.0, 9.0, 2.0 if rest else 8.0], dtype=torch.float64)
    in_rest = 6.0
    rows = torch.eye(3, dtype=torch.float64).repeat_interleave(counts.long(), 0)
    rows = torch.cat([rows, torch.zeros(int(in_rest) * rest, 3, dtype=torch.float64)])
    units = SoftmaxUnits((3,), rest=rest).double()
    p = units.mean(units.initial_bias(rows)[None])[0]
    states = torch.cat([counts, torch.tensor([in_rest])]) if rest else counts
    expected = (states + 0.5) / (states + 0.5).sum()
    torch.testing.assert_close(p, expected[:3], rtol=1e-12, atol=0)


def test_a_long_row_of_groups_is_sampled_without_loss_of_precision():
    units = SoftmaxUnits((5,) * 2000)
    p = units.mean(torch.zeros(4, 10_000))
    samples = units.sample(p, seeded())
    assert bool((samples.view(4, 2000, 5).sum(2) == 1).all())
    assert samples.view(-1, 5).mean(0).tolist() == pytest.approx([0.2] * 5, abs=5 * math.sqrt(0.16 / 8000))


def test_sampled_documents_keep_their_lengths():
    units, p = ReplicatedSoftmaxUnits(), torch.tensor([[0.2, 0.5, 0.3]]).expand(N, -1)
    lengths = (torch.arange(N) % 7).float()[:, None]
    samples = units.sample(p * lengths, seeded())
    assert torch.equal(samples.sum(1, keepdim=True), lengths)
    words = float(lengths.sum())
    found = samples.sum(0) / words
    assert ((found - p[0]).abs() < 5 * (p[0] * (1 - p[0]) / words).sqrt()).all()


def test_the_free_energy_of_rectified_units_is_that_of_their_copies():
    # One unit of low input as 12 binary copies, whose 4,096 states are summed; the 13th copy adds less than 1e-9.
    x = torch.tensor([[-8.5], [-10.0]], dtype=torch.float64)
    copies = m.states(m.bits(12))
    shifted = x - torch.arange(1, 13, dtype=torch.float64) + 0.5
    expected = (copies @ shifted.t()).logsumexp(0)
    found = NoisyReLUUnits().log_partition(x, torch.zeros(1))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-8)
    high = torch.tensor([[-3.0, 0.2, 55.5], [3.0, 18.0, 140.0]], dtype=torch.float64)
    steps = torch.arange(1, 400, dtype=torch.float64) - 0.5
    expected = torch.nn.functional.softplus(high[..., None] - steps).sum((1, 2))
    torch.testing.assert_close(
        NoisyReLUUnits().log_partition(high, torch.zeros(3)), expected, rtol=1e-13, atol=0
    )


def test_rectified_units_are_sampled_as_nair_and_hinton_say():
    x = torch.tensor([[-4.0, -1.0, 0.0, 0.7, 3.0, 12.0]], dtype=torch.float64)
    samples = NoisyReLUUnits().sample_from_pre_activation(x.expand(N, -1), seeded())
    s = torch.sigmoid(x).sqrt()
    normal = torch.distributions.Normal(x, s)
    assert bool((samples >= 0).all())
    zeros = (samples == 0).double().mean(0)
    below = normal.cdf(torch.zeros_like(x))[0]
    assert ((zeros - below).abs() < 5 * (below * (1 - below) / N).sqrt() + 1e-12).all()
    mean = NoisyReLUUnits().mean(x)[0]
    assert ((samples.mean(0) - mean).abs() < 5 * samples.std(0) / N**0.5 + 1e-12).all()
    # The approximation that the paper makes: right far from 0, and 0.4 below the mean of all copies at 0.
    copies = torch.sigmoid(x[0, :, None] - torch.arange(1, 200, dtype=torch.float64) + 0.5).sum(1)
    assert (mean - copies).abs().max() < 0.41
    assert (mean - copies).abs()[[0, 4, 5]].max() < 0.05
    assert torch.isfinite(NoisyReLUUnits().mean(torch.tensor([[-500.0, 500.0]]))).all()
