"""Dropout and DropConnect: units or connections that are dropped at random while a network learns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.models.layers.modules import Linear
from layerwise.utils import ranks

MaskOf = Literal["row", "batch"]


def dropout_mask(like: Tensor, shape: Sequence[int], rate: float, rng: torch.Generator | None) -> Tensor:
    """Return a mask of 0 and 1 / (1 - rate), so that the expectation of what it multiplies stays."""
    # One 64-bit draw gives four values their 16 bits: a third of a float draw's time, and exact to 2^-16.
    keep, n = 1 - rate, math.prod(shape)
    words = torch.empty(-(-n // 4), dtype=torch.int64, device=like.device)
    draws = words.random_(-(2**63), None, generator=rng).view(torch.int16)[:n]
    chosen = draws.view(*shape).lt(min(round(keep * 2**16), 2**16 - 1) - 2**15)
    return chosen.to(like.dtype).div_(keep)


def row_masks(like: Tensor, shape: Sequence[int], rate: float, rng: torch.Generator | None) -> Tensor:
    """Return a mask for each row of a shape (rows, ...), those of this rank's rows alone."""
    return ranks.draw_rows(lambda whole: dropout_mask(like, whole, rate, rng), shape)


class Dropout(nn.Module):
    """Inverted dropout with a random generator of its own (Srivastava et al. 2014).

    In training each value is kept with probability 1 - rate and divided by it; in evaluation nothing happens.

    Args:
        rate: the fraction of values that are dropped.
        members: lines that each row has, one after the other.
    """

    def __init__(self, rate: float, members: int = 1) -> None:
        super().__init__()
        self.rate, self.members = rate, members
        self.rng: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return x times a new mask, shape of x."""
        if not self.training or self.rate == 0:
            return x
        shape = (len(x) // self.members, self.members, *x.shape[1:])
        return x * row_masks(x, shape, self.rate, self.rng).view(x.shape)


class DropConnect(Linear):
    """A linear layer whose connections are dropped at random while it learns (Wan et al. 2013, eq. 2).

    In training y = (M * W) x / (1 - rate) + b, each entry of M kept with probability 1 - rate; in evaluation
    y = W x + b, the expectation. The paper draws M for each row, since one mask for a whole batch regularises
    less; that costs rows x n x m random numbers.

    Args:
        n_inputs: n.
        n_outputs: m.
        rate: the fraction of connections that are dropped.
        mask_of: a mask for each `row`, or one for the whole `batch`.
        bias: whether there is a b.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        rate: float,
        mask_of: MaskOf = "row",
        bias: bool = True,
    ) -> None:
        super().__init__(n_inputs, n_outputs, bias=bias)
        self.rate, self.mask_of = rate, mask_of
        self.rng: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return (rows, m) of inputs (rows, n)."""
        if not self.training or self.rate == 0:
            return functional.linear(x, self.weight, self.bias)
        if self.mask_of == "batch":
            mask = dropout_mask(x, tuple(self.weight.shape), self.rate, self.rng)
            return functional.linear(x, self.weight * mask, self.bias)
        mask = row_masks(x, (x.shape[0], *self.weight.shape), self.rate, self.rng)
        outputs = torch.einsum("bmn,bn->bm", mask * self.weight, x)
        return outputs if self.bias is None else outputs + self.bias
