"""Binary units."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.data import DataSpec
from layerwise.models.rbm.units.base import Units, UnitsError, register_units
from layerwise.utils import ranks

# Hidden pre-activations that are summed out at once: one call for many units, and they stay in the cache.
NUMBERS_AT_ONCE = 200_000


@register_units(visible="bernoulli", hidden="bernoulli")
class BernoulliUnits(Units):
    """p(v = 1) = sigmoid(x); own term -v . b; summed out, softplus(x) a unit (Hinton 2002)."""

    binary = tempers = has_pseudo_likelihood = in_blocks = in_stacks = True

    @classmethod
    def suits(cls, columns: DataSpec) -> bool:
        """Return whether the columns are booleans or pixels."""
        return bool(columns.image_shape) or {block.kind for block in columns.blocks} == {"binary"}

    @staticmethod
    def mean(x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return sigmoid(x), shape of x."""
        return torch.sigmoid(x)

    @staticmethod
    def sample(mean: Tensor, rng: torch.Generator) -> Tensor:
        """Sample each unit on its own: one random number a unit and row."""
        return ranks.uniform_(torch.empty_like(mean), rng).lt_(mean)

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
        torch.lt(ranks.uniform_(scratch, rng), x.sigmoid_(), out=states)

    def sites(self, n_units: int) -> list[Tensor] | None:
        """Return the two states of each bit."""
        return [torch.tensor([[0.0], [1.0]])] * n_units

    def rounded(self, v: Tensor) -> Tensor:
        """Round grey values."""
        return v.round()

    def log_pseudo_likelihood(
        self, hidden_term: Callable[[Tensor], Tensor], v: Tensor, x: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        """Return sum_i log sigmoid(F(v with v_i flipped) - F(v)), shape (rows,)."""
        change, present = 1 - 2 * v, hidden_term(x)[:, None]
        total = torch.zeros(len(v), dtype=v.dtype, device=v.device)
        at_once = max(1, NUMBERS_AT_ONCE // max(1, x.numel()))
        for start in range(0, len(weight), at_once):
            units = slice(start, start + at_once)
            flips = change[:, units]
            flipped = hidden_term(
                torch.addcmul(x[:, None], flips[:, :, None], weight[None, units]).flatten(0, 1)
            )
            log_ratios = present - flipped.view_as(flips) - flips * bias[units]
            total += functional.logsigmoid(log_ratios).sum(1)
        return total
