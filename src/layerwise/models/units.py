"""The kinds of units a restricted Boltzmann machine can have, each with the same three verbs.

`mean` and `sample` are of the conditional distribution given the total input x = W h + b of a layer;
`free_energy_term` is the part of the free energy that belongs to the layer's own states.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

VisibleKind = Literal["bernoulli", "gaussian"]


class Bernoulli:
    """Binary units: p(v = 1) = sigmoid(x); own term -v . b (Hinton 2002)."""

    @staticmethod
    def mean(x: Tensor) -> Tensor:
        """Return sigmoid(x), shape of x."""
        return torch.sigmoid(x)

    @staticmethod
    def sample(mean: Tensor, generator: torch.Generator) -> Tensor:
        """Draw each unit on its own: one random number a unit and row."""
        return torch.empty_like(mean).uniform_(generator=generator).lt_(mean)

    @staticmethod
    def free_energy_term(v: Tensor, bias: Tensor) -> Tensor:
        """Return -v . b, shape (rows,)."""
        return -(v @ bias)


class Gaussian:
    """Real units of unit variance: v ~ N(x, 1); own term |v - b|^2 / 2 (Welling et al. 2005)."""

    @staticmethod
    def mean(x: Tensor) -> Tensor:
        """Return x itself."""
        return x

    @staticmethod
    def sample(mean: Tensor, generator: torch.Generator) -> Tensor:
        """Add standard normal noise."""
        return torch.empty_like(mean).normal_(generator=generator).add_(mean)

    @staticmethod
    def free_energy_term(v: Tensor, bias: Tensor) -> Tensor:
        """Return |v - b|^2 / 2, shape (rows,)."""
        return (v - bias).square().sum(1) / 2


VISIBLE_UNITS: dict[str, type[Bernoulli] | type[Gaussian]] = {"bernoulli": Bernoulli, "gaussian": Gaussian}
