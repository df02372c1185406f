"""An autoencoder of rating vectors that leaves missing ratings out (AutoRec: Sedhain, Menon, Sanner & Xie 2015)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.models.kinds import register_network
from layerwise.models.layers import Activation, Linear, activation, initialize_layers_
from layerwise.utils import Config


class RatingAutoencoderConfig(Config):
    """The shape: `n_groups` groups of one-hot columns, `levels` the values of a rating in order, one hidden layer."""

    kind: Literal["rating_autoencoder"] = "rating_autoencoder"
    n_groups: int = Field(ge=1)
    levels: tuple[float, ...] = Field(min_length=2)
    latent_size: int = Field(ge=1)
    activation: Activation = "sigmoid"
    center: float = 0.0

    @property
    def n_inputs(self) -> int:
        """Columns of a row."""
        return self.n_groups * len(self.levels)


@register_network(RatingAutoencoderConfig)
class RatingAutoencoder(nn.Module):
    """r(x) = center + W g(V x + mu) + b, x the given ratings less `center` and 0 where there is none (equation 1).

    Args:
        config: the shape.
        rng: samples the initial weights; None leaves them zero, to be loaded.
    """

    levels: Tensor

    def __init__(self, config: RatingAutoencoderConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.encoder = Linear(config.n_groups, config.latent_size)
        self.decoder = Linear(config.latent_size, config.n_groups)
        self.act = activation(config.activation)
        self.register_buffer("levels", torch.tensor(config.levels), persistent=False)
        initialize_layers_((self.encoder, self.decoder), "glorot_uniform", rng)

    def ratings(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return ratings less `center` (0 where missing) and 1 where there is one, each (rows, n_groups)."""
        groups = rows.reshape(len(rows), self.config.n_groups, -1)
        given = groups.sum(2)
        return groups @ self.levels - self.config.center * given, given

    def encode(self, rows: Tensor) -> Tensor:
        """Return latents (rows, latent_size) of one-hot ratings (rows, n_inputs)."""
        return self.act(self.encoder(self.ratings(rows)[0]))

    def forward(self, rows: Tensor) -> Tensor:
        """Return the expected rating of every group, (rows, n_groups), in the units of the ratings."""
        return self.config.center + self.decoder(self.encode(rows))

    def loss(self, predicted: Tensor, rows: Tensor) -> Tensor:
        """Return the squared error summed over the given ratings, shape (rows,)."""
        values, given = self.ratings(rows)
        return ((predicted - self.config.center - values).square() * given).sum(1)
