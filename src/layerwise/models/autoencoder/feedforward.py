"""Autoencoders of fully connected layers: any depth, any width, tied or free weights."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from layerwise.models.autoencoder.base import BaseAutoencoder, LayerChain
from layerwise.models.autoencoder.jacobian import encode_with_jacobian_norm
from layerwise.models.heads import LossName, OutputName, build_output
from layerwise.models.kinds import register_network
from layerwise.models.layers import (
    Activation,
    Initializer,
    Linear,
    activation,
    initialize_layers_,
    keep_largest,
)
from layerwise.models.mlp import for_each_layer
from layerwise.models.rbm.units import UnitBlock
from layerwise.utils import Config


class AutoencoderConfig(Config):
    """The shape: the encoder's hidden layers down to the latent, and their mirror image in the decoder.

    `activation` is of the encoder's hidden layers, one for all or a list; `latent_activation` of the latent;
    `decoder_activation` of the decoder's hidden layers. `keep` > 0 leaves the so many largest units of a latent alone
    and sets the others to 0 (Makhzani & Frey 2013).
    """

    kind: Literal["autoencoder"] = "autoencoder"
    n_inputs: int = Field(ge=1)
    hidden_sizes: tuple[int, ...] = ()
    latent_size: int = Field(ge=1)
    activation: Activation | tuple[Activation, ...] = "sigmoid"
    latent_activation: Activation = "sigmoid"
    decoder_activation: Activation = "sigmoid"
    loss: LossName = "binary_cross_entropy"
    output: OutputName = "sigmoid"
    blocks: tuple[UnitBlock, ...] = ()
    tied: bool = False
    keep: int = Field(default=0, ge=0)
    initializer: Initializer = "glorot_uniform"
    initializer_gain: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> AutoencoderConfig:
        for_each_layer(self.activation, len(self.hidden_sizes), "activation")
        if self.keep > self.latent_size:
            raise ValueError(f"{self.keep} units cannot be kept of a latent of {self.latent_size}")
        return self

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of every layer from the row to the latent."""
        return (self.n_inputs, *self.hidden_sizes, self.latent_size)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activation of every layer from the first hidden one to the latent."""
        hidden: tuple[Activation, ...] = for_each_layer(self.activation, len(self.hidden_sizes), "activation")
        return (*hidden, self.latent_activation)


class TiedLinear(nn.Module):
    """A layer that uses another one's weight, transposed; its bias is its own.

    The weight is not a copy: the two stay equal, and a saved network holds it once.
    """

    def __init__(self, partner: nn.Linear) -> None:
        super().__init__()
        # In a tuple the partner is no submodule, so that its weight has one name.
        self._partner = (partner,)
        self.bias = nn.Parameter(torch.zeros(partner.in_features))

    @property
    def weight(self) -> Tensor:
        """The partner's weight, transposed: (outputs, inputs)."""
        return self._partner[0].weight.t()

    def forward(self, x: Tensor) -> Tensor:
        """Return x W + b, shape (rows, outputs)."""
        return functional.linear(x, self.weight, self.bias)


@register_network(AutoencoderConfig)
class Autoencoder(BaseAutoencoder):
    """A fully connected encoder and its mirror image, the decoder (Hinton & Salakhutdinov 2006).

    Args:
        config: the shape.
        rng: samples the initial weights; None leaves them zero, to be loaded.
    """

    has_exact_jacobian = True

    def __init__(self, config: AutoencoderConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.encoder = nn.ModuleList(Linear(n, m) for n, m in pairwise(config.sizes))
        mirrored = [cast(nn.Linear, layer) for layer in reversed(self.encoder)]
        self.decoder = nn.ModuleList(
            TiedLinear(layer) if config.tied else Linear(layer.out_features, layer.in_features)
            for layer in mirrored
        )
        self.activations = nn.ModuleList(activation(name) for name in config.activations)
        self.decoder_activations = nn.ModuleList(
            activation(config.decoder_activation) for _ in config.hidden_sizes
        )
        self.output = build_output(config.loss, config.output, config.blocks)
        # The bias of a tied layer starts at 0 as it is.
        layers = [layer for layer in (*self.encoder, *self.decoder) if isinstance(layer, nn.Linear)]
        initialize_layers_(layers, config.initializer, rng, config.initializer_gain)

    def encode(self, x: Tensor) -> Tensor:
        """Return latents (rows, latent_size)."""
        for layer, act in zip(self.encoder, self.activations, strict=True):
            x = act(layer(x))
        return keep_largest(x, self.config.keep)

    def decode_pre_activation(self, latent: Tensor) -> Tensor:
        """Return the last layer's pre-activations (rows, n_inputs), which the output reads."""
        *hidden, last = self.decoder
        for layer, act in zip(hidden, self.decoder_activations, strict=True):
            latent = act(layer(latent))
        return last(latent)

    def first_weight(self) -> Tensor:
        """Return the first layer's weight (units, n_inputs)."""
        return cast(nn.Linear, self.encoder[0]).weight

    def weights(self) -> list[Tensor]:
        """Return the weight matrices; of tied layers once."""
        return [layer.weight for layer in (*self.encoder, *self.decoder) if isinstance(layer, nn.Linear)]

    def encode_with_jacobian_norm(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return latents (rows, latent_size) and |J|^2 of each row, shape (rows,), exactly."""
        layers = [cast(nn.Linear, layer) for layer in self.encoder]
        return encode_with_jacobian_norm(layers, self.activations, x, self.config.keep)

    def layer_chain(self) -> LayerChain:
        """Return the layers from the inputs to the latent and back."""
        *decoder_hidden, last = self.decoder
        names = (*self.config.activations, *[self.config.decoder_activation] * len(decoder_hidden))
        return LayerChain(
            [*self.encoder, *decoder_hidden], [*self.activations, *self.decoder_activations], names, last
        )
