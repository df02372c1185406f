"""The restricted Boltzmann machine, for any kind of visible and hidden units.

Energy (Smolensky 1986; Hinton 2002), Bernoulli units: E(v, h) = -b.v - c.h - v W h. The other kinds change the
visible layer's own term, or what states a layer has: see the files in `units`.
"""

from __future__ import annotations

from typing import Literal, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from layerwise.models.kinds import register_network
from layerwise.models.rbm.units import (
    HIDDEN,
    VISIBLE,
    GaussianVarianceUnits,
    HiddenName,
    LayerShape,
    UnitBlock,
    Units,
    VisibleName,
)
from layerwise.utils import Config


class RBMConfig(Config):
    """The shape of an RBM.

    `learn_variance` is for Gaussian units; `groups` (sizes) for softmax units; `blocks` for mixed ones;
    `hidden_group_size` is the size of every group of categorical hidden units. `dropout` is the fraction of hidden
    units (or groups of them) that training leaves out: the RBM is then the geometric mean of its thinned ones.
    """

    kind: Literal["rbm"] = "rbm"
    n_visible: int = Field(ge=1)
    n_hidden: int = Field(ge=1)
    visible: VisibleName = "bernoulli"
    hidden: HiddenName = "bernoulli"
    learn_variance: bool = False
    groups: tuple[int, ...] = ()
    blocks: tuple[UnitBlock, ...] = ()
    hidden_group_size: int = 0
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _units_fit(self) -> RBMConfig:
        visible = self.make_visible_units().layout(self.n_visible)
        if self.make_hidden_units().real and any(units.real for units, _ in visible):
            raise ValueError(
                "hidden: gaussian beside Gaussian visible units is a distribution for small weights alone; take "
                "hidden: bernoulli"
            )
        return self

    def make_visible_units(self) -> Units:
        """Return new visible units of the configured kind."""
        shape = LayerShape(
            n_units=self.n_visible,
            groups=self.groups,
            blocks=self.blocks,
            learn_variance=self.learn_variance,
        )
        return VISIBLE.find(self.visible).for_visible(shape)

    def make_hidden_units(self) -> Units:
        """Return new hidden units of the configured kind."""
        shape = LayerShape(n_units=self.n_hidden, group_size=self.hidden_group_size)
        return HIDDEN.find(self.hidden).for_hidden(shape)


@register_network(RBMConfig)
class RBM(nn.Module):
    """A restricted Boltzmann machine.

    Parameters are `weight` (n_visible, n_hidden), `visible_bias` (n_visible,) and `hidden_bias` (n_hidden,), and the
    log-variances of Gaussian units that learn them. They learn by contrastive divergence, not by autograd.
    `visible_units` and `hidden_units` say what the states are. `observation_counts` (see `units`) say how many words a
    document has or which groups are missing; without them, every unit is observed once.
    """

    weight: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor

    def __init__(self, config: RBMConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.visible_units = config.make_visible_units()
        self.hidden_units = config.make_hidden_units()
        weight = torch.zeros(config.n_visible, config.n_hidden)
        if rng is not None:
            weight.normal_(0, 0.01, generator=rng)  # Hinton 2010, section 8
        for name, value in (
            ("weight", weight),
            ("visible_bias", torch.zeros(config.n_visible)),
            ("hidden_bias", torch.zeros(config.n_hidden)),
        ):
            self.register_parameter(name, nn.Parameter(value, requires_grad=False))

    def initialize_from(self, inputs: Tensor) -> None:
        """Set the visible biases (and variances) from training rows (n, n_visible): independent units' own.

        Hinton, A Practical Guide to Training RBMs (2010), section 8.1.

        Raises:
            UnitsError: the rows hold values that the visible units cannot take.
        """
        self.visible_bias.copy_(self.visible_units.initial_bias(inputs))
        for units, columns in self.learned_variances():
            units.initialize_variance(inputs[:, columns])

    def learned_variances(self) -> list[tuple[GaussianVarianceUnits, slice]]:
        """Return the units that learn their variances, with their columns."""
        layout = self.visible_units.layout(self.config.n_visible)
        return [
            (cast(GaussianVarianceUnits, units), columns)
            for units, columns in layout
            if units.learns_variance
        ]

    @property
    def has_real_units(self) -> bool:
        """True when some visible units are real-valued."""
        return any(units.real for units, _ in self.visible_units.layout(self.config.n_visible))

    @property
    def upward_weight(self) -> Tensor:
        """The weights that hidden units see the visible ones by, over their variances, (n_visible, n_hidden)."""
        return self.visible_units.scaled(self.weight.t()).t()

    @property
    def downward_weight(self) -> Tensor:
        """The weights that visible units see the hidden ones by, (n_visible, n_hidden).

        After training with dropout p they are (1 - p) W: visible units that learnt to see the kept ones now see all of
        them (Srivastava et al. 2014, section 4).
        """
        return (1 - self.config.dropout) * self.weight

    def hidden_pre_activation(self, v: Tensor, out: Tensor | None = None) -> Tensor:
        """Return the hidden units' pre-activation c + v W (D c + v W for a document), shape (rows, n_hidden)."""
        if self.visible_units.scales_hidden_bias:
            x = torch.mm(v, self.weight, out=out)
            return x.add_(v.sum(1, keepdim=True) * self.hidden_bias)
        return torch.addmm(self.hidden_bias, self.visible_units.scaled(v), self.weight, out=out)

    def visible_pre_activation(self, h: Tensor) -> Tensor:
        """Return the visible units' pre-activation b + W h, by `downward_weight`, shape (rows, n_visible)."""
        return torch.addmm(self.visible_bias, h, self.weight.t(), alpha=1 - self.config.dropout)

    def hidden_mean(self, v: Tensor) -> Tensor:
        """Return E[h | v], shape (rows, n_hidden)."""
        return self.hidden_units.mean(self.hidden_pre_activation(v))

    def encode(self, v: Tensor) -> Tensor:
        """Return the mean activations of the hidden units, shape (rows, n_hidden), as a stack does of its top ones."""
        return self.hidden_mean(v)

    def visible_mean(self, h: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return E[v | h], shape (rows, n_visible)."""
        return self.visible_units.mean(self.visible_pre_activation(h), observation_counts)

    def sample_hidden(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """Sample h ~ p(h | v), shape (rows, n_hidden)."""
        return self.hidden_units.sample_from_pre_activation(self.hidden_pre_activation(v), rng)

    def sample_visible(
        self, h: Tensor, rng: torch.Generator, observation_counts: Tensor | None = None
    ) -> Tensor:
        """Sample v ~ p(v | h), shape (rows, n_visible)."""
        return self.visible_units.sample(self.visible_mean(h, observation_counts), rng)

    def gibbs(
        self,
        v: Tensor,
        steps: int,
        rng: torch.Generator,
        clamped: Tensor | None = None,
    ) -> Tensor:
        """Run block Gibbs sampling v -> h -> v for a number of steps; shape of v.

        After training with dropout its distribution is near that of `free_energy`; `evaluation.likelihood.sample_rows`
        leaves it exactly.

        Args:
            clamped: (rows, n_visible) or (n_visible,) bool, the units that keep their values: sampling the others
                given them (inpainting). Groups of softmax units are clamped or free as a whole.
        """
        start = v
        observation_counts = self.visible_units.observation_counts(v)
        for _ in range(steps):
            v = self.sample_visible(self.sample_hidden(v, rng), rng, observation_counts)
            if clamped is not None:
                v = torch.where(clamped, start, v)
        return v

    def reconstruct(self, v: Tensor) -> Tensor:
        """Return the mean-field reconstruction E[v | E[h | v]], shape of v."""
        return self.encode_and_reconstruct(v)[1]

    def encode_and_reconstruct(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `encode` and `reconstruct` return; the hidden units are inferred once."""
        h = self.hidden_mean(v)
        return h, self.visible_mean(h, self.visible_units.observation_counts(v))

    def energy(self, v: Tensor, h: Tensor) -> Tensor:
        """Return E(v, h), shape (rows,).

        Raises:
            UnitsError: the hidden units are rectified.
        """
        own = self.visible_units.free_energy_term(v, self.visible_bias)
        # c . h, D times for a document of D words.
        x = self.hidden_pre_activation(v)
        return (
            own + self.hidden_units.free_energy_term(h, torch.zeros_like(self.hidden_bias)) - (x * h).sum(1)
        )

    def log_hidden_sum(self, x: Tensor) -> Tensor:
        """Return log sum_h exp(x . h) given the hidden units' pre-activation, shape (rows,); nats.

        After training with dropout p, (1 - p) times that: its mean over all sets of units that are left out, since each
        unit adds a term of its own and is kept with probability 1 - p.
        """
        return (1 - self.config.dropout) * self.hidden_units.log_partition(x, self.hidden_bias)

    def free_energy(self, v: Tensor) -> Tensor:
        """Return F(v) = -log sum_h exp(-E(v, h)), shape (rows,); nats.

        After training with dropout it is the mean of that over the thinned RBMs (Srivastava et al. 2014, section 8), so
        that exp(-F) is their geometric mean.
        """
        own = self.visible_units.free_energy_term(v, self.visible_bias)
        return own - self.log_hidden_sum(self.hidden_pre_activation(v))

    def bound(self, v: Tensor) -> Tensor:
        """Return log p(v) + log Z, (rows,) float64; nats. It is exact, where a deep Boltzmann machine has a bound.

        A missing group of softmax units drops out of a row's energy and not out of Z, which is of complete rows: for
        such a row it is no logarithm of its marginal probability.
        """
        return -self.free_energy(v).double()
