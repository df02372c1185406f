"""Groups of units of which one is on: categories, ratings, labels, and categorical hidden units."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from layerwise.data import DataSpec
from layerwise.models.rbm.units.base import LayerShape, Units, UnitsError, register_units
from layerwise.utils import ranks


@register_units(visible="softmax", hidden="categorical")
class SoftmaxUnits(Units):
    """One-hot groups: p(v_k = 1) = exp(x_k) / sum over the group; own term -v . b.

    A row whose group is all zeros has not observed it: the group drops out of that row, as a missing rating does
    (Salakhutdinov, Mnih & Hinton 2007). With `rest`, a group has one more state, of pre-activation 0, that no unit
    stands for (dummies of which the first was dropped), and all zeros means that state.

    Args:
        groups: the size of each group; neighbouring units belong together.
        rest: whether each group has the state without a unit; one value for all, or one a group.
    """

    tempers = has_pseudo_likelihood = grouped = in_blocks = True

    first: Tensor
    columns: Tensor
    blank: Tensor
    positions: Tensor
    group: Tensor

    def __init__(self, groups: tuple[int, ...], rest: bool | tuple[bool, ...] = False) -> None:
        super().__init__()
        self.groups = groups
        self.rest = (rest,) * len(groups) if isinstance(rest, bool) else rest
        if len(self.rest) != len(groups):
            raise ValueError(f"{len(self.rest)} values of rest do not fit {len(groups)} groups")
        self.even = len(set(groups)) == 1 and not any(self.rest)
        width = max(groups) + 1
        columns = torch.zeros(len(groups), width, dtype=torch.long)
        blank = torch.ones(len(groups), width, dtype=torch.bool)
        positions, start = [], 0
        for g, size in enumerate(groups):
            columns[g, 1 : size + 1] = torch.arange(start, start + size)
            blank[g, 1 : size + 1] = False
            positions.append(torch.arange(1, size + 1) + g * width)
            start += size
        self.n_units = start
        # First position of every padded group: the state without a unit, of pre-activation 0 or impossible.
        self.register_buffer("first", torch.tensor(self.rest), persistent=False)
        self.register_buffer("columns", columns, persistent=False)
        self.register_buffer("blank", blank, persistent=False)
        self.register_buffer("positions", torch.cat(positions), persistent=False)
        self.register_buffer("group", torch.repeat_interleave(torch.tensor(groups)), persistent=False)

    @classmethod
    def for_visible(cls, shape: LayerShape) -> Units:
        """Return units in the groups of the shape.

        Raises:
            ValueError: the groups have not as many units as the layer.
        """
        if sum(shape.groups) != shape.n_units:
            raise ValueError(f"softmax units in groups of {shape.groups} are not {shape.n_units} in all")
        return cls(shape.groups, shape.rest or False)

    @classmethod
    def for_hidden(cls, shape: LayerShape) -> Units:
        """Return units in groups of `group_size`.

        Raises:
            ValueError: the layer does not divide into such groups.
        """
        if shape.group_size < 2 or shape.n_units % shape.group_size:
            raise ValueError(
                f"{shape.n_units} hidden units make no groups of hidden_group_size={shape.group_size}"
            )
        return cls((shape.group_size,) * (shape.n_units // shape.group_size))

    @classmethod
    def suits(cls, columns: DataSpec) -> bool:
        """Return whether all columns are dummies, one for every category."""
        return {block.kind for block in columns.blocks} == {"categorical"} and all(
            block.stop - block.start == len(block.categories) for block in columns.blocks
        )

    def mean(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return the softmax of each group, 0 where the observation count is; shape of x."""
        p = self._unpad_groups(self._pad_groups(x).softmax(2))
        return p if observation_counts is None else p * observation_counts

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Sample one state a group by the inverse of its distribution function: one random number a group."""
        p = mean.view(len(mean), -1, self.groups[0]) if self.even else self._pad_groups(mean, pad=0.0)
        if not self.even:
            p[:, :, 0] = torch.where(self.first, 1 - p.sum(2), p[:, :, 0]).clamp_min_(0)
        ends = p.cumsum(2)
        u = ranks.uniform_(torch.empty_like(ends[:, :, -1]), rng).mul_(ends[:, :, -1])[:, :, None]
        states = u.lt(ends)
        states[:, :, 1:] &= ~states[:, :, :-1].clone()
        states = states.to(mean.dtype)
        return states.reshape(len(mean), -1) if self.even else self._unpad_groups(states)

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return the sum over groups of log sum_k exp(x_k), shape (rows,)."""
        return self._pad_groups(x).logsumexp(2).sum(1)

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return the cross-entropy of the observed groups, shape (rows,); nats."""
        log_sums = self._pad_groups(x).logsumexp(2)
        return (log_sums * self.observed(v)).sum(1) - (x * v).sum(1)

    def initial_bias(self, inputs: Tensor) -> Tensor:
        """Return the logarithms of the categories' frequencies, half a row added to each."""
        if bool((inputs < 0).any()) or float(self._totals(inputs).max()) > 1 + 1e-5:
            raise UnitsError(
                "softmax visible units take one-hot groups, but a group of a row adds up to more than 1"
            )
        counts = inputs.sum(0)
        # With the state without a unit, biases are relative to its frequency: of all rows less those of the units.
        in_rest = self.observed(inputs).sum(0) - self._totals(counts[None])[0]
        halves_added = counts + 0.5
        totals = self._totals(halves_added[None])[0]
        reference = torch.where(self.first, in_rest.clamp_min(0) + 0.5, totals)
        return halves_added.log() - reference[self.group].log()

    def observation_counts(self, v: Tensor) -> Tensor | None:
        """Return 1 for the units of observed groups and 0 for the others, shape of v."""
        return self.observed(v)[:, self.group]

    def sites(self, n_units: int) -> list[Tensor] | None:
        """Return the states of each group, last the one that no unit stands for."""
        groups = zip(self.groups, self.rest, strict=True)
        return [torch.cat([torch.eye(size), torch.zeros(int(rest), size)]) for size, rest in groups]

    def log_pseudo_likelihood(
        self, hidden_term: Callable[[Tensor], Tensor], v: Tensor, x: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        """Return the sum over observed groups of log p(group | all other units), shape (rows,)."""
        total = torch.zeros(len(v), dtype=v.dtype, device=v.device)
        observed, start = self.observed(v), 0
        for g, (size, rest) in enumerate(zip(self.groups, self.rest, strict=True)):
            at = slice(start, start + size)
            without = x - v[:, at] @ weight[at]
            scores = [hidden_term(without + w) + b for w, b in zip(weight[at], bias[at], strict=True)]
            if rest:
                scores.append(hidden_term(without))
            own = hidden_term(x) + v[:, at] @ bias[at]
            total += (own - torch.stack(scores, 1).logsumexp(1)) * observed[:, g]
            start += size
        return total

    def observed(self, v: Tensor) -> Tensor:
        """Return 1 for each observed group and 0 for each missing one, shape (rows, groups)."""
        return ((self._totals(v) > 0) | self.first).to(v.dtype)

    def _totals(self, v: Tensor) -> Tensor:
        if self.even:
            return v.reshape(len(v), -1, self.groups[0]).sum(2)
        return self._pad_groups(v, pad=0.0).sum(2)

    def _pad_groups(self, x: Tensor, pad: float = float("-inf")) -> Tensor:
        """Lay the units out as (rows, groups, largest size + 1), the first position for the state without a unit."""
        if self.even:
            return x.reshape(len(x), -1, self.groups[0])
        # A fifth of the time that an index of two dimensions takes.
        padded = x.index_select(1, self.columns.flatten()).view(len(x), *self.columns.shape)
        padded.masked_fill_(self.blank, pad)
        if pad:
            padded[:, :, 0] = torch.where(self.first, 0.0, pad)
        return padded

    def _unpad_groups(self, padded: Tensor) -> Tensor:
        if self.even:
            return padded.reshape(len(padded), -1)
        return padded.flatten(1).index_select(1, self.positions)
