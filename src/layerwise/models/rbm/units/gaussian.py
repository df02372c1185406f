"""Real-valued units."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from layerwise.data import DataSpec
from layerwise.models.rbm.units.base import LayerShape, Units, register_units
from layerwise.utils import ranks

# A variance below e^-6 of the standardised rows' is a point mass, not noise; its gradient would explode.
LOWEST_LOG_VARIANCE = -6.0
# A trapezoid rule of half-sigma steps integrates a mixture of normals to the last bits of a float64.
STEPS_A_SIGMA = 2
BEYOND = 9  # sigmas on both sides of the outermost means
MOST_STEPS = 4000


@register_units(visible="gaussian")
class GaussianUnits(Units):
    """Unit variance: v ~ N(x, 1); own term |v - b|^2 / 2 (Welling et al. 2005)."""

    real = has_pseudo_likelihood = in_blocks = in_stacks = True

    @classmethod
    def for_visible(cls, shape: LayerShape) -> Units:
        """Return units of variance 1, or of a variance each that is learnt."""
        return GaussianVarianceUnits(shape.n_units) if shape.learn_variance else cls()

    @classmethod
    def suits(cls, columns: DataSpec) -> bool:
        """Return whether all columns are numbers, and no pixels."""
        return not columns.image_shape and {block.kind for block in columns.blocks} == {"real"}

    @staticmethod
    def mean(x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return x itself."""
        return x

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Add standard normal noise."""
        return ranks.normal_(torch.empty_like(mean), rng).add_(mean)

    def free_energy_term(self, v: Tensor, bias: Tensor) -> Tensor:
        """Return |v - b|^2 / 2, shape (rows,)."""
        return (v - bias).square().sum(1) / 2

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return sum_i (x_i^2 - b_i^2) / 2 + log(2 pi) / 2, shape (rows,)."""
        return (x.square() - bias.square()).sum(1) / 2 + x.shape[1] * math.log(2 * math.pi) / 2

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return half the squared error, shape (rows,)."""
        return (x - v).square().sum(1) / 2

    def initial_bias(self, inputs: Tensor) -> Tensor:
        """Return the means."""
        return inputs.mean(0)

    def mean_(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Leave x as it is."""
        return x

    def loss_constant(self, n_units: int) -> float:
        """Return log(2 pi) / 2 a unit."""
        return n_units * math.log(2 * math.pi) / 2

    def log_pseudo_likelihood(
        self, hidden_term: Callable[[Tensor], Tensor], v: Tensor, x: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        """Return the log-densities of the v_i, normalised by quadrature, shape (rows,)."""
        return _log_pseudo_likelihood(hidden_term, v, x, weight, bias, torch.ones_like(bias))


class GaussianVarianceUnits(GaussianUnits):
    """A variance for each unit, learnt as z = log sigma^2, so that it stays positive (Cho et al. 2011).

    E(v, h) = sum_i (v_i - b_i)^2 / (2 sigma_i^2) - c . h - sum_ij v_i / sigma_i^2 W_ij h_j, so that
    v_i ~ N(x_i, sigma_i^2) with x = b + W h.
    """

    learns_variance = True

    def __init__(self, n_units: int) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(n_units), requires_grad=False)

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Add normal noise of the units' own variances."""
        noise = ranks.normal_(torch.empty_like(mean), rng)
        return noise.mul_((self.log_variance / 2).exp()).add_(mean)

    def free_energy_term(self, v: Tensor, bias: Tensor) -> Tensor:
        """Return sum_i (v_i - b_i)^2 / (2 sigma_i^2), shape (rows,)."""
        return ((v - bias).square() * (-self.log_variance).exp()).sum(1) / 2

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return sum_i (x_i^2 - b_i^2) / (2 sigma_i^2) + log(2 pi sigma_i^2) / 2, shape (rows,)."""
        exponent = ((x.square() - bias.square()) * (-self.log_variance).exp()).sum(1) / 2
        return exponent + (self.log_variance + math.log(2 * math.pi)).sum() / 2

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return -log N(v; x, sigma^2) without log(2 pi) / 2 a unit, shape (rows,)."""
        return self.free_energy_term(v, x) + self.log_variance.sum() / 2

    def initialize_variance(self, inputs: Tensor) -> None:
        """Set the variances to those of the rows (n, units)."""
        self.log_variance.copy_(inputs.var(0, correction=0).log().clamp_min(LOWEST_LOG_VARIANCE))

    def scaled(self, v: Tensor) -> Tensor:
        """Return v / sigma^2, shape of v."""
        return v * (-self.log_variance).exp()

    def log_variance_gradient(self, v: Tensor, bias: Tensor, y: Tensor) -> Tensor:
        """Return -dE/dz of each row, (rows, units), for y = W E[h | v]: ((v - b)^2 / 2 - v y) / sigma^2."""
        return ((v - bias).square() / 2 - v * y) * (-self.log_variance).exp()

    def log_pseudo_likelihood(
        self, hidden_term: Callable[[Tensor], Tensor], v: Tensor, x: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        """Return the log-densities of the v_i, normalised by quadrature, shape (rows,)."""
        return _log_pseudo_likelihood(hidden_term, v, x, weight, bias, self.log_variance.exp())


def _log_pseudo_likelihood(
    hidden_term: Callable[[Tensor], Tensor],
    v: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    variances: Tensor,
) -> Tensor:
    total = torch.zeros(len(v), dtype=v.dtype, device=v.device)
    present = hidden_term(x)
    for i, (w, b, variance) in enumerate(zip(weight, bias, variances, strict=True)):
        sigma = float(variance.sqrt())
        # Given the others, v_i is a mixture of normals around b + W h, h between 0 and 1.
        low = float(b + w.clamp_max(0).sum()) - BEYOND * sigma
        high = float(b + w.clamp_min(0).sum()) + BEYOND * sigma
        n_steps = (high - low) / sigma * STEPS_A_SIGMA
        if not math.isfinite(n_steps):
            return torch.full_like(total, math.nan)
        n_points = min(int(n_steps) + 2, MOST_STEPS)
        points = torch.linspace(low, high, n_points, dtype=v.dtype, device=v.device)
        without = x - torch.outer(v[:, i], w) / variance
        scores = torch.stack(
            [hidden_term(without + u / variance * w) - (u - b).square() / (2 * variance) for u in points],
            1,
        )
        log_integral = scores.logsumexp(1) + torch.log(points[1] - points[0])
        total += present - (v[:, i] - b).square() / (2 * variance) - log_integral
    return total
