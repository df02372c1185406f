"""Binary units."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.models.rbm.units.base import Units, UnitsError


class BernoulliUnits(Units):
    """p(v = 1) = sigmoid(x); own term -v . b; summed out, softplus(x) a unit (Hinton 2002)."""

    @staticmethod
    def mean(x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return sigmoid(x), shape of x."""
        return torch.sigmoid(x)

    @staticmethod
    def sample(mean: Tensor, rng: torch.Generator) -> Tensor:
        """Sample each unit on its own: one random number a unit and row."""
        return torch.empty_like(mean).uniform_(generator=rng).lt_(mean)

    @staticmethod
    def free_energy_term(v: Tensor, bias: Tensor) -> Tensor:
        """Return -v . b, shape (rows,)."""
        return -(v @ bias)

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return sum_i log(1 + exp(x_i)), shape (rows,)."""
        return functional.softplus(x).sum(1)

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return the cross-entropy in nats a row; exact where a probability rounds to 0 or 1."""
        return functional.softplus(x).addcmul_(x, v, value=-1).sum(1)

    def initial_bias(self, inputs: Tensor) -> Tensor:
        """Return the log-odds of the means, half a one and half a zero added; Hinton (2010), section 8.1."""
        low, high = (float(bound) for bound in inputs.aminmax())
        if low < 0 or high > 1:
            raise UnitsError(
                f"Bernoulli visible units take values from 0 to 1, but the rows go from {low:.3g} to "
                f"{high:.3g}; scale them to [0, 1] or choose visible: gaussian"
            )
        return torch.logit((inputs.mean(0) * len(inputs) + 0.5) / (len(inputs) + 1))

    def mean_(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Turn pre-activations into probabilities in place."""
        return x.sigmoid_()

    def activate_(self, x: Tensor, states: Tensor, scratch: Tensor, rng: torch.Generator) -> None:
        """Turn pre-activations into probabilities in place and sample states, without a new tensor."""
        torch.lt(scratch.uniform_(generator=rng), x.sigmoid_(), out=states)
