"""Visible layers of several kinds side by side: numbers, booleans and categories of a table in one RBM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import cast

import torch
from torch import Tensor, nn

from layerwise.data import ColumnBlock
from layerwise.models.rbm.units.base import (
    VISIBLE,
    LayerShape,
    UnitBlock,
    Units,
    UnitsError,
    register_units,
)


def unit_blocks(blocks: Sequence[ColumnBlock]) -> tuple[UnitBlock, ...]:
    """Return the kinds of units that fit a preprocessed table's columns, neighbours of one kind in one block.

    Raises:
        UnitsError: a block holds counts, which stand alone.
    """
    found: list[UnitBlock] = []
    for block in blocks:
        size = block.stop - block.start
        if block.kind == "count":
            raise UnitsError(f"'{block.name}' holds counts, which cannot stand beside columns of other kinds")
        if block.kind == "categorical":
            rest = len(block.categories) == size + 1
            new = UnitBlock(kind="softmax", size=size, groups=(size,), rest=(rest,))
        else:
            new = UnitBlock(kind="gaussian" if block.kind == "real" else "bernoulli", size=size)
        if found and found[-1].kind == new.kind:
            last = found.pop()
            new = UnitBlock(
                kind=new.kind,
                size=last.size + new.size,
                groups=last.groups + new.groups,
                rest=last.rest + new.rest,
            )
        found.append(new)
    return tuple(found)


@register_units(visible="mixed")
class MixedUnits(Units):
    """Each method is the blocks' own, concatenated or added up.

    Args:
        blocks: from the first visible unit to the last.
        learn_variance: for the Gaussian blocks.
    """

    def __init__(self, blocks: Sequence[UnitBlock], learn_variance: bool = False) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        self.sizes = [block.size for block in blocks]
        shapes = [
            LayerShape(
                n_units=block.size, groups=block.groups, rest=block.rest, learn_variance=learn_variance
            )
            for block in blocks
        ]
        self.kinds = nn.ModuleList(
            VISIBLE.find(block.kind).for_visible(shape) for block, shape in zip(blocks, shapes, strict=True)
        )

    @classmethod
    def for_visible(cls, shape: LayerShape) -> Units:
        """Return units of the shape's blocks.

        Raises:
            ValueError: the blocks, or the groups of one, have not as many units as they should.
        """
        sizes = tuple(block.size for block in shape.blocks)
        if sum(sizes) != shape.n_units:
            raise ValueError(f"mixed units in blocks of {sizes} are not {shape.n_units} in all")
        return cls(shape.blocks, shape.learn_variance)

    def layout(self, n_units: int) -> list[tuple[Units, slice]]:
        """Return each block's units with their columns."""
        bounds = pairwise(accumulate(self.sizes, initial=0))
        return [(cast(Units, units), slice(*at)) for units, at in zip(self.kinds, bounds, strict=True)]

    def sites(self, n_units: int) -> list[Tensor] | None:
        """Return the sites of all blocks; None if those of one cannot be listed."""
        found: list[Tensor] = []
        for units, at in self.layout(n_units):
            sites = units.sites(at.stop - at.start)
            if sites is None:
                return None
            found += sites
        return found

    def parts(self, values: Tensor) -> list[tuple[Units, Tensor]]:
        """Return each block's units with its columns of (rows, units) or its part of (units,)."""
        pieces = values.split(self.sizes, -1)
        return [(cast(Units, units), piece) for units, piece in zip(self.kinds, pieces, strict=True)]

    def _concatenated(self, method: Callable[[Units, Tensor], Tensor], values: Tensor) -> Tensor:
        return torch.cat([method(units, piece) for units, piece in self.parts(values)], -1)

    def _added(self, name: str, first: Tensor, second: Tensor) -> Tensor:
        pairs = zip(self.parts(first), second.split(self.sizes, -1), strict=True)
        return torch.stack([getattr(units, name)(one, two) for (units, one), two in pairs]).sum(0)

    def mean(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return the conditional means, shape of x."""
        mean = self._concatenated(lambda units, piece: units.mean(piece), x)
        return mean if observation_counts is None else mean * observation_counts

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Sample states given their conditional means, shape of mean."""
        return self._concatenated(lambda units, piece: units.sample(piece, rng), mean)

    def free_energy_term(self, v: Tensor, bias: Tensor) -> Tensor:
        """Return the sum of the blocks' own terms, shape (rows,)."""
        return self._added("free_energy_term", v, bias)

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return the sum of the blocks' terms, shape (rows,)."""
        return self._added("log_partition", x, bias)

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return the sum of the blocks' losses, shape (rows,)."""
        return self._added("loss", x, v)

    def initial_bias(self, inputs: Tensor) -> Tensor:
        """Return each block's biases, shape (units,)."""
        return self._concatenated(lambda units, piece: units.initial_bias(piece), inputs)

    def observation_counts(self, v: Tensor) -> Tensor | None:
        """Return 0 for the units of missing categories and 1 elsewhere, shape of v; None without categories."""
        if all(block.kind != "softmax" for block in self.blocks):
            return None

        def observed(units: Units, piece: Tensor) -> Tensor:
            own = units.observation_counts(piece)
            return torch.ones_like(piece) if own is None else own

        return self._concatenated(observed, v)

    def scaled(self, v: Tensor) -> Tensor:
        """Return the statistic that meets the weights, shape of v."""
        return self._concatenated(lambda units, piece: units.scaled(piece), v)
