"""The discriminator, or critic, of a GAN: from rows, and their condition if any, to scores."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from layerwise.data import ImageShape, channels_of
from layerwise.models.gan.from_images import NEGATIVE_SLOPE
from layerwise.models.gan.generator import init_weights, require_divisible_by_4
from layerwise.models.kinds import register_network
from layerwise.models.layers import BatchNorm1d, BatchNorm2d, Conv2d, Dropout, Linear, RowsToImages
from layerwise.utils import Config


class DiscriminatorConfig(Config):
    """The shape of a discriminator.

    `mlp` has hidden layers of `hidden_sizes`; `dcgan` halves an image twice, with `channels` and then
    2 * `channels` channels, before a dense layer of `dense_units` (none with 0, as in its paper).
    `spectral_normalization` divides every weight matrix by its largest singular value. `pac` rows are scored together.
    """

    kind: Literal["discriminator"] = "discriminator"
    network: Literal["mlp", "dcgan"] = "mlp"
    n_inputs: int = Field(ge=1)
    n_conditions: int = Field(default=0, ge=0)
    image_shape: ImageShape | None = None
    hidden_sizes: tuple[int, ...] = (512, 256)
    channels: int = Field(default=32, ge=1)
    dense_units: int = Field(default=0, ge=0)
    normalization: Literal["none", "batch"] = "none"
    spectral_normalization: bool = False
    dropout: float = Field(default=0.0, ge=0, lt=1)
    pac: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> DiscriminatorConfig:
        if self.network == "dcgan":
            require_divisible_by_4(self.image_shape)
            if self.pac > 1:
                raise ValueError("packed rows are for network mlp")
        if self.spectral_normalization and self.normalization != "none":
            raise ValueError(
                "spectral_normalization takes the place of a normalisation; set normalization: none"
            )
        return self


@register_network(DiscriminatorConfig)
class Discriminator(nn.Module):
    """Score rows (n, n_inputs): a logit of being real, or a critic's score, of shape (n / pac,).

    An mlp reads the condition beside the row. Both networks add the inner product of their features with a linear
    map of the condition (the projection of Miyato and Koyama 2018, equation 3), but for packed rows. Packing is
    PacGAN's (Lin et al. 2018): several rows scored together give a generator of few modes away.

    Args:
        config: the shape.
        rng: draws the initial weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: DiscriminatorConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.projection: nn.Linear | None = None
        if config.network == "mlp":
            sizes = ((config.n_inputs + config.n_conditions) * config.pac, *config.hidden_sizes)
            layers: list[nn.Module] = []
            for n, m in pairwise(sizes):
                layers += [
                    Linear(n, m, bias=config.normalization != "batch"),
                    *self._normalization_and_activation(m, BatchNorm1d),
                ]
            self.body, width = nn.Sequential(*layers), sizes[-1]
        else:
            assert config.image_shape is not None
            height, width = config.image_shape[:2]
            few, many = config.channels, 2 * config.channels
            self.body = nn.Sequential(
                RowsToImages(config.image_shape),
                Conv2d(channels_of(config.image_shape), few, 4, 2, 1),
                nn.LeakyReLU(NEGATIVE_SLOPE),
                Conv2d(few, many, 4, 2, 1, bias=config.normalization != "batch"),
                *self._normalization_and_activation(many, BatchNorm2d),
                nn.Flatten(),
            )
            width = many * (height // 4) * (width // 4)
            if config.dense_units:
                self.body.extend([Linear(width, config.dense_units), nn.LeakyReLU(NEGATIVE_SLOPE)])
                width = config.dense_units
        if config.n_conditions and config.pac == 1:
            self.projection = Linear(config.n_conditions, width)
        self.output = Linear(width, 1)
        init_weights(self, "leaky_relu", rng, as_dcgan=config.network == "dcgan" and not config.dense_units)
        if config.spectral_normalization:
            self._add_spectral_normalization(rng)

    def _normalization_and_activation(self, units: int, normalization: type[nn.Module]) -> list[nn.Module]:
        layers: list[nn.Module] = [normalization(units)] if self.config.normalization == "batch" else []
        layers.append(nn.LeakyReLU(NEGATIVE_SLOPE))
        return [*layers, Dropout(self.config.dropout)] if self.config.dropout else layers

    def _add_spectral_normalization(self, rng: torch.Generator | None) -> None:
        """Miyato et al. 2018: W / sigma(W), sigma by one step of power iteration a forward pass in training."""
        # torch draws the first singular vectors from its global random state, which is left as it was.
        with torch.random.fork_rng():
            seed = 0 if rng is None else int(torch.randint(2**31, (), generator=rng))
            torch.manual_seed(seed)
            for module in list(self.modules()):
                if isinstance(module, nn.Linear | nn.Conv2d):
                    nn.utils.parametrizations.spectral_norm(module)

    def use_rng(self, rng: torch.Generator) -> None:
        """Draw every dropout mask from this random generator from now on."""
        for module in self.modules():
            if isinstance(module, Dropout):
                module.rng = rng

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return a score for each pack of rows."""
        if self.config.n_conditions and condition is None:
            raise ValueError(f"this discriminator needs a condition of {self.config.n_conditions} columns")
        if self.config.network == "mlp" and condition is not None and self.config.n_conditions:
            x = torch.cat([x, condition], dim=1)
        if self.config.pac > 1:
            x = x.reshape(len(x) // self.config.pac, -1)
        features = self.body(x)
        score = self.output(features)[:, 0]
        if self.projection is not None and condition is not None:
            score = score + (self.projection(condition) * features).sum(1)
        return score
