"""A convolutional autoencoder for images, for denoising above all (Masci et al. 2011)."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.data import ImageShape, channels_of, images_to_rows, rows_to_images, values_of
from layerwise.models.autoencoder.base import BaseAutoencoder
from layerwise.models.heads import LossName, OutputName, build_output
from layerwise.models.kinds import register_network
from layerwise.models.layers import Activation, Initializer, activation, initialize_
from layerwise.utils import Config


class ConvolutionalConfig(Config):
    """The shape: each layer of 3 x 3 filters halves height and width, one linear layer gives the latent."""

    kind: Literal["convolutional"] = "convolutional"
    image_shape: ImageShape
    channels: tuple[int, ...] = Field((16, 32), min_length=1)
    latent_size: int = Field(64, ge=1)
    activation: Activation = "relu"
    latent_activation: Activation = "linear"
    loss: LossName = "binary_cross_entropy"
    output: OutputName = "sigmoid"
    initializer: Initializer = "he_uniform"

    @property
    def n_inputs(self) -> int:
        """Values of an image."""
        return values_of(self.image_shape)


@register_network(ConvolutionalConfig)
class ConvolutionalAutoencoder(BaseAutoencoder):
    """Rows of pixels in, rows of pixels out; in between they are images.

    Args:
        config: the shape.
        rng: samples the initial weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: ConvolutionalConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        channels = (channels_of(config.image_shape), *config.channels)
        shapes = [config.image_shape[:2]]
        for _ in config.channels:
            # A stride of 2 with a padding of 1 takes n to ceil(n / 2).
            shapes.append(((shapes[-1][0] + 1) // 2, (shapes[-1][1] + 1) // 2))
        self.shapes = shapes
        self.down = nn.ModuleList(
            nn.Conv2d(n, m, kernel_size=3, stride=2, padding=1) for n, m in pairwise(channels)
        )
        flat = channels[-1] * shapes[-1][0] * shapes[-1][1]
        self.to_latent = nn.Linear(flat, config.latent_size)
        self.from_latent = nn.Linear(config.latent_size, flat)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(
                m,
                n,
                kernel_size=3,
                stride=2,
                padding=1,
                # Undoes the rounding up, so that the image gets its own size back.
                output_padding=(large[0] - (2 * small[0] - 1), large[1] - (2 * small[1] - 1)),
            )
            for (n, m), (large, small) in zip(
                reversed(list(pairwise(channels))), reversed(list(pairwise(shapes))), strict=True
            )
        )
        self.act = activation(config.activation)
        self.latent_act = activation(config.latent_activation)
        self.output = build_output(config.loss, config.output)
        with torch.no_grad():
            for layer in (*self.down, self.to_latent, self.from_latent, *self.up):
                layer.bias.zero_()
                if rng is None:
                    layer.weight.zero_()
                elif isinstance(layer, nn.ConvTranspose2d):
                    # Its weight is (inputs, outputs, 3, 3): a unit has 9 connections to each input, one in four used,
                    # and an input 9 to each output.
                    fans = layer.out_channels * 9.0, layer.in_channels * 9 / 4
                    initialize_(layer.weight.flatten(1), config.initializer, rng, fans=fans)
                else:
                    initialize_(layer.weight.flatten(1), config.initializer, rng)

    def encode(self, x: Tensor) -> Tensor:
        """Return latents (rows, latent_size) of rows of pixels."""
        x = rows_to_images(x, self.config.image_shape)
        for layer in self.down:
            x = self.act(layer(x))
        return self.latent_act(self.to_latent(x.flatten(1)))

    def decode_pre_activation(self, latent: Tensor) -> Tensor:
        """Return the pre-activations of the reconstruction (rows, pixels)."""
        x = self.act(self.from_latent(latent)).reshape(len(latent), -1, *self.shapes[-1])
        *hidden, last = self.up
        for layer in hidden:
            x = self.act(layer(x))
        return images_to_rows(last(x))
