"""The multilayer perceptron, the network that fine-tuning trains: hidden layers and a linear output."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any, Literal, TypeVar

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn

from layerwise.models.ensemble import EnsembleConfig, EnsembleLinear, HeadsLinear, combine_members
from layerwise.models.kinds import register_network
from layerwise.models.layers import (
    LEAKY_SLOPE,
    Activation,
    BiasInitializer,
    DropConnect,
    Dropout,
    Initializer,
    Linear,
    MaskOf,
    Normalization,
    NumberEmbeddingConfig,
    PreluSlopes,
    activation,
    initialize_,
    initialize_bias_,
    make_number_embedding,
    normalization,
)
from layerwise.utils import Config

T = TypeVar("T")


def for_each_layer(value: T | tuple[T, ...], n_layers: int, name: str) -> tuple[T, ...]:
    """Return one value for each hidden layer: the one given for all, or the list as it is.

    Raises:
        ValueError: the list has another length than the hidden layers.
    """
    if not isinstance(value, tuple):
        return (value,) * n_layers
    if len(value) != n_layers:
        raise ValueError(
            f"{name} has {len(value)} value(s) for {n_layers} hidden layer(s); give one for all, or one for each"
        )
    return value


class MLPConfig(Config):
    """The shape of a feed-forward network and its initialisers."""

    kind: Literal["mlp"] = "mlp"
    n_inputs: int = Field(ge=1)
    n_outputs: int = Field(ge=1)
    hidden_sizes: tuple[int, ...] = ()
    activation: Activation | tuple[Activation, ...] = "sigmoid"
    leaky_slope: float = Field(LEAKY_SLOPE, ge=0)
    prelu_slopes: PreluSlopes = "layer"
    normalization: Normalization = "none"
    initializer: Initializer = "glorot_uniform"
    initializer_gain: float = Field(1.0, gt=0)
    output_initializer: Initializer = "glorot_uniform"
    bias_initializer: BiasInitializer = "zeros"
    bias_constant: float = 0.0
    output: Literal["linear", "exponential"] = "linear"
    input_dropout: float = Field(0.0, ge=0, lt=1)
    dropout: float | tuple[float, ...] = 0.0
    dropconnect: float = Field(0.0, ge=0, lt=1)
    dropconnect_masks: MaskOf = "row"
    number_embedding: NumberEmbeddingConfig | None = None
    ensemble: EnsembleConfig | None = None

    @field_validator("hidden_sizes")
    @classmethod
    def _positive(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if any(size < 1 for size in sizes):
            raise ValueError("every layer needs at least 1 unit")
        return sizes

    @field_validator("dropout")
    @classmethod
    def _rates(cls, value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        return check_dropout_rates(value)

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, values: Any) -> Any:
        """Write a list of one and the same activation as that activation."""
        given = values.get("activation") if isinstance(values, dict) else None
        if isinstance(given, (list, tuple)) and len(set(given)) == 1:
            for_each_layer(tuple(given), len(values.get("hidden_sizes", ())), "activation")
            return values | {"activation": given[0]}
        return values

    @model_validator(mode="after")
    def _lists_fit(self) -> MLPConfig:
        for_each_layer(self.activation, len(self.hidden_sizes), "activation")
        for_each_layer(self.dropout, len(self.hidden_sizes), "dropout")
        return self

    @property
    def n_embedded(self) -> int:
        """The inputs of the first layer: the rows' and what the embedding of numbers adds."""
        return self.n_inputs + (0 if self.number_embedding is None else self.number_embedding.n_added)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activation of each hidden layer."""
        return for_each_layer(self.activation, len(self.hidden_sizes), "activation")

    @property
    def dropout_rates(self) -> tuple[float, ...]:
        """The fraction of units dropped: of the inputs, then of each hidden layer."""
        return (self.input_dropout, *for_each_layer(self.dropout, len(self.hidden_sizes), "dropout"))


def check_dropout_rates(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
    """Return dropout rates; a ValueError for one outside of [0, 1)."""
    for rate in value if isinstance(value, tuple) else (value,):
        if not 0 <= rate < 1:
            raise ValueError(f"a dropout rate is at least 0 and less than 1, not {rate:g}")
    return value


@register_network(MLPConfig)
class MLP(nn.Module):
    """Hidden layers with their activations, then a linear output: `forward` returns logits or values.

    With batch normalisation hidden layers have no bias: the normalisation's own takes its place (Ioffe & Szegedy 2015).

    Args:
        config: the shape.
        rng: initialises the weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: MLPConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        sizes = (config.n_embedded, *config.hidden_sizes)
        if config.number_embedding is not None:
            self.number_embedding = make_number_embedding(config.number_embedding, rng)
        self.hidden = nn.ModuleList(
            self._layer(n, m, first=k == 0 and self._shares_rows) for k, (n, m) in enumerate(pairwise(sizes))
        )
        self.output = self._output_layer(sizes[-1])
        self.activations = nn.ModuleList(
            activation(
                name,
                leaky_slope=config.leaky_slope,
                prelu_slopes=size if config.prelu_slopes == "unit" else 1,
            )
            for name, size in zip(config.activations, config.hidden_sizes, strict=True)
        )
        self.normalizations = nn.ModuleList(normalization(config.normalization, size) for size in sizes[1:])
        self.dropouts = nn.ModuleList(Dropout(rate, self.n_members) for rate in config.dropout_rates)
        with torch.no_grad():
            for layer in (*self.hidden, self.output):
                self._initialize(layer, rng)
        if config.ensemble is not None and len(self.hidden) and rng is not None:
            first, embedding = self.hidden[0], config.number_embedding
            assert isinstance(first, EnsembleLinear)
            added = () if embedding is None else embedding.input_of()
            first.sample_input_scales([*range(config.n_inputs), *added], rng)

    def _output_layer(self, n_inputs: int) -> nn.Linear:
        ensemble = self.config.ensemble
        if ensemble is None:
            return Linear(n_inputs, self.config.n_outputs)
        return HeadsLinear(ensemble.members, n_inputs, self.config.n_outputs)

    @property
    def _shares_rows(self) -> bool:
        """Whether the first layer reads a row once for all members: masks of its inputs are each member's own."""
        return len(self.config.hidden_sizes) > 0 and self.config.input_dropout == 0

    def _layer(self, n_inputs: int, n_outputs: int, first: bool) -> nn.Linear:
        # The mean over the batch takes a bias away again: its gradient is 0, and Adam would turn rounding into steps.
        bias = self.config.normalization != "batch"
        if self.config.ensemble is not None:
            return EnsembleLinear(self.config.ensemble.members, n_inputs, n_outputs, bias=bias, first=first)
        if self.config.dropconnect == 0:
            return Linear(n_inputs, n_outputs, bias=bias)
        return DropConnect(
            n_inputs, n_outputs, self.config.dropconnect, self.config.dropconnect_masks, bias=bias
        )

    def _initialize(self, layer: nn.Module, rng: torch.Generator | None) -> None:
        assert isinstance(layer, nn.Linear)
        config, is_output = self.config, layer is self.output
        if layer.bias is not None:
            layer.bias.zero_()
        if rng is None:
            layer.weight.zero_()
            return
        name = config.output_initializer if is_output else config.initializer
        gain = 1.0 if is_output else config.initializer_gain
        for weight in layer.weight if layer.weight.dim() == 3 else (layer.weight,):
            initialize_(self._at_random(layer, weight), name, rng, gain)
        if not is_output and config.bias_initializer != "zeros" and layer.bias is not None:
            initialize_bias_(
                layer.bias, config.bias_initializer, layer.in_features, rng, config.bias_constant
            )

    def _at_random(self, layer: nn.Module, weight: Tensor) -> Tensor:
        """Return the part of a layer's weight that starts at random.

        What reads bins starts at 0: bins are many, and at random they would drown the numbers that they are of.
        """
        embedding = self.config.number_embedding
        is_first = layer is (self.hidden[0] if len(self.hidden) else self.output)
        if not is_first or embedding is None or embedding.name != "piecewise_linear":
            return weight
        weight.zero_()
        return weight[:, : self.config.n_inputs]

    @property
    def activation_names(self) -> tuple[str, ...]:
        """The activation of each hidden layer."""
        return self.config.activations

    @property
    def n_members(self) -> int:
        """The members of an ensemble; 1 of a network that is none."""
        return 1 if self.config.ensemble is None else self.config.ensemble.members

    def use_rng(self, rng: torch.Generator) -> None:
        """Sample every dropout mask with this random generator from now on."""
        for module in self.modules():
            if isinstance(module, (Dropout, DropConnect)):
                module.rng = rng

    @property
    def input_weight(self) -> Tensor:
        """The first layer's weights of the inputs themselves, (units, n_inputs), without what is embedded of them.

        An ensemble's are those that its members share; of heads alone, their mean.
        """
        weight = (self.hidden[0] if len(self.hidden) else self.output).weight
        assert isinstance(weight, Tensor)
        return (weight.mean(0) if weight.dim() == 3 else weight)[:, : self.config.n_inputs]

    def weights(self) -> list[nn.Parameter]:
        """Return the weight matrices, the output's last; no biases."""
        return [layer.weight for layer in (*self.hidden, self.output)]

    def embed(self, x: Tensor) -> Tensor:
        """Return what the first layer reads, (rows, n_embedded).

        Of an ensemble without hidden layers, or whose inputs are dropped, it is each row once a member.
        """
        if self.config.number_embedding is not None:
            x = self.number_embedding(x)
        ensemble = self.config.ensemble
        return x if ensemble is None or self._shares_rows else x.repeat_interleave(ensemble.members, 0)

    def hidden_activations(self, x: Tensor, depth: int | None = None) -> Iterator[Tensor]:
        """Yield the activations of each hidden layer (of the lowest `depth`), the first one first.

        An ensemble has those of each member, a row's members one after the other: (rows * members, units).
        """
        x = self.embed(x)
        normalized = self.config.normalization != "none"
        # The lists are iterated over: to index one takes as long as a small product.
        parts = zip(self.hidden, self.dropouts, self.activations, strict=False)
        for i, (layer, drop, activate) in enumerate(islice(parts, depth)):
            x = layer(drop(x))
            x = activate(self.normalizations[i](x) if normalized else x)
            yield x

    def encode(self, x: Tensor, depth: int | None = None) -> Tensor:
        """Return the activations of the last (or the `depth`-th) hidden layer, shape (rows, units).

        Of an ensemble they are its members' mean.
        """
        top, ensemble = self._top(x, depth), self.config.ensemble
        return top if ensemble is None else top.unflatten(0, (-1, ensemble.members)).mean(1)

    def _top(self, x: Tensor, depth: int | None = None) -> Tensor:
        top = None
        for top in self.hidden_activations(x, depth):  # noqa: B007 - the last one is what counts
            pass
        return self.embed(x) if top is None else top

    def member_outputs(self, x: Tensor) -> Tensor:
        """Return what each member says: (rows * members, n_outputs), a row's members one after the other."""
        outputs = self.output(self.dropouts[-1](self._top(x)))
        return outputs.exp() if self.config.output == "exponential" else outputs

    def combine(self, outputs: Tensor) -> Tensor:
        """Return the outputs (rows, n_outputs) of those of the members, (rows * members, n_outputs)."""
        ensemble = self.config.ensemble
        return outputs if ensemble is None else combine_members(outputs, ensemble)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (classification) or values (regression), shape (rows, n_outputs)."""
        return self.combine(self.member_outputs(x))
