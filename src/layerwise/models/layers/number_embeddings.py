"""Embeddings of a table's number columns: what lets a network see the steps that trees cut a number into.

Gorishniy, Rubachev & Babenko 2022, "On embeddings for numerical features in tabular deep learning".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from layerwise.utils import Choice, Config

NumberEmbeddingName = Literal["none", "piecewise_linear", "periodic"]
NUMBER_EMBEDDINGS: dict[NumberEmbeddingName, Choice] = {
    "none": Choice("x alone", "images; few rows"),
    "piecewise_linear": Choice(
        "beside x how far it is through each of its bins, which have equally many training rows: "
        "clip((x - a) / (b - a), 0, 1) of the bin from a to b (Gorishniy et al. 2022, equation 1)",
        "tables",
    ),
    "periodic": Choice(
        "beside x relu(A [cos v, sin v]), v = 2 pi c x, with frequencies c and A learnt for each column (same paper, "
        "equation 2)",
        "tables with fine structure in a number",
    ),
}
# A number of a standardised column goes on as x / sqrt(1 + (x / 3)^2), at most 3 (Holzmueller et al. 2024, RealMLP).
LARGEST = 3.0


class NumberEmbeddingConfig(Config):
    """Which inputs are embedded, and how.

    Args:
        name: of the embedding.
        columns: positions of the inputs that are numbers.
        bins: of `piecewise_linear`, the bins of each column.
        frequencies: of `periodic`, the frequencies of each column.
        size: of `periodic`, the numbers that each column becomes.
    """

    name: Literal["piecewise_linear", "periodic"]
    columns: tuple[int, ...]
    bins: tuple[int, ...] = ()
    frequencies: int = 16
    size: int = 8

    @property
    def n_added(self) -> int:
        """The columns that the embedding puts beside the inputs."""
        return sum(self.bins) if self.name == "piecewise_linear" else self.size * len(self.columns)

    def input_of(self) -> list[int]:
        """Return for each added column the input that it comes from."""
        widths = self.bins if self.name == "piecewise_linear" else (self.size,) * len(self.columns)
        return [column for column, width in zip(self.columns, widths, strict=True) for _ in range(width)]


def squash(x: Tensor) -> Tensor:
    """Return x / sqrt(1 + (x / 3)^2): x where it is small, never beyond 3, so that an outlier is one among others."""
    return x * (1 + (x / LARGEST).square()).rsqrt()


class PiecewiseLinearEmbedding(nn.Module):
    """The inputs, their numbers squashed, and beside them the piecewise linear encoding of each number.

    Outside of the training rows' range the encoding stays what it is at the range's end; the paper goes on linearly,
    which is what the squashed number beside it is for.

    Args:
        config: the columns, and the bins of each; their edges are set by `set_edges` or loaded.
    """

    low: Tensor
    high: Tensor
    _input_of: Tensor
    _columns: Tensor

    def __init__(self, config: NumberEmbeddingConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("low", torch.zeros(sum(config.bins)))
        self.register_buffer("high", torch.ones(sum(config.bins)))
        self.register_buffer(
            "_input_of", torch.tensor(config.input_of(), dtype=torch.int64), persistent=False
        )
        self.register_buffer("_columns", torch.tensor(config.columns, dtype=torch.int64), persistent=False)

    def set_edges(self, edges: Sequence[Tensor]) -> None:
        """Take the edges of each column's bins, (bins + 1,), increasing."""
        self.low.copy_(torch.cat([each[:-1] for each in edges]))
        self.high.copy_(torch.cat([each[1:] for each in edges]))

    def forward(self, x: Tensor) -> Tensor:
        """Return (rows, n_inputs + bins)."""
        through = (x.index_select(-1, self._input_of) - self.low) / (self.high - self.low)
        return torch.cat([_squash_columns(x, self._columns), through.clamp(0, 1)], -1)


class PeriodicEmbedding(nn.Module):
    """The inputs, their numbers squashed, and beside them cosines and sines of each number, mixed and rectified.

    Args:
        config: the columns, the frequencies of each, and what they become.
        rng: samples the first frequencies and weights; None leaves them zero, to be loaded.
    """

    FREQUENCY_STD = 0.1
    _columns: Tensor

    def __init__(self, config: NumberEmbeddingConfig, rng: torch.Generator | None) -> None:
        super().__init__()
        self.config = config
        n, k, size = len(config.columns), config.frequencies, config.size
        self.frequencies = nn.Parameter(torch.zeros(n, k))
        self.weight = nn.Parameter(torch.zeros(n, 2 * k, size))
        self.bias = nn.Parameter(torch.zeros(n, size))
        self.register_buffer("_columns", torch.tensor(config.columns, dtype=torch.int64), persistent=False)
        if rng is not None:
            bound = 1 / math.sqrt(2 * k)
            with torch.no_grad():
                self.frequencies.normal_(0, self.FREQUENCY_STD, generator=rng)
                self.weight.uniform_(-bound, bound, generator=rng)
                self.bias.uniform_(-bound, bound, generator=rng)

    def forward(self, x: Tensor) -> Tensor:
        """Return (rows, n_inputs + size of each column)."""
        numbers = x.index_select(-1, self._columns)
        angles = 2 * math.pi * self.frequencies * numbers[..., None]
        waves = torch.cat([angles.cos(), angles.sin()], -1)
        mixed = torch.einsum("rnk,nks->rns", waves, self.weight) + self.bias
        return torch.cat([_squash_columns(x, self._columns), mixed.relu().flatten(-2)], -1)


def _squash_columns(x: Tensor, columns: Tensor) -> Tensor:
    return x.index_copy(-1, columns, squash(x.index_select(-1, columns)))


def make_number_embedding(config: NumberEmbeddingConfig, rng: torch.Generator | None) -> nn.Module:
    """Return the embedding that a config describes."""
    if config.name == "piecewise_linear":
        return PiecewiseLinearEmbedding(config)
    return PeriodicEmbedding(config, rng)


def quantile_edges(numbers: Tensor, bins: int) -> Tensor:
    """Return the edges of bins with equally many of the numbers, (at most bins + 1,), increasing.

    Where many numbers are equal, bins fall together: there are fewer, and of a constant column one of width 1.

    Args:
        numbers: (rows,) of one column.
        bins: at most.
    """
    # torch's own quantiles are of 16 million numbers at most.
    edges = np.quantile(numbers.double().cpu().numpy(), np.linspace(0, 1, bins + 1))
    edges = torch.from_numpy(edges).to(numbers.dtype).unique()
    if len(edges) < 2:
        return torch.stack([edges[0], edges[0] + 1])
    return edges
