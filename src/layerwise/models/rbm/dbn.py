"""The deep belief network: a stack of restricted Boltzmann machines (Hinton, Osindero & Teh 2006)."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.models.kinds import register_network
from layerwise.models.mlp import MLP
from layerwise.models.rbm.directed import DirectedLayer
from layerwise.models.rbm.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import StackVisibleName, Units
from layerwise.utils import Config


class DBNConfig(Config):
    """The shape of a stack; `learn_variance` and `dropout` are those of `RBMConfig`, dropout for every layer.

    With `untied` the layers below the top RBM have other weights up than down, as up-down training needs them.
    """

    kind: Literal["dbn"] = "dbn"
    n_visible: int = Field(ge=1)
    hidden_sizes: tuple[int, ...] = Field(min_length=1)
    visible: StackVisibleName = "bernoulli"
    learn_variance: bool = False
    dropout: float = Field(default=0.0, ge=0, lt=1)
    untied: bool = False


@register_network(DBNConfig)
class DBN(nn.Module):
    """The top two layers form a restricted Boltzmann machine; the layers below are directed, top down.

    Args:
        config: the shape.
        rng: initialises the weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: DBNConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        sizes = (config.n_visible, *config.hidden_sizes)
        shapes = [
            RBMConfig(
                n_visible=n,
                n_hidden=m,
                visible=config.visible if i == 0 else "bernoulli",
                learn_variance=config.learn_variance and i == 0,
                dropout=config.dropout,
            )
            for i, (n, m) in enumerate(pairwise(sizes))
        ]
        lower = DirectedLayer if config.untied else RBM
        self.rbms = nn.ModuleList([*(lower(shape, rng) for shape in shapes[:-1]), RBM(shapes[-1], rng)])

    def untie(self) -> None:
        """Give the layers below the top RBM weights of their own on the way up, which start as those down."""
        if self.config.untied:
            return
        lower = [DirectedLayer.of(rbm) for rbm in self.rbm_layers(-1)]
        self.config = self.config.model_copy(update={"untied": True})
        self.rbms = nn.ModuleList([*lower, self.rbms[-1]])

    def rbm_layers(self, depth: int | None = None) -> list[RBM]:
        """Return the RBMs (or the lowest `depth` of them), bottom up."""
        return [cast(RBM, rbm) for rbm in self.rbms[:depth]]

    @property
    def visible_units(self) -> Units:
        """The units that the rows are."""
        return self.rbm_layers()[0].visible_units

    @property
    def filters(self) -> Tensor:
        """The weights into the first hidden layer, a column a unit: (n_visible, units)."""
        return self.rbm_layers()[0].weight

    def encode(self, x: Tensor, depth: int | None = None) -> Tensor:
        """Return the mean activations of the top (or the `depth`-th) layer, shape (rows, units)."""
        for rbm in self.rbm_layers(depth):
            x = rbm.hidden_mean(x)
        return x

    def decode(self, h: Tensor, depth: int | None = None) -> Tensor:
        """Return the mean-field reconstruction from the top (or the `depth`-th) layer, shape (rows, n_visible)."""
        for rbm in reversed(self.rbm_layers(depth)):
            h = rbm.visible_mean(h)
        return h

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the rows encoded and decoded, shape of x."""
        return self.encode_and_reconstruct(x)[1]

    def encode_and_reconstruct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `encode` and `reconstruct` return; the hidden units are inferred once."""
        h = self.encode(x)
        return h, self.decode(h)

    def sample(self, n: int, steps: int, rng: torch.Generator, start: Tensor | None = None) -> Tensor:
        """Sample n rows: Gibbs sampling in the top RBM, then one directed pass down.

        Args:
            n: rows.
            steps: Gibbs steps in the top RBM.
            rng: samples the states, on the stack's device.
            start: (n, n_visible) rows whose activations start the chains; None starts from coin flips.

        Returns:
            The means of the visible units, shape (n, n_visible).
        """
        *lower, top = self.rbm_layers()
        if start is None:
            v = top.weight.new_empty(n, top.config.n_visible).uniform_(generator=rng).round_()
        else:
            v = self.encode(start, len(lower))
        return self.descend(top.visible_mean(top.sample_hidden(top.gibbs(v, steps, rng), rng)), rng)

    def descend(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """Return the rows' means (n, n_visible), sampled down from means of the top RBM's visible units (n, units)."""
        for rbm in reversed(self.rbm_layers()[:-1]):
            v = rbm.visible_mean(torch.bernoulli(v.clamp(0, 1), generator=rng))
        return v

    def copy_to(self, network: MLP) -> None:
        """Initialise every hidden layer of a feed-forward network from the stack.

        Raises:
            ValueError: the network's layers have other sizes than the stack, or are not sigmoid units.
        """
        if network.config.n_inputs != self.config.n_visible:
            raise ValueError(
                f"the network has {network.config.n_inputs} inputs but the stack has "
                f"{self.config.n_visible} visible units"
            )
        if network.config.hidden_sizes != self.config.hidden_sizes:
            raise ValueError(
                f"the network's hidden layers {network.config.hidden_sizes} differ from the stack's "
                f"{self.config.hidden_sizes}"
            )
        if network.config.activation != "sigmoid":
            raise ValueError(
                f"a stack of Bernoulli units starts sigmoid layers, not {network.config.activation}; "
                "use activation: sigmoid or pretraining.method: none"
            )
        with torch.no_grad():
            for layer, rbm in zip(network.hidden, self.rbm_layers(), strict=True):
                assert isinstance(layer, nn.Linear)
                layer.weight.copy_(rbm.upward_weight.t())
                layer.bias.copy_(rbm.hidden_bias)
