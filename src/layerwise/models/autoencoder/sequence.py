"""A recurrent autoencoder of sequences: reconstruct the past and predict the future (Srivastava et al. 2015)."""

from __future__ import annotations

from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.models.heads import LossName, OutputName, build_output
from layerwise.models.kinds import register_network
from layerwise.utils import Config


class SequenceConfig(Config):
    """The shape: steps of `n_inputs` numbers, one LSTM as the encoder, one or two as decoders."""

    kind: Literal["sequence_autoencoder"] = "sequence_autoencoder"
    n_inputs: int = Field(ge=1)
    latent_size: int = Field(64, ge=1)
    predicts: bool = True
    loss: LossName = "binary_cross_entropy"
    output: OutputName = "sigmoid"


@register_network(SequenceConfig)
class SequenceAutoencoder(nn.Module):
    """The encoder's last state is the latent; one LSTM decodes it to the past, backwards, another one to the future.

    Backwards, since the last steps are the easiest to find in the encoder's state. A decoder's input is its output of
    the step before, never the true one (no teacher forcing), in training as afterwards.

    Args:
        config: the shape.
        rng: samples the initial weights, U(-1/sqrt(latent_size), 1/sqrt(latent_size)); None leaves them zero, to be
            loaded.
    """

    def __init__(self, config: SequenceConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.encoder = nn.LSTM(config.n_inputs, config.latent_size, batch_first=True)
        names = ("past", "future") if config.predicts else ("past",)
        self.decoders = nn.ModuleDict(
            {name: nn.LSTMCell(config.n_inputs, config.latent_size) for name in names}
        )
        self.outputs = nn.ModuleDict({name: nn.Linear(config.latent_size, config.n_inputs) for name in names})
        self.output = build_output(config.loss, config.output)
        bound = config.latent_size**-0.5
        with torch.no_grad():
            for value in self.parameters():
                if rng is None:
                    value.zero_()
                else:
                    value.uniform_(-bound, bound, generator=rng)

    def encode(self, series: Tensor) -> Tensor:
        """Return latents (rows, 2 latent_size) of series (rows, steps, n_inputs): the last hidden and cell state."""
        _, (hidden, cell) = self.encoder(series)
        return torch.cat([hidden[0], cell[0]], 1)

    def decode_steps(self, latent: Tensor, what: Literal["past", "future"], steps: int) -> Tensor:
        """Return pre-activations (rows, steps, n_inputs) in the order of time."""
        hidden, cell = latent.chunk(2, 1)
        decoder, layer = cast(nn.LSTMCell, self.decoders[what]), self.outputs[what]
        step = latent.new_zeros(len(latent), self.config.n_inputs)
        decoded = []
        for _ in range(steps):
            hidden, cell = decoder(step, (hidden, cell))
            pre_activation = layer(hidden)
            decoded.append(pre_activation)
            step = self.output.mean(pre_activation)
        if what == "past":
            decoded.reverse()
        return torch.stack(decoded, 1)

    def reconstruct(self, series: Tensor) -> Tensor:
        """Return the series encoded and decoded, shape of `series`."""
        return self.output.mean(self.decode_steps(self.encode(series), "past", series.shape[1]))

    def predict(self, series: Tensor, steps: int) -> Tensor:
        """Return the next steps, (rows, steps, n_inputs)."""
        return self.output.mean(self.decode_steps(self.encode(series), "future", steps))
