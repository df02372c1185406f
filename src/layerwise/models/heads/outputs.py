"""Heads of decoders: what the last pre-activations say about a row, as a mean, a loss and samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LOG_TWO_PI = math.log(2 * math.pi)


class Output(nn.Module):
    """Read the decoder's last pre-activations, shape (..., n_inputs)."""

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
