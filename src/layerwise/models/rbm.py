"""The restricted Boltzmann machine with Bernoulli hidden units.

Energy (Smolensky 1986; Hinton 2002), Bernoulli visible units: E(v, h) = -b.v - c.h - v W h.
Gaussian visible units of unit variance (Welling et al. 2005): E(v, h) = |v - b|^2 / 2 - c.h - v W h.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from layerwise.configuration import Config
from layerwise.errors import UserError
from layerwise.models.units import VISIBLE_UNITS, Bernoulli, VisibleKind


class UnitsError(UserError, ValueError):
    """The rows do not fit the kind of a machine's visible units."""


class RBMConfig(Config):
    """The shape of a machine."""

    kind: Literal["rbm"] = "rbm"
    n_visible: int = Field(ge=1)
    n_hidden: int = Field(ge=1)
    visible: VisibleKind = "bernoulli"


class RBM(nn.Module):
    """A restricted Boltzmann machine.

    Parameters are `weight` (n_visible, n_hidden), `visible_bias` (n_visible,) and `hidden_bias` (n_hidden,).
    They learn by contrastive divergence, not by autograd.
    """

    weight: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor

    def __init__(self, config: RBMConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.units = VISIBLE_UNITS[config.visible]
        weight = torch.zeros(config.n_visible, config.n_hidden)
        if generator is not None:
            weight.normal_(0, 0.01, generator=generator)  # Hinton 2010, section 8
        for name, value in (
            ("weight", weight),
            ("visible_bias", torch.zeros(config.n_visible)),
            ("hidden_bias", torch.zeros(config.n_hidden)),
        ):
            self.register_parameter(name, nn.Parameter(value, requires_grad=False))

    def start_from(self, inputs: Tensor) -> None:
        """Set the visible biases from training rows (n, n_visible): log-odds of the means, or the means.

        Hinton, A Practical Guide to Training RBMs (2010), section 8.1.

        Raises:
            UnitsError: the units are Bernoulli and a value lies outside [0, 1].
        """
        mean = inputs.mean(0)
        if self.config.visible == "bernoulli":
            low, high = (float(bound) for bound in inputs.aminmax())
            if low < 0 or high > 1:
                raise UnitsError(
                    f"Bernoulli visible units take values from 0 to 1, but the rows go from {low:.3g} to "
                    f"{high:.3g}; scale them to [0, 1] or choose visible: gaussian"
                )
            smoothed = (mean * len(inputs) + 0.5) / (len(inputs) + 1)
            self.visible_bias.copy_(torch.logit(smoothed))
        else:
            self.visible_bias.copy_(mean)

    def hidden_mean(self, v: Tensor) -> Tensor:
        """Return p(h = 1 | v), shape (rows, n_hidden)."""
        return torch.sigmoid(torch.addmm(self.hidden_bias, v, self.weight))

    def visible_mean(self, h: Tensor) -> Tensor:
        """Return E[v | h], shape (rows, n_visible)."""
        return self.units.mean(torch.addmm(self.visible_bias, h, self.weight.t()))

    def sample_hidden(self, v: Tensor, generator: torch.Generator) -> Tensor:
        """Draw h ~ p(h | v), shape (rows, n_hidden)."""
        return Bernoulli.sample(self.hidden_mean(v), generator)

    def sample_visible(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Draw v ~ p(v | h), shape (rows, n_visible)."""
        return self.units.sample(self.visible_mean(h), generator)

    def gibbs(self, v: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """Run block Gibbs sampling v -> h -> v for a number of steps; shape of v."""
        for _ in range(steps):
            v = self.sample_visible(self.sample_hidden(v, generator), generator)
        return v

    def reconstruct(self, v: Tensor) -> Tensor:
        """Return the mean-field reconstruction E[v | E[h | v]], shape of v."""
        return self.visible_mean(self.hidden_mean(v))

    def energy(self, v: Tensor, h: Tensor) -> Tensor:
        """Return E(v, h), shape (rows,)."""
        own = self.units.free_energy_term(v, self.visible_bias)
        return own - h @ self.hidden_bias - (v @ self.weight * h).sum(1)

    def free_energy(self, v: Tensor) -> Tensor:
        """Return F(v) = -log sum_h exp(-E(v, h)), shape (rows,); nats."""
        own = self.units.free_energy_term(v, self.visible_bias)
        return own - functional.softplus(torch.addmm(self.hidden_bias, v, self.weight)).sum(1)
