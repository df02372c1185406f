"""Noisy rectified linear units."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.models.rbm.units.base import Units, UnitsError, register_units
from layerwise.utils import ranks

# Beyond 40, softplus is the identity or 0 to the last bit of a float64.
REACH = 40


@register_units(hidden="nrelu")
class NoisyReLUUnits(Units):
    """NReLU (Nair & Hinton 2010): h = max(0, x + N(0, sigmoid(x))).

    It stands for a binary unit copied without end, the k-th copy's input lowered by k - 1/2. The free energy is that
    of the copies, exactly; the sampler and its mean are Nair and Hinton's approximation of their sum (0.4 too low at
    x = 0, right far from it), so that Gibbs steps leave the model's distribution only nearly unchanged.
    """

    unbounded, samples_exactly = True, False

    def mean(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return E max(0, x + s e) = x Phi(x / s) + s phi(x / s) for s^2 = sigmoid(x), shape of x."""
        s = torch.sigmoid(x).sqrt()
        # s falls as e^(x/2): far below 0 the ratio overflows, and the mean is 0.
        ratio = (x / s.clamp_min(1e-30)).clamp(-1e4, 1e4)
        density = torch.exp(-ratio.square() / 2) / math.sqrt(2 * math.pi)
        return (x * torch.special.ndtr(ratio) + s * density).clamp_min(0)

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Refuse: the mean does not give the distribution; use `sample_from_pre_activation`."""
        raise UnitsError("rectified units are sampled from their pre-activation, not from their mean")

    def sample_from_pre_activation(
        self, x: Tensor, rng: torch.Generator, observation_counts: Tensor | None = None
    ) -> Tensor:
        """Sample max(0, x + N(0, sigmoid(x))), shape of x."""
        noise = ranks.normal_(torch.empty_like(x), rng)
        return noise.mul_(torch.sigmoid(x).sqrt_()).add_(x).clamp_min_(0)

    def free_energy_term(self, v: Tensor, bias: Tensor) -> Tensor:
        """Refuse: many states of the copies have the same sum."""
        raise UnitsError("the energy of rectified units is one of their copies, not of their sum")

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return sum_i sum_k log(1 + exp(x_i - k + 1/2)) over all copies k = 1, 2, ..., shape (rows,)."""
        # The first m copies are on for certain: their terms add up to m x - m^2 / 2.
        m = (x - REACH).floor().clamp_min(0)
        total = m * x - m.square() / 2
        x = x - m
        for k in range(1, 2 * REACH + 2):
            total += functional.softplus(x - k + 0.5)
        return total.sum(1)
