"""Recurrent networks that read a sequence of symbols and name its class at the end."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from layerwise.utils import Config

Cell = Literal["rnn", "lstm", "gru"]
_CELLS: dict[str, type[nn.Module]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentConfig(Config):
    """The shape: symbols as one-hot inputs, one recurrent layer, a linear output.

    `memory` is for how many steps the gates of an LSTM or a GRU can keep a value at the start.
    """

    kind: Literal["recurrent"] = "recurrent"
    cell: Cell = "lstm"
    n_symbols: int = Field(ge=2)
    hidden_size: int = Field(32, ge=1)
    n_outputs: int = Field(ge=1)
    memory: int = Field(3, ge=3)


class Recurrent(nn.Module):
    """A plain recurrent layer (Elman 1990), an LSTM (Hochreiter & Schmidhuber 1997) or a GRU (Cho et al. 2014).

    The gate that keeps starts at log U(1, memory - 1), an LSTM's input gate at minus that (Tallec & Ollivier 2018,
    eq. 16), so that the units hold what they read for 1 to `memory` steps.

    Args:
        config: the shape.
        rng: initialises the weights, U(-1/sqrt(hidden), 1/sqrt(hidden)).
    """

    def __init__(self, config: RecurrentConfig, rng: torch.Generator) -> None:
        super().__init__()
        self.config = config
        self.layer = _CELLS[config.cell](config.n_symbols, config.hidden_size, batch_first=True)
        self.output = nn.Linear(config.hidden_size, config.n_outputs)
        bound = config.hidden_size**-0.5
        with torch.no_grad():
            for value in self.parameters():
                value.uniform_(-bound, bound, generator=rng)
            if config.cell != "rnn":
                self._open_gates(rng)

    def _open_gates(self, rng: torch.Generator) -> None:
        n = self.config.hidden_size
        bias = torch.empty(n).uniform_(1, self.config.memory - 1, generator=rng).log()
        first, second = (self.layer.get_parameter(f"bias_{part}_l0") for part in ("ih", "hh"))
        # torch's gates are input, forget, cell, output (LSTM); reset, update, new (GRU). The two biases are added.
        first[n : 2 * n], second[n : 2 * n] = bias, 0.0
        if self.config.cell == "lstm":
            first[:n], second[:n] = -bias, 0.0

    def forward(self, symbols: Tensor) -> Tensor:
        """Return logits (rows, n_outputs) of sequences (rows, steps) of int64 symbols."""
        return self.read(functional.one_hot(symbols, self.config.n_symbols).to(self.output.weight.dtype))

    def read(self, inputs: Tensor) -> Tensor:
        """Return logits of sequences of vectors (rows, steps, n_symbols), through which a gradient can flow."""
        states, _ = self.layer(inputs)
        return self.output(states[:, -1])
