"""A stack of one-layer autoencoders, and the deep autoencoder that it unrolls to."""

from __future__ import annotations

from typing import Literal, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from layerwise.models.autoencoder.feedforward import Autoencoder, AutoencoderConfig
from layerwise.models.kinds import register_network
from layerwise.models.mlp import MLP
from layerwise.models.rbm import DBN
from layerwise.models.rbm.units import BernoulliUnits, GaussianUnits, Units
from layerwise.utils import Config


class StackConfig(Config):
    """The layers' shapes, bottom up; each has no hidden layer of its own."""

    kind: Literal["stacked_autoencoders"] = "stacked_autoencoders"
    layers: tuple[AutoencoderConfig, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> StackConfig:
        for lower, upper in zip(self.layers, self.layers[1:], strict=False):
            if lower.latent_size != upper.n_inputs:
                raise ValueError(
                    f"a layer of {upper.n_inputs} inputs cannot read latents of {lower.latent_size}"
                )
        if any(layer.hidden_sizes for layer in self.layers):
            raise ValueError("a stack is made of one-layer autoencoders")
        return self

    @property
    def n_visible(self) -> int:
        """Columns of a row."""
        return self.layers[0].n_inputs

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """Units of each layer."""
        return tuple(layer.latent_size for layer in self.layers)


@register_network(StackConfig)
class StackedAutoencoders(nn.Module):
    """Autoencoders, each of the latents of the one below (Bengio et al. 2007; Vincent et al. 2010).

    Args:
        config: the shape.
        rng: samples the initial weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: StackConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Autoencoder(layer, rng) for layer in config.layers)

    def autoencoders(self, depth: int | None = None) -> list[Autoencoder]:
        """Return the autoencoders (or the lowest `depth` of them), bottom up."""
        return [cast(Autoencoder, layer) for layer in self.layers[:depth]]

    @property
    def visible_units(self) -> Units:
        """The units that the rows would be in a stack of RBMs."""
        return BernoulliUnits() if self.config.layers[0].output == "sigmoid" else GaussianUnits()

    @property
    def filters(self) -> Tensor:
        """The weights into the first layer, a column a unit: (n_visible, units)."""
        return cast(nn.Linear, self.autoencoders()[0].encoder[0]).weight.t()

    def encode(self, x: Tensor, depth: int | None = None) -> Tensor:
        """Return the latents of the top (or the `depth`-th) layer, shape (rows, units)."""
        for layer in self.autoencoders(depth):
            x = layer.encode(x)
        return x

    def decode(self, latent: Tensor, depth: int | None = None) -> Tensor:
        """Return rows reconstructed from the top (or the `depth`-th) layer's latents, shape (rows, n_visible)."""
        for layer in reversed(self.autoencoders(depth)):
            latent = layer.decode(latent)
        return latent

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the rows encoded and decoded, shape of x."""
        with torch.no_grad():
            return self.encode_and_reconstruct(x)[1]

    def encode_and_reconstruct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `encode` and `reconstruct` return; rows are encoded once."""
        latent = self.encode(x)
        return latent, self.decode(latent)

    def copy_to(self, network: MLP) -> None:
        """Copy the stack's encoders into the hidden layers of a feed-forward network.

        Raises:
            ValueError: the network's layers have other sizes or activations than the stack.
        """
        shape, own = network.config, self.config
        activations = tuple(layer.latent_activation for layer in own.layers)
        for what, theirs, ours in (
            ("inputs", shape.n_inputs, own.n_visible),
            ("hidden layers", shape.hidden_sizes, own.hidden_sizes),
            ("activations", shape.activations, activations),
        ):
            if theirs != ours:
                raise ValueError(f"the network's {what} {theirs} differ from the stack's {ours}")
        with torch.no_grad():
            for layer, autoencoder in zip(network.hidden, self.autoencoders(), strict=True):
                assert isinstance(layer, nn.Linear)
                source = cast(nn.Linear, autoencoder.encoder[0])
                layer.weight.copy_(source.weight)
                layer.bias.copy_(source.bias)


def from_dbn(dbn: DBN) -> StackedAutoencoders:
    """Return the RBMs of a DBN as untied autoencoders: `hidden_mean` encodes, `visible_mean` decodes."""
    rbms = dbn.rbm_layers()
    layers = tuple(
        AutoencoderConfig(
            n_inputs=rbm.config.n_visible,
            latent_size=rbm.config.n_hidden,
            loss="binary_cross_entropy" if rbm.visible_units.binary else "squared",
            output="sigmoid" if rbm.visible_units.binary else "linear",
        )
        for rbm in rbms
    )
    stack = StackedAutoencoders(StackConfig(layers=layers))
    with torch.no_grad():
        for autoencoder, rbm in zip(stack.autoencoders(), rbms, strict=True):
            encoder, decoder = (
                cast(nn.Linear, part[0]) for part in (autoencoder.encoder, autoencoder.decoder)
            )
            encoder.weight.copy_(rbm.upward_weight.t())
            encoder.bias.copy_(rbm.hidden_bias)
            decoder.weight.copy_(rbm.downward_weight)
            decoder.bias.copy_(rbm.visible_bias)
    return stack.to(rbms[0].weight.device)


def unroll(stack: StackedAutoencoders) -> Autoencoder:
    """Return the deep autoencoder that a stack unrolls to (Hinton & Salakhutdinov 2006, figure 1).

    Its weights are copies, and the decoder's are not tied to the encoder's. The decoder's hidden layers have the
    activation of the latents that they reconstruct.

    Raises:
        ValueError: the layers differ in their activations.
    """
    layers = stack.config.layers
    if len({layer.latent_activation for layer in layers}) > 1:
        raise ValueError("a stack of several activations does not unroll")
    first = layers[0]
    deep = Autoencoder(
        AutoencoderConfig(
            n_inputs=first.n_inputs,
            hidden_sizes=tuple(layer.latent_size for layer in layers[:-1]),
            latent_size=layers[-1].latent_size,
            activation=first.latent_activation,
            latent_activation=first.latent_activation,
            decoder_activation=first.latent_activation,
            loss=first.loss,
            output=first.output,
            blocks=first.blocks,
        )
    )
    with torch.no_grad():
        for source, target in _matching_layers(stack, deep):
            target.weight.copy_(source.weight)
            target.bias.copy_(source.bias)
    return deep.to(stack.filters.device)


def roll_up(deep: Autoencoder, stack: StackedAutoencoders) -> None:
    """Put the weights of the deep autoencoder back into the stack that it came from, which must be untied."""
    with torch.no_grad():
        for target, source in _matching_layers(stack, deep):
            target.weight.copy_(source.weight)
            target.bias.copy_(source.bias)


def _matching_layers(stack: StackedAutoencoders, deep: Autoencoder) -> list[tuple[nn.Linear, nn.Linear]]:
    """Return the stack's linear layers, each with the layer of the deep autoencoder that has its weights."""
    encoders = [layer.encoder[0] for layer in stack.autoencoders()]
    decoders = [layer.decoder[0] for layer in reversed(stack.autoencoders())]
    pairs = zip([*encoders, *decoders], [*deep.encoder, *deep.decoder], strict=True)
    return [(cast(nn.Linear, of_stack), cast(nn.Linear, of_deep)) for of_stack, of_deep in pairs]
