"""What every kind of units can do.

A layer's pre-activation is x = b + W h (or c + v W for hidden units), shape (rows, units). `observation_counts` say how
often a unit was observed in a row: the length of a document, or 0 for the units of a missing rating. None means once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerwise.utils import UserError


class UnitsError(UserError, ValueError):
    """The rows do not fit the kind of an RBM's units, or the units cannot do what is asked."""


class Units(nn.Module):
    """The conditional distribution of one layer's units, and the layer's terms in the free energy."""

    # A document's words each bring the hidden biases once (Salakhutdinov & Hinton 2009, equation 3).
    scales_hidden_bias = False

    def mean(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return the conditional mean given the pre-activation, shape of x."""
        raise NotImplementedError

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Sample states given their conditional mean, shape of mean."""
        raise NotImplementedError

    def free_energy_term(self, v: Tensor, bias: Tensor) -> Tensor:
        """Return the part of the energy that belongs to the layer's own states, shape (rows,); nats."""
        raise NotImplementedError

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return log sum_v exp(-own term(v, bias) + (x - bias) . v), shape (rows,): the layer summed out."""
        raise NotImplementedError

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return -log p(v | x) up to a constant, shape (rows,); nats."""
        raise NotImplementedError

    def initial_bias(self, inputs: Tensor) -> Tensor:
        """Return biases (units,) under which independent units have the means of the rows (n, units).

        Raises:
            UnitsError: the rows hold values that such units cannot take.
        """
        raise NotImplementedError

    def observation_counts(self, v: Tensor) -> Tensor | None:
        """Return how often each unit was observed, (rows, 1) or (rows, units); None if once."""
        return None

    def scaled(self, v: Tensor) -> Tensor:
        """Return the statistic that meets the weights: v, or v / sigma^2; shape of v."""
        return v

    def sample_from_pre_activation(
        self, x: Tensor, rng: torch.Generator, observation_counts: Tensor | None = None
    ) -> Tensor:
        """Sample states given the pre-activation, shape of x."""
        return self.sample(self.mean(x, observation_counts), rng)

    def mean_(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Turn pre-activations into conditional means in place."""
        return x.copy_(self.mean(x, observation_counts))

    def activate_(self, x: Tensor, states: Tensor, scratch: Tensor, rng: torch.Generator) -> None:
        """Turn pre-activations into means in place and sample `states` (shape of x); `scratch` may be overwritten."""
        states.copy_(self.sample_from_pre_activation(x, rng))
        self.mean_(x)
