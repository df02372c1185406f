"""A convolutional autoencoder for pictures, for taking noise out above all (Masci et al. 2011)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.models.autoencoder.base import Coder
from layerwise.models.autoencoder.outputs import LossName, OutputName, new_output
from layerwise.models.layers import Activation, Initialiser, activation, initialise_
from layerwise.utils.config import Config


class ConvolutionalConfig(Config):
    """The shape: each layer of 3 x 3 filters halves height and width, one linear layer makes the code."""

    kind: Literal["convolutional"] = "convolutional"
    image_shape: tuple[int, int]
    channels: tuple[int, ...] = Field((16, 32), min_length=1)
    code_size: int = Field(64, ge=1)
    activation: Activation = "relu"
    code_activation: Activation = "linear"
    loss: LossName = "binary_cross_entropy"
    output: OutputName = "sigmoid"
    initialiser: Initialiser = "he_uniform"

    @property
    def n_inputs(self) -> int:
        """Pixels of a picture."""
        return self.image_shape[0] * self.image_shape[1]


class ConvolutionalAutoencoder(Coder):
    """Rows of pixels in, rows of pixels out; in between they are pictures.

    Args:
        config: the shape.
        generator: draws the first weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: ConvolutionalConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        channels = (1, *config.channels)
        shapes = [config.image_shape]
        for _ in config.channels:
            # A stride of 2 with a margin of 1 takes n to ceil(n / 2).
            shapes.append(((shapes[-1][0] + 1) // 2, (shapes[-1][1] + 1) // 2))
        self.shapes = shapes
        self.down = nn.ModuleList(
            nn.Conv2d(n, m, kernel_size=3, stride=2, padding=1) for n, m in pairwise(channels)
        )
        flat = channels[-1] * shapes[-1][0] * shapes[-1][1]
        self.to_code = nn.Linear(flat, config.code_size)
        self.from_code = nn.Linear(config.code_size, flat)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(
                m,
                n,
                kernel_size=3,
                stride=2,
                padding=1,
                # What the rounding up has lost comes back here.
                output_padding=(large[0] - (2 * small[0] - 1), large[1] - (2 * small[1] - 1)),
            )
            for (n, m), (large, small) in zip(
                reversed(list(pairwise(channels))), reversed(list(pairwise(shapes))), strict=True
            )
        )
        self.act = activation(config.activation)
        self.code_act = activation(config.code_activation)
        self.output = new_output(config.loss, config.output)
        with torch.no_grad():
            for layer in (*self.down, self.to_code, self.from_code, *self.up):
                layer.bias.zero_()
                if generator is None:
                    layer.weight.zero_()
                elif isinstance(layer, nn.ConvTranspose2d):
                    # Its weight is (inputs, outputs, 3, 3): a unit has 9 connections to each input, one in four used.
                    bound = math.sqrt(6 / (layer.in_channels * 9 / 4))
                    layer.weight.uniform_(-bound, bound, generator=generator)
                else:
                    initialise_(layer.weight.flatten(1), config.initialiser, generator)

    def encode(self, x: Tensor) -> Tensor:
        """Return codes (rows, code_size) of rows of pixels."""
        x = x.reshape(-1, 1, *self.config.image_shape)
        for layer in self.down:
            x = self.act(layer(x))
        return self.code_act(self.to_code(x.flatten(1)))

    def decode_inputs(self, code: Tensor) -> Tensor:
        """Return the total inputs of the reconstruction (rows, pixels)."""
        x = self.act(self.from_code(code)).reshape(len(code), -1, *self.shapes[-1])
        *hidden, last = self.up
        for layer in hidden:
            x = self.act(layer(x))
        return last(x).flatten(1)
