"""What every kind of units can do.

A layer's pre-activation is x = b + W h (or c + v W for hidden units), shape (rows, units). `observation_counts` say how
often a unit was observed in a row: the length of a document, or 0 for the units of a missing rating. None means once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import torch
from torch import Tensor, nn

from layerwise.data import DataSpec
from layerwise.utils import Config, Registered, Registry, UserError

AnyUnits = TypeVar("AnyUnits", bound="Units")
GROUP = "layerwise.rbm_units"
# The classes of visible units, by the name that a config and a setting have for them.
VISIBLE: Registry[type[Units]] = Registry("kind of visible units", "layerwise.models.rbm.units", GROUP)
# The classes of hidden units, by name.
HIDDEN: Registry[type[Units]] = Registry("kind of hidden units", "layerwise.models.rbm.units", GROUP)
# The name of visible units.
VisibleName = Annotated[str, Registered(VISIBLE)]
# The name of hidden units.
HiddenName = Annotated[str, Registered(HIDDEN)]
# The name of visible units that the rows of a stack may be.
StackVisibleName = Annotated[str, Registered(VISIBLE, lambda units: units.in_stacks)]
# The name of visible units that may stand beside others.
BlockName = Annotated[str, Registered(VISIBLE, lambda units: units.in_blocks)]


def register_units(
    *, visible: str | None = None, hidden: str | None = None
) -> Callable[[type[AnyUnits]], type[AnyUnits]]:
    """Return a class decorator: RBMs have such visible or hidden units under the names given."""

    def register(units: type[AnyUnits]) -> type[AnyUnits]:
        for registry, name in ((VISIBLE, visible), (HIDDEN, hidden)):
            if name is not None:
                registry.add(name, units)
        return units

    return register


class UnitBlock(Config):
    """Neighbouring visible units of one kind; `groups` and `rest` are those of `SoftmaxUnits`."""

    kind: BlockName
    size: int
    groups: tuple[int, ...] = ()
    rest: tuple[bool, ...] = ()


@dataclass(frozen=True)
class LayerShape:
    """What a layer's units are made of: their number, and what the config says of them.

    Args:
        n_units: in the layer.
        groups: sizes of the groups of visible units of which one is on.
        rest: for each group, whether it has a state that no unit stands for; empty: none has.
        blocks: of units of several kinds.
        learn_variance: of real units.
        group_size: of every group of hidden units of which one is on.
    """

    n_units: int
    groups: tuple[int, ...] = ()
    rest: tuple[bool, ...] = ()
    blocks: tuple[UnitBlock, ...] = ()
    learn_variance: bool = False
    group_size: int = 0


class UnitsError(UserError, ValueError):
    """The rows do not fit the kind of an RBM's units, or the units cannot do what is asked."""


class Units(nn.Module):
    """The conditional distribution of one layer's units, and the layer's terms in the free energy."""

    # A document's words each bring the hidden biases once (Salakhutdinov & Hinton 2009, equation 3).
    scales_hidden_bias = False
    # States are 0 and 1, and a value between them is the probability of a 1.
    binary = False
    # States are any numbers: learning needs a smaller rate.
    real = False
    # States have no largest value, so that an energy with real units beside them may have no finite integral.
    unbounded = False
    # `sample_from_pre_activation` has the distribution that belongs to `log_partition`.
    samples_exactly = True
    # The conditional of an RBM whose energies are multiplied by beta is that of beta x.
    tempers = False
    # `log_variance` is learnt, by `log_variance_gradient`.
    learns_variance = False
    has_pseudo_likelihood = False
    # They need the config's `groups`; may stand beside others in a mixed layer; may be the rows of a stack.
    grouped = in_blocks = in_stacks = False

    @classmethod
    def for_visible(cls, shape: LayerShape) -> Units:
        """Return new units for a visible layer.

        Raises:
            ValueError: the shape does not fit such units.
        """
        return cls()

    @classmethod
    def for_hidden(cls, shape: LayerShape) -> Units:
        """Return new units for a hidden layer.

        Raises:
            ValueError: the shape does not fit such units.
        """
        return cls()

    @classmethod
    def suits(cls, columns: DataSpec) -> bool:
        """Return whether `visible: auto` takes such units for the columns; the kinds must agree on one of them."""
        return False

    def mean(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return the conditional mean given the pre-activation, shape of x."""
        raise NotImplementedError

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Sample states given their conditional mean, shape of mean."""
        raise NotImplementedError

    def free_energy_term(self, v: Tensor, bias: Tensor) -> Tensor:
        """Return the part of the energy that belongs to the layer's own states, shape (rows,); nats. It is -v . b."""
        return -(v @ bias)

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return log sum_v exp(-own term(v, bias) + (x - bias) . v), shape (rows,): the layer summed out."""
        raise NotImplementedError

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return -log p(v | x) up to a constant, shape (rows,); nats."""
        raise NotImplementedError

    def initial_bias(self, inputs: Tensor) -> Tensor:
        """Return biases (units,) under which independent units have the means of the rows (n, units).

        Raises:
            UnitsError: the rows hold values that such units cannot take.
        """
        raise NotImplementedError

    def observation_counts(self, v: Tensor) -> Tensor | None:
        """Return how often each unit was observed, (rows, 1) or (rows, units); None if once."""
        return None

    def layout(self, n_units: int) -> list[tuple[Units, slice]]:
        """Return the kinds of units that a layer of n has, with their columns."""
        return [(self, slice(0, n_units))]

    def sites(self, n_units: int) -> list[Tensor] | None:
        """Return each site's states (states, units of the site), a bit or a group; None if they cannot be listed."""
        return None

    def rounded(self, v: Tensor) -> Tensor:
        """Return the nearest states, shape of v."""
        return v

    def log_pseudo_likelihood(
        self, hidden_term: Callable[[Tensor], Tensor], v: Tensor, x: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        """Return the sum over units of log p(unit | all others), shape (rows,); nats.

        Args:
            hidden_term: log-partition (rows,) of the hidden layer by its pre-activation (rows, n_hidden).
            v: (rows, units), states.
            x: (rows, n_hidden), the hidden pre-activation given the whole row.
            weight: (units, n_hidden).
            bias: (units,).
        """
        raise NotImplementedError

    def loss_constant(self, n_units: int) -> float:
        """Return what `loss` leaves out of -log p(v | x) of n units; nats."""
        return 0.0

    def scaled(self, v: Tensor) -> Tensor:
        """Return the statistic that meets the weights: v, or v / sigma^2; shape of v."""
        return v

    def sample_from_pre_activation(
        self, x: Tensor, rng: torch.Generator, observation_counts: Tensor | None = None
    ) -> Tensor:
        """Sample states given the pre-activation, shape of x."""
        return self.sample(self.mean(x, observation_counts), rng)

    def mean_(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Turn pre-activations into conditional means in place."""
        return x.copy_(self.mean(x, observation_counts))

    def activate_(self, x: Tensor, states: Tensor, scratch: Tensor, rng: torch.Generator) -> None:
        """Turn pre-activations into means in place and sample `states` (shape of x); `scratch` may be overwritten."""
        states.copy_(self.sample_from_pre_activation(x, rng))
        self.mean_(x)
