"""Linear hidden units with Gaussian noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerwise.models.rbm.units.base import Units, register_units
from layerwise.utils import ranks


@register_units(hidden="gaussian")
class GaussianHiddenUnits(Units):
    """p(h | x) = N(x, 1): real-valued codes, as Hinton & Salakhutdinov (2006) gave the top layer of deep autoencoders.

    Own term h^2 / 2; summed out, x^2 / 2 + log(2 pi) / 2 a unit. With visible units of finitely many states any weights
    are a distribution; beside real ones large weights are none, so that an RBM's config refuses the two together.
    """

    real = unbounded = True

    def mean(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return x."""
        return x.clone()

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Sample N(mean, 1), shape of mean."""
        return ranks.normal_(torch.empty_like(mean), rng).add_(mean)

    def free_energy_term(self, v: Tensor, bias: Tensor) -> Tensor:
        """Return h^2 / 2 - h . bias, shape (rows,)."""
        return v.square().sum(1) / 2 - v @ bias

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return the logarithm of the integral of exp(-h^2 / 2 + x . h), shape (rows,)."""
        return x.square().sum(1) / 2 + self.loss_constant(x.shape[1])

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return half the squared distance, shape (rows,)."""
        return (v - x).square().sum(1) / 2

    def loss_constant(self, n_units: int) -> float:
        """Return log(2 pi) / 2 a unit."""
        return n_units * math.log(2 * math.pi) / 2

    def mean_(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return x as it is."""
        return x
