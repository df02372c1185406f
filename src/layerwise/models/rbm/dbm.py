"""The deep Boltzmann machine of two hidden layers (Salakhutdinov & Hinton 2009), and the network that it becomes.

E(v, h1, h2) = -b.v - c1.h1 - c2.h2 - v W1 h1 - h1 W2 h2, all connections undirected. Given h1 the rows' units and the
top layer are independent, and given both of them h1 is: a deep Boltzmann machine of two hidden layers is a restricted
one, whose visible units are v and h2 side by side and whose hidden units are h1. So Gibbs chains, log Z, annealing and
contrastive divergence are those of that RBM (`DBM.joint`).
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from layerwise.models.kinds import register_network
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.models.rbm.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import Units
from layerwise.utils import Config


class DBMConfig(Config):
    """The shape: units of the two hidden layers, from the rows up, and the steps of mean-field inference."""

    kind: Literal["dbm"] = "dbm"
    n_visible: int = Field(ge=1)
    hidden_sizes: tuple[int, int]
    mean_field_steps: int = Field(default=10, ge=1)


@register_network(DBMConfig)
class DBM(nn.Module):
    """Two hidden layers of binary units above binary rows.

    `joint` is the RBM of all three layers: its weight (n_visible + top, bottom) has W1 above the transpose of W2, its
    visible biases are b and c2, its hidden ones c1.

    Args:
        config: the shape.
        rng: initializes the weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: DBMConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        bottom, top = config.hidden_sizes
        self.joint = RBM(RBMConfig(n_visible=config.n_visible + top, n_hidden=bottom), rng)

    def initialize_from_rbms(self, lower: RBM, upper: RBM) -> None:
        """Take the weights of two RBMs that learnt with doubled weights, each as half of what h1 sees.

        The first was trained with its rows twice, p(h1 | v) = sigmoid(c + 2 v W1), the second with its hidden units
        twice, p(h1 | h2) = sigmoid(b + 2 W2 h2): h1 sees the mean of both (Salakhutdinov & Hinton 2009, section 3.1).
        """
        n = self.config.n_visible
        self.joint.weight[:n] = lower.weight
        self.joint.weight[n:] = upper.weight.t()
        self.joint.visible_bias[:n] = lower.visible_bias
        self.joint.visible_bias[n:] = upper.hidden_bias
        self.joint.hidden_bias.copy_((lower.hidden_bias + upper.visible_bias) / 2)

    @property
    def visible_units(self) -> Units:
        """The units that the rows are."""
        return self.joint.visible_units

    @property
    def filters(self) -> Tensor:
        """The weights into the first hidden layer, a column a unit: (n_visible, units)."""
        return self.joint.weight[: self.config.n_visible]

    def mean_field(self, v: Tensor, steps: int | None = None) -> tuple[Tensor, Tensor]:
        """Return the means of both hidden layers given rows, (rows, bottom) and (rows, top).

        Each half step gives one layer the best means for those of the other, so that no step lowers `bound`. It starts
        at a pass up in which h1 sees the rows twice, in the place of the layer above.

        Args:
            v: (rows, n_visible).
            steps: of both layers; those of the config by default.
        """
        rbm, n = self.joint, self.config.n_visible
        weight, above = rbm.weight[n:], rbm.visible_bias[n:]
        from_rows = v @ self.filters
        bottom = torch.sigmoid(2 * from_rows + rbm.hidden_bias)
        from_rows += rbm.hidden_bias
        top = torch.sigmoid(torch.addmm(above, bottom, weight.t()))
        for _ in range(self.config.mean_field_steps if steps is None else steps):
            bottom = torch.addmm(from_rows, top, weight).sigmoid_()
            top = torch.addmm(above, bottom, weight.t()).sigmoid_()
        return bottom, top

    def encode(self, v: Tensor) -> Tensor:
        """Return the mean-field activations of the top layer, (rows, top)."""
        return self.mean_field(v)[1]

    def complete(self, v: Tensor) -> Tensor:
        """Return the rows beside the top layer's mean-field activations, (rows, n_visible + top)."""
        return torch.cat([v, self.encode(v)], 1)

    def reconstruct(self, v: Tensor) -> Tensor:
        """Return E[v | h1] at the mean-field means of h1, shape of v."""
        return self.encode_and_reconstruct(v)[1]

    def encode_and_reconstruct(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `encode` and `reconstruct` return; the hidden units are inferred once."""
        bottom, top = self.mean_field(v)
        return top, torch.sigmoid(self._below(bottom))

    def reconstruction_pre_activation(self, v: Tensor) -> Tensor:
        """Return the pre-activations of `reconstruct`, shape of v."""
        return self._below(self.mean_field(v)[0])

    def _below(self, bottom: Tensor) -> Tensor:
        """Return the pre-activations of the rows' units given the first hidden layer, (rows, n_visible)."""
        bias = self.joint.visible_bias[: self.config.n_visible]
        return torch.addmm(bias, bottom, self.filters.t())

    def bound(self, v: Tensor, log_z: float = 0.0, steps: int | None = None) -> Tensor:
        """Return a lower bound on the rows' log p(v), (rows,) float64; nats.

        It is E_q [-E(v, h1, h2)] + H(q) - log Z of the factorial q whose means `mean_field` finds; given those of h2,
        the best ones of h1 make of its terms the joint RBM's free energy.

        Args:
            v: (rows, n_visible), binary.
            log_z: of the joint RBM.
            steps: of mean-field inference; those of the config by default.
        """
        top = self.mean_field(v, steps)[1]
        entropy = -(torch.xlogy(top, top) + torch.xlogy(1 - top, 1 - top)).sum(1)
        return (entropy - self.joint.free_energy(torch.cat([v, top], 1))).double() - log_z

    def sample(self, n: int, steps: int, rng: torch.Generator, start: Tensor | None = None) -> Tensor:
        """Return means of the visible units, (n, n_visible), after Gibbs steps in all layers.

        Args:
            n: rows.
            steps: Gibbs steps.
            rng: samples the states, on the DBM's device.
            start: (n, n_visible) rows that the chains start at, with their mean-field top layer; None: coin flips.
        """
        rbm = self.joint
        if start is None:
            state = rbm.weight.new_empty(n, rbm.config.n_visible).uniform_(generator=rng).round_()
        else:
            state = self.complete(start)
        means = rbm.visible_mean(rbm.sample_hidden(rbm.gibbs(state, max(0, steps - 1), rng), rng))
        return means[:, : self.config.n_visible]


class MeanFieldNetworkConfig(MLPConfig):
    """The shape of the network that a DBM becomes: two hidden layers of sigmoid units."""

    kind: Literal["mean_field_network"] = "mean_field_network"  # type: ignore[assignment]
    mean_field_steps: int = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _has_the_shape_of_a_dbm(self) -> MeanFieldNetworkConfig:
        if len(self.hidden_sizes) != 2 or set(self.activations) != {"sigmoid"}:
            raise ValueError(
                "a deep Boltzmann machine becomes a network of two hidden layers of sigmoid units"
            )
        if self.number_embedding is not None or self.ensemble is not None:
            raise ValueError("a deep Boltzmann machine becomes no ensemble, and its inputs are not embedded")
        return self

    @property
    def n_embedded(self) -> int:
        """The inputs of the first layer: the rows' and the mean-field activations of the DBM's top layer."""
        return self.n_inputs + self.hidden_sizes[-1]

    @property
    def dbm(self) -> DBMConfig:
        """The shape of the DBM."""
        bottom, top = self.hidden_sizes
        return DBMConfig(
            n_visible=self.n_inputs, hidden_sizes=(bottom, top), mean_field_steps=self.mean_field_steps
        )


@register_network(MeanFieldNetworkConfig)
class MeanFieldNetwork(MLP):
    """A feed-forward network that starts as a DBM and reads its mean-field activations beside the rows.

    The first layer sees the rows by W1 and the mean-field activations of the top layer by W2, as h1 does, so that the
    network begins with one more step of inference (Salakhutdinov & Hinton 2009, section 3.3). The DBM that infers stays
    as it is while the network learns.

    Args:
        config: the shape.
        rng: initializes the weights; None leaves them zero, to be loaded.
    """

    config: MeanFieldNetworkConfig

    def __init__(self, config: MeanFieldNetworkConfig, rng: torch.Generator | None = None) -> None:
        super().__init__(config, rng)
        self.dbm = DBM(config.dbm)

    @classmethod
    def of(cls, dbm: DBM, network: MLP) -> MeanFieldNetwork:
        """Return the network of a DBM under the output layer of another network of the same hidden sizes."""
        shape = network.config.model_dump(exclude={"kind"})
        found = cls(MeanFieldNetworkConfig(**shape, mean_field_steps=dbm.config.mean_field_steps))
        found.dbm.load_state_dict(dbm.state_dict())
        found.output.load_state_dict(network.output.state_dict())
        n, joint = dbm.config.n_visible, dbm.joint
        below, above = (layer for layer in found.hidden if isinstance(layer, nn.Linear))
        with torch.no_grad():
            below.weight.copy_(joint.weight.t())
            below.bias.copy_(joint.hidden_bias)
            above.weight.copy_(joint.weight[n:])
            above.bias.copy_(joint.visible_bias[n:])
        return found

    def requires_grad_(self, requires_grad: bool = True) -> MeanFieldNetwork:
        """Switch gradients of what learns; the DBM does not."""
        super().requires_grad_(requires_grad)
        self.dbm.requires_grad_(False)
        return self

    def embed(self, x: Tensor) -> Tensor:
        """Return the rows beside the mean-field activations, (rows, n_embedded); rows that have them as they are."""
        if x.shape[1] == self.config.n_embedded:
            return x
        with torch.no_grad():
            return self.dbm.complete(x)
