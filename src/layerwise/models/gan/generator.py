"""The generator of a GAN: from noise, and a condition if any, to rows."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from layerwise.data import ImageShape, channels_of, values_of
from layerwise.models.gan.from_images import Motion, UNet, fans
from layerwise.models.heads import OutputBlock, TableOutput
from layerwise.models.kinds import register_network
from layerwise.models.layers import (
    Activation,
    BatchNorm1d,
    BatchNorm2d,
    ConvTranspose2d,
    ImagesToRows,
    Initializer,
    Linear,
    activation,
    initialize_,
)
from layerwise.utils import Config, ranks

# DCGAN draws every weight from N(0, 0.02^2) (Radford et al. 2016, section 4).
DCGAN_STD = 0.02


class GeneratorConfig(Config):
    """The shape of a generator.

    `mlp` has hidden layers of `hidden_sizes`; `dcgan` doubles an image of a quarter of the size and 2 * `channels`
    channels by two transposed convolutions, after a dense layer of `dense_units` (none with 0, as in its paper).
    `unet` makes an image from a given one, its condition, of the shape `given_shape`; `motion` moves the last of some
    given frames by up to `max_motion` pixels along each axis. The output is a `sigmoid` (pixels), `linear` (points),
    or `table` with `blocks`.
    """

    kind: Literal["generator"] = "generator"
    network: Literal["mlp", "dcgan", "unet", "motion"] = "mlp"
    latent_size: int = Field(ge=1)
    n_conditions: int = Field(default=0, ge=0)
    n_outputs: int = Field(ge=1)
    image_shape: ImageShape | None = None
    hidden_sizes: tuple[int, ...] = (256, 512)
    channels: int = Field(default=32, ge=1)
    dense_units: int = Field(default=0, ge=0)
    activation: Activation = "relu"
    normalization: Literal["none", "batch"] = "batch"
    output: Literal["sigmoid", "linear", "table"] = "sigmoid"
    blocks: tuple[OutputBlock, ...] = ()
    temperature: float = Field(default=0.2, gt=0)
    given_shape: ImageShape | None = None
    max_motion: int = Field(default=3, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> GeneratorConfig:
        if self.network in ("dcgan", "unet"):
            require_divisible_by_4(self.image_shape)
        if self.network in ("unet", "motion"):
            self._check_given()
        if (self.output == "table") != bool(self.blocks):
            raise ValueError("blocks go with output: table, and the other way round")
        if self.blocks and sum(block.size for block in self.blocks) != self.n_outputs:
            raise ValueError(f"the blocks do not add up to {self.n_outputs} outputs")
        return self

    def _check_given(self) -> None:
        shape, given = self.image_shape, self.given_shape
        if shape is None or given is None:
            raise ValueError(f"network {self.network} needs image_shape and given_shape")
        sizes = {shape[:2]} if self.network == "motion" else {shape[:2], (shape[0] // 4, shape[1] // 4)}
        if given[:2] not in sizes:
            raise ValueError(f"network {self.network} makes no image of {shape} from one of {given}")
        frames = self.n_conditions / values_of(given)
        if frames < 1 or frames % 1 or (self.network == "unet" and frames > 1):
            raise ValueError(
                f"{self.n_conditions} conditions are no images of {given} for network {self.network}"
            )
        if (self.network == "motion") != (self.output == "linear"):
            raise ValueError("motion gives pixels as they are: set output: linear; unet needs a sigmoid")


def require_divisible_by_4(shape: ImageShape | None) -> None:
    """Raise a ValueError unless both sides of an image can be halved twice."""
    if shape is None:
        raise ValueError("network dcgan is for images, and these rows are none; take mlp")
    if shape[0] % 4 or shape[1] % 4:
        raise ValueError(
            f"network dcgan halves both sides of an image twice, and {shape[0]} x {shape[1]} does not divide by 4; "
            "take mlp"
        )


@register_network(GeneratorConfig)
class Generator(nn.Module):
    """Map noise z (n, latent_size), beside a condition (n, n_conditions), to rows (n, n_outputs).

    Args:
        config: the shape.
        rng: draws the initial weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: GeneratorConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        n_inputs = config.latent_size + config.n_conditions
        self.body = self._body(n_inputs)
        self.output_activation: nn.Module = nn.Identity()
        if config.output == "sigmoid":
            self.output_activation = nn.Sigmoid()
        elif config.output == "table":
            self.output_activation = TableOutput(config.blocks, config.temperature)
        init_weights(
            self.body, config.activation, rng, as_dcgan=config.network == "dcgan" and not config.dense_units
        )

    def _body(self, n_inputs: int) -> nn.Module:
        config = self.config
        if config.network == "mlp":
            return self._mlp(n_inputs, config.n_outputs)
        assert config.image_shape is not None
        if config.network == "dcgan":
            return self._dcgan(n_inputs)
        if config.network == "motion":
            return Motion(self._mlp(n_inputs, 2 * (2 * config.max_motion + 1)), config.image_shape)
        assert config.given_shape is not None
        return UNet(config.latent_size, config.given_shape, config.image_shape, config.channels)

    def _mlp(self, n_inputs: int, n_outputs: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for n, m in pairwise((n_inputs, *self.config.hidden_sizes)):
            batch = self.config.normalization == "batch"
            # The mean over the batch takes a bias away again.
            layers.append(Linear(n, m, bias=not batch))
            if batch:
                layers.append(BatchNorm1d(m))
            layers.append(activation(self.config.activation))
        last = (n_inputs, *self.config.hidden_sizes)[-1]
        return nn.Sequential(*layers, Linear(last, n_outputs))

    def _dcgan(self, n_inputs: int) -> nn.Sequential:
        assert self.config.image_shape is not None
        height, width = (side // 4 for side in self.config.image_shape[:2])
        few, many = self.config.channels, 2 * self.config.channels
        batch = self.config.normalization == "batch"
        units = self.config.dense_units
        dense = [
            Linear(n_inputs, units, bias=not batch),
            BatchNorm1d(units) if batch else nn.Identity(),
            activation(self.config.activation),
        ]
        return nn.Sequential(
            *(dense if units else ()),
            Linear(units or n_inputs, many * height * width),
            nn.Unflatten(1, (many, height, width)),
            BatchNorm2d(many) if batch else nn.Identity(),
            activation(self.config.activation),
            ConvTranspose2d(many, few, 4, 2, 1, bias=not batch),
            BatchNorm2d(few) if batch else nn.Identity(),
            activation(self.config.activation),
            ConvTranspose2d(few, channels_of(self.config.image_shape), 4, 2, 1),
            ImagesToRows(),
        )

    def use_rng(self, rng: torch.Generator | None) -> None:
        """Draw Gumbel noise from this random generator from now on; without one a table's rows cannot be made."""
        if isinstance(self.output_activation, TableOutput):
            self.output_activation.rng = rng

    def noise(self, n: int, rng: torch.Generator) -> Tensor:
        """Return z (n, latent_size), standard normal, on the device of `rng`."""
        return ranks.normal_(torch.empty(n, self.config.latent_size, device=rng.device), rng)

    def pre_activation(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the output layer before its activation: logits of pixels and categories, (n, n_outputs)."""
        if self.config.n_conditions:
            if condition is None:
                raise ValueError(f"this generator needs a condition of {self.config.n_conditions} columns")
            z = torch.cat([z, condition], dim=1)
        return self.body(z)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return rows (n, n_outputs)."""
        return self.output_activation(self.pre_activation(z, condition))

    @torch.no_grad()
    def sample(
        self, n: int, rng: torch.Generator, condition: Tensor | None = None, batch_size: int = 1000
    ) -> Tensor:
        """Return n rows, sampled with running statistics.

        Nothing in the network changes, its mode and its random stream included.
        """
        was_training, samples = self.training, []
        previous_rng = getattr(self.output_activation, "rng", None)
        self.eval()
        self.use_rng(rng)
        for start in range(0, n, batch_size):
            z = self.noise(min(batch_size, n - start), rng)
            samples.append(self(z, None if condition is None else condition[start : start + batch_size]))
        self.train(was_training)
        self.use_rng(previous_rng)
        return torch.cat(samples)


def init_weights(
    network: nn.Module, activation: Activation, rng: torch.Generator | None, *, as_dcgan: bool = False
) -> None:
    """Initialise weights by He (Glorot for tanh, sigmoid and the last layer), or as DCGAN; biases are 0.

    DCGAN's N(0, 0.02^2) needs batch normalisation in every layer: without it a signal becomes nothing.
    """
    name: Initializer = "glorot_uniform" if activation in ("sigmoid", "tanh", "linear") else "he_uniform"
    layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
    with torch.no_grad():
        for layer in layers:
            if layer.bias is not None:
                layer.bias.zero_()
            if rng is None:
                layer.weight.zero_()
            elif as_dcgan:
                layer.weight.normal_(0, DCGAN_STD, generator=rng)
            else:
                start: Initializer = "glorot_uniform" if layer is layers[-1] else name
                initialize_(layer.weight, start, rng, fans=fans(layer))
