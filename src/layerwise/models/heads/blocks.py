"""The head of a decoder by its name; of columns of several kinds each block of neighbouring ones has its own."""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.models.heads.outputs import (
    LOG_TWO_PI,
    BernoulliOutput,
    GaussianOutput,
    Output,
    SquaredOutput,
)
from layerwise.models.rbm.units import SoftmaxUnits, UnitBlock

LossName = Literal["binary_cross_entropy", "squared", "mixed", "gaussian"]
OutputName = Literal["sigmoid", "linear"]


class BlockHead(nn.Module):
    """The head of neighbouring columns of one kind; `log_variance` (columns,) is that of numbers, else empty."""

    def mean(self, x: Tensor) -> Tensor:
        """Return the reconstruction, shape of x (..., columns)."""
        raise NotImplementedError

    def loss(self, x: Tensor, rows: Tensor, log_variance: Tensor) -> Tensor:
        """Return -log p(row | x) in nats, shape of x without the last axis."""
        raise NotImplementedError

    def sample(self, x: Tensor, log_variance: Tensor, rng: torch.Generator) -> Tensor:
        """Sample columns given the pre-activations (rows, columns), shape of x."""
        raise NotImplementedError


class NumberBlock(BlockHead):
    """N(x, sigma_i^2)."""

    def mean(self, x: Tensor) -> Tensor:
        """Return x itself."""
        return x

    def loss(self, x: Tensor, rows: Tensor, log_variance: Tensor) -> Tensor:
        """Return -log N(row; x, sigma^2)."""
        squared = (x - rows).square() * (-log_variance).exp()
        return (squared + log_variance + LOG_TWO_PI).sum(-1) / 2

    def sample(self, x: Tensor, log_variance: Tensor, rng: torch.Generator) -> Tensor:
        """Add normal noise."""
        noise = torch.empty_like(x).normal_(generator=rng)
        return x + noise * (log_variance / 2).exp()


class BooleanBlock(BlockHead):
    """A sigmoid each."""

    def mean(self, x: Tensor) -> Tensor:
        """Return probabilities."""
        return x.sigmoid()

    def loss(self, x: Tensor, rows: Tensor, log_variance: Tensor) -> Tensor:
        """Return the cross-entropy."""
        return (functional.softplus(x) - x * rows).sum(-1)

    def sample(self, x: Tensor, log_variance: Tensor, rng: torch.Generator) -> Tensor:
        """Sample each column as 0 or 1."""
        return torch.bernoulli(x.sigmoid(), generator=rng)


class CategoryBlock(BlockHead):
    """One-hot groups; a group of zeros without a state of its own is missing and costs nothing.

    Args:
        block: whose groups they are.
    """

    def __init__(self, block: UnitBlock) -> None:
        super().__init__()
        self.units = SoftmaxUnits(block.groups, block.rest)

    def mean(self, x: Tensor) -> Tensor:
        """Return the probabilities of each group."""
        return self.units.mean(x.flatten(0, -2)).reshape(x.shape)

    def loss(self, x: Tensor, rows: Tensor, log_variance: Tensor) -> Tensor:
        """Return the cross-entropy of the observed groups."""
        return self.units.loss(x.flatten(0, -2), rows.flatten(0, -2)).reshape(x.shape[:-1])

    def sample(self, x: Tensor, log_variance: Tensor, rng: torch.Generator) -> Tensor:
        """Sample one category a group."""
        return self.units.sample(self.units.mean(x), rng)


def _block_head(block: UnitBlock) -> BlockHead:
    if block.kind == "softmax":
        return CategoryBlock(block)
    return {"bernoulli": BooleanBlock, "gaussian": NumberBlock}[block.kind]()


class MixedOutput(Output):
    """Columns of several kinds: N(x, sigma_i^2) for numbers, softmax for one-hot groups, sigmoid for booleans.

    Args:
        blocks: from the first column to the last.
        learn_variance: one variance a number column, learnt as its logarithm; else all are 1.
    """

    def __init__(self, blocks: tuple[UnitBlock, ...], learn_variance: bool = False) -> None:
        super().__init__()
        self.sizes = [block.size for block in blocks]
        self.n_real = [block.size if block.kind == "gaussian" else 0 for block in blocks]
        self.heads = nn.ModuleList(_block_head(block) for block in blocks)
        self.log_variance = nn.Parameter(torch.zeros(sum(self.n_real)), requires_grad=learn_variance)

    def _parts(self, x: Tensor) -> list[tuple[BlockHead, Tensor, Tensor]]:
        """Return each block's head with its columns and its log-variances."""
        pieces = zip(self.heads, x.split(self.sizes, -1), self.log_variance.split(self.n_real), strict=True)
        return [(cast(BlockHead, head), piece, log_variance) for head, piece, log_variance in pieces]

    def mean(self, x: Tensor) -> Tensor:
        """Return numbers as they are, probabilities of categories and of booleans."""
        return torch.cat([head.mean(piece) for head, piece, _ in self._parts(x)], -1)

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return -log p(row | x), nats; a group of zeros without a state of its own is missing and costs nothing."""
        total, targets = x.new_zeros(x.shape[:-1]), rows.expand_as(x).split(self.sizes, -1)
        for (head, piece, log_variance), target in zip(self._parts(x), targets, strict=True):
            total = total + head.loss(piece, target, log_variance)
        return total

    def sample(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Sample each column by its kind."""
        return torch.cat(
            [head.sample(piece, log_variance, rng) for head, piece, log_variance in self._parts(x)], -1
        )


def build_output(
    loss: LossName, output: OutputName, blocks: tuple[UnitBlock, ...] = (), learn_variance: bool = False
) -> Output:
    """Return the output for a loss.

    Raises:
        ValueError: the loss and the output's activation do not go together.
    """
    if loss == "binary_cross_entropy":
        if output != "sigmoid":
            raise ValueError("binary_cross_entropy needs probabilities: output: sigmoid")
        return BernoulliOutput()
    if loss == "squared":
        return SquaredOutput(bounded=output == "sigmoid")
    if output == "sigmoid":
        raise ValueError(f"a {loss} loss reads its outputs by itself: output: linear")
    if loss == "gaussian":
        return GaussianOutput()
    return MixedOutput(blocks, learn_variance)
