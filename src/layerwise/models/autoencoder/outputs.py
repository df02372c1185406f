"""Outputs of decoders: what the last pre-activations say about a row, as a mean, a loss and samples."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.models.rbm.units import SoftmaxUnits, UnitBlock

LossName = Literal["binary_cross_entropy", "squared", "mixed", "gaussian"]
OutputName = Literal["sigmoid", "linear"]
LOG_TWO_PI = math.log(2 * math.pi)


class Output(nn.Module):
    """Read the decoder's last pre-activations, shape (..., n_inputs)."""

    # Whether the loss is -log p(row | latent) in nats, with every constant.
    is_likelihood = False
    # Columns are 0 or 1; what lies between is a probability.
    binary = False

    def mean(self, x: Tensor) -> Tensor:
        """Return the reconstruction, shape of x."""
        raise NotImplementedError

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return each row's loss, summed over its columns, shape of x without the last axis."""
        raise NotImplementedError

    def sample(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Sample rows given the pre-activations (rows, n_inputs), shape of x."""
        raise NotImplementedError


class BernoulliOutput(Output):
    """Sigmoid and cross-entropy, for rows in [0, 1]: -sum x log r + (1 - x) log(1 - r), nats."""

    is_likelihood = True
    binary = True

    def mean(self, x: Tensor) -> Tensor:
        """Return probabilities."""
        return x.sigmoid()

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return the cross-entropy of each row."""
        if x.shape == rows.shape:
            return functional.binary_cross_entropy_with_logits(x, rows, reduction="none").sum(-1)
        # Written out, several latents share a row without a copy of it: softplus(x) - x row.
        return functional.softplus(x).sum(-1) - torch.einsum("...d,...d->...", x, rows)

    def sample(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Sample each column as 0 or 1."""
        return torch.bernoulli(x.sigmoid(), generator=rng)


class SquaredOutput(Output):
    """The squared error, summed over columns; with `bounded` the reconstruction is a sigmoid."""

    def __init__(self, bounded: bool) -> None:
        super().__init__()
        self.bounded = bounded

    def mean(self, x: Tensor) -> Tensor:
        """Return x, or its sigmoid."""
        return x.sigmoid() if self.bounded else x

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return |row - reconstruction|^2."""
        return (self.mean(x) - rows).square().sum(-1)

    def sample(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Return the reconstruction: the squared error states no distribution."""
        return self.mean(x)


class GaussianOutput(Output):
    """N(x, sigma^2) with one learnt variance for all columns, as in probabilistic PCA."""

    is_likelihood = True

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(()))

    def mean(self, x: Tensor) -> Tensor:
        """Return x itself."""
        return x

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return -log N(row; x, sigma^2), nats."""
        squared = (x - rows).square().sum(-1)
        return (squared * (-self.log_variance).exp() + x.shape[-1] * (self.log_variance + LOG_TWO_PI)) / 2

    def sample(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Add normal noise."""
        noise = torch.empty_like(x).normal_(generator=rng)
        return x + noise * (self.log_variance / 2).exp()


class MixedOutput(Output):
    """Columns of several kinds: N(x, sigma_i^2) for numbers, softmax for one-hot groups, sigmoid for booleans.

    Args:
        blocks: from the first column to the last.
        learn_variance: one variance a number column, learnt as its logarithm; else all are 1.
    """

    is_likelihood = True

    def __init__(self, blocks: tuple[UnitBlock, ...], learn_variance: bool = False) -> None:
        super().__init__()
        self.blocks = blocks
        self.sizes = [block.size for block in blocks]
        self.softmaxes = nn.ModuleList(
            SoftmaxUnits(block.groups, block.rest) if block.kind == "softmax" else nn.Identity()
            for block in blocks
        )
        n_real = sum(block.size for block in blocks if block.kind == "gaussian")
        self.log_variance = nn.Parameter(torch.zeros(n_real), requires_grad=learn_variance)

    def _variances(self) -> list[Tensor]:
        sizes = [block.size if block.kind == "gaussian" else 0 for block in self.blocks]
        return list(self.log_variance.split(sizes))

    def mean(self, x: Tensor) -> Tensor:
        """Return numbers as they are, probabilities of categories and of booleans."""
        parts = []
        for block, softmax, piece in zip(self.blocks, self.softmaxes, x.split(self.sizes, -1), strict=True):
            if block.kind == "softmax":
                assert isinstance(softmax, SoftmaxUnits)
                parts.append(softmax.mean(piece.flatten(0, -2)).reshape(piece.shape))
            else:
                parts.append(piece.sigmoid() if block.kind == "bernoulli" else piece)
        return torch.cat(parts, -1)

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return -log p(row | x), nats; a group of zeros without a state of its own is missing and costs nothing."""
        total = x.new_zeros(x.shape[:-1])
        for block, softmax, variance, piece, part in zip(
            self.blocks,
            self.softmaxes,
            self._variances(),
            x.split(self.sizes, -1),
            rows.expand_as(x).split(self.sizes, -1),
            strict=True,
        ):
            if block.kind == "softmax":
                assert isinstance(softmax, SoftmaxUnits)
                total = total + softmax.loss(piece.flatten(0, -2), part.flatten(0, -2)).reshape(total.shape)
            elif block.kind == "bernoulli":
                total = total + (functional.softplus(piece) - piece * part).sum(-1)
            else:
                squared = (piece - part).square() * (-variance).exp()
                total = total + (squared + variance + LOG_TWO_PI).sum(-1) / 2
        return total

    def sample(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Sample each column by its kind."""
        parts = []
        for block, softmax, variance, piece in zip(
            self.blocks, self.softmaxes, self._variances(), x.split(self.sizes, -1), strict=True
        ):
            if block.kind == "softmax":
                assert isinstance(softmax, SoftmaxUnits)
                parts.append(softmax.sample(softmax.mean(piece), rng))
            elif block.kind == "bernoulli":
                parts.append(torch.bernoulli(piece.sigmoid(), generator=rng))
            else:
                noise = torch.empty_like(piece).normal_(generator=rng)
                parts.append(piece + noise * (variance / 2).exp())
        return torch.cat(parts, -1)


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
