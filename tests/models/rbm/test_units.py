import pytest
import torch
from torch import distributions

from layerwise.models.rbm.units import VISIBLE_UNITS
from layerwise.models.rbm.units.bernoulli import BernoulliUnits
from layerwise.models.rbm.units.gaussian import GaussianUnits


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def conditional(kind, x):
    if kind == "bernoulli":
        return distributions.Bernoulli(logits=x)
    return distributions.Normal(x, torch.ones_like(x))


@pytest.mark.parametrize("kind", VISIBLE_UNITS)
def test_the_mean_is_the_one_of_the_distribution(kind):
    x = torch.linspace(-6, 6, 25, dtype=torch.float64)[None]
    torch.testing.assert_close(VISIBLE_UNITS[kind].mean(x), conditional(kind, x).mean)


@pytest.mark.parametrize("kind", VISIBLE_UNITS)
def test_draws_have_the_mean_and_the_variance_of_the_distribution(kind):
    x = torch.tensor([[-3.0, -0.5, 0.0, 1.0, 2.5]], dtype=torch.float64)
    expected, units, n = conditional(kind, x), VISIBLE_UNITS[kind], 100_000
    draws = units.sample(units.mean(x).expand(n, -1), seeded())
    # Five standard errors of a mean; the fourth central moment bounds those of a variance.
    assert ((draws.mean(0) - expected.mean[0]).abs() < 5 * (expected.variance[0] / n).sqrt()).all()
    assert ((draws.var(0) - expected.variance[0]).abs() < 5 * (3 / n) ** 0.5).all()


@pytest.mark.parametrize("kind", VISIBLE_UNITS)
def test_every_unit_and_row_has_a_random_number_of_its_own(kind):
    draws = VISIBLE_UNITS[kind].sample(torch.full((20_000, 4), 0.5), seeded(1))
    # Columns and neighbouring rows do not correlate: five standard errors of a correlation.
    assert (torch.corrcoef(draws.t()) - torch.eye(4)).abs().max() < 5 / 20_000**0.5
    neighbours = torch.corrcoef(torch.stack([draws[:-1, 0], draws[1:, 0]]))[0, 1]
    assert abs(neighbours) < 5 / 20_000**0.5


def test_units_that_are_certain_never_err():
    mean = torch.tensor([0.0, 1.0]).expand(50_000, -1)
    assert torch.equal(BernoulliUnits.sample(mean, seeded()), mean)


def test_bernoulli_draws_are_zeros_and_ones_of_the_same_type():
    draws = BernoulliUnits.sample(torch.full((10, 3), 0.4, dtype=torch.float64), seeded())
    assert draws.dtype == torch.float64
    assert set(draws.unique().tolist()) == {0.0, 1.0}


def test_own_terms_are_the_negative_log_density_up_to_a_constant():
    bias = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
    v = torch.randn(6, 3, generator=seeded(), dtype=torch.float64)
    normal = -distributions.Normal(bias, 1).log_prob(v).sum(1)
    constant = 1.5 * torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64))
    torch.testing.assert_close(GaussianUnits.free_energy_term(v, bias), normal - constant)
    bits = (v > 0).double()
    coin = -distributions.Bernoulli(logits=bias).log_prob(bits).sum(1)
    log_partition = torch.nn.functional.softplus(bias).sum()
    torch.testing.assert_close(BernoulliUnits.free_energy_term(bits, bias), coin - log_partition)
