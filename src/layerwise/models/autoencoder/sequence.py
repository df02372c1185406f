"""A recurrent autoencoder of series: reconstruct what was read, and predict what comes (Srivastava et al. 2015)."""

from __future__ import annotations

from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.models.autoencoder.outputs import LossName, OutputName, new_output
from layerwise.utils.config import Config


class SequenceConfig(Config):
    """The shape: steps of `n_inputs` numbers, one LSTM that reads, one or two that write."""

    kind: Literal["sequence_autoencoder"] = "sequence_autoencoder"
    n_inputs: int = Field(ge=1)
    code_size: int = Field(64, ge=1)
    predicts: bool = True
    loss: LossName = "binary_cross_entropy"
    output: OutputName = "sigmoid"


class SequenceAutoencoder(nn.Module):
    """The reader's last state is the code; from it one LSTM writes the series backwards, another one its future.

    Backwards, since the reader's last steps are the easiest to find in its state. While writing, a step's input is the
    output of the step before, never the truth: what is learnt is what is used.

    Args:
        config: the shape.
        generator: draws the first weights, U(-1/sqrt(code), 1/sqrt(code)); None leaves them zero, to be loaded.
    """

    def __init__(self, config: SequenceConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.reader = nn.LSTM(config.n_inputs, config.code_size, batch_first=True)
        names = ("past", "future") if config.predicts else ("past",)
        self.writers = nn.ModuleDict({name: nn.LSTMCell(config.n_inputs, config.code_size) for name in names})
        self.outputs = nn.ModuleDict({name: nn.Linear(config.code_size, config.n_inputs) for name in names})
        self.output = new_output(config.loss, config.output)
        bound = config.code_size**-0.5
        with torch.no_grad():
            for value in self.parameters():
                if generator is None:
                    value.zero_()
                else:
                    value.uniform_(-bound, bound, generator=generator)

    def encode(self, series: Tensor) -> Tensor:
        """Return codes (rows, 2 code_size) of series (rows, steps, n_inputs): the reader's last output and memory."""
        _, (state, memory) = self.reader(series)
        return torch.cat([state[0], memory[0]], 1)

    def write(self, code: Tensor, what: Literal["past", "future"], steps: int) -> Tensor:
        """Return total inputs (rows, steps, n_inputs) in the order of time."""
        state, memory = code.chunk(2, 1)
        cell, layer = cast(nn.LSTMCell, self.writers[what]), self.outputs[what]
        step = code.new_zeros(len(code), self.config.n_inputs)
        written = []
        for _ in range(steps):
            state, memory = cell(step, (state, memory))
            total = layer(state)
            written.append(total)
            step = self.output.mean(total)
        if what == "past":
            written.reverse()
        return torch.stack(written, 1)

    def reconstruct(self, series: Tensor) -> Tensor:
        """Return the series encoded and decoded, shape of series."""
        return self.output.mean(self.write(self.encode(series), "past", series.shape[1]))

    def predict(self, series: Tensor, steps: int) -> Tensor:
        """Return the next steps, (rows, steps, n_inputs)."""
        return self.output.mean(self.write(self.encode(series), "future", steps))
