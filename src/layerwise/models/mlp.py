"""The feed-forward network: what fine-tuning trains, whichever way its hidden layers began."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional

from layerwise.configuration import Config
from layerwise.models.layers import Activation, Initialiser, activation, initialise_


class MLPConfig(Config):
    """The shape of a feed-forward network and how it starts."""

    kind: Literal["mlp"] = "mlp"
    n_inputs: int = Field(ge=1)
    n_outputs: int = Field(ge=1)
    hidden_sizes: tuple[int, ...] = ()
    activation: Activation = "sigmoid"
    initialiser: Initialiser = "glorot_uniform"
    output_initialiser: Initialiser = "glorot_uniform"
    input_dropout: float = Field(0.0, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)

    @field_validator("hidden_sizes")
    @classmethod
    def _positive(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if any(size < 1 for size in sizes):
            raise ValueError("every layer needs at least 1 unit")
        return sizes


class Dropout(nn.Module):
    """Inverted dropout with a generator of its own (Srivastava et al. 2014).

    In training each value is kept with probability 1 - rate and divided by it; in evaluation nothing happens.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return x with a fresh mask, shape of x."""
        if not self.training or self.rate == 0:
            return x
        # One 64-bit draw gives four values their 16 bits: a third of a float draw's time, and exact to 2^-16.
        keep = 1 - self.rate
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
        draws = words.random_(-(2**63), None, generator=self.generator).view(torch.int16)[: x.numel()]
        kept = draws.view(x.shape).lt(min(round(keep * 2**16), 2**16 - 1) - 2**15)
        return x * kept.to(x.dtype).div_(keep)


class MLP(nn.Module):
    """Hidden layers with one activation, then a linear output: `forward` returns logits or values.

    Args:
        config: the shape.
        generator: draws the first weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: MLPConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        sizes = (config.n_inputs, *config.hidden_sizes)
        self.hidden = nn.ModuleList(nn.utils.skip_init(nn.Linear, n, m) for n, m in pairwise(sizes))
        self.output = nn.utils.skip_init(nn.Linear, sizes[-1], config.n_outputs)
        self.activations = nn.ModuleList(activation(config.activation) for _ in config.hidden_sizes)
        self.dropouts = nn.ModuleList(
            Dropout(config.input_dropout if i == 0 else config.dropout) for i in range(len(sizes))
        )
        with torch.no_grad():
            for layer in (*self.hidden, self.output):
                name = config.output_initialiser if layer is self.output else config.initialiser
                layer.bias.zero_()
                if generator is None:
                    layer.weight.zero_()
                else:
                    initialise_(layer.weight, name, generator)

    def use_generator(self, generator: torch.Generator) -> None:
        """Draw every dropout mask from this generator from now on."""
        for dropout in self.dropouts:
            assert isinstance(dropout, Dropout)
            dropout.generator = generator

    def encode(self, x: Tensor, depth: int | None = None) -> Tensor:
        """Return the activities of the last (or the `depth`-th) hidden layer, shape (rows, units)."""
        for i, layer in enumerate(self.hidden[:depth]):
            assert isinstance(layer, nn.Linear)
            x = self.activations[i](functional.linear(self.dropouts[i](x), layer.weight, layer.bias))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (classification) or values (regression), shape (rows, n_outputs)."""
        return self.output(self.dropouts[-1](self.encode(x)))
