"""Every state of a layer, a slice at a time: what exact sums run over."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from layerwise.models.rbm.rbm import RBM
from layerwise.models.rbm.units import BernoulliUnits, MixedUnits, SoftmaxUnits, Units

AT_A_TIME = 1 << 13


def layer_sites(units: Units, n_units: int) -> list[Tensor] | None:
    """Return each site's states (states, units of the site): a bit, or a group; None if they are not finite.

    Counts are not listed: their states depend on the length of the document.
    """
    if isinstance(units, BernoulliUnits):
        return [torch.tensor([[0.0], [1.0]])] * n_units
    if isinstance(units, SoftmaxUnits):
        groups = zip(units.groups, units.rest, strict=True)
        return [torch.cat([torch.eye(size), torch.zeros(int(rest), size)]) for size, rest in groups]
    if isinstance(units, MixedUnits):
        found: list[Tensor] = []
        for block, size in zip(units.kinds, units.sizes, strict=True):
            sites = layer_sites(block, size)  # type: ignore[arg-type]
            if sites is None:
                return None
            found += sites
        return found
    return None


def number_of_states(sites: list[Tensor] | None) -> float:
    """Return how many states a layer has, infinite for None."""
    total = 1.0
    for site in sites or []:
        total *= len(site)
    return total if sites is not None else float("inf")


def slices_of_states(sites: list[Tensor], like: Tensor) -> Iterator[Tensor]:
    """Yield all states, (at most AT_A_TIME, units) at a time, of the type and on the device of `like`."""
    total = int(number_of_states(sites))
    sites = [site.to(like) for site in sites]
    for start in range(0, total, AT_A_TIME):
        index = torch.arange(start, min(start + AT_A_TIME, total), device=like.device)
        columns = []
        for site in reversed(sites):
            columns.append(site[index % len(site)])
            index = index // len(site)
        yield torch.cat(columns[::-1], 1)


def rbm_sites(rbm: RBM) -> tuple[list[Tensor] | None, list[Tensor] | None]:
    """Return the sites of the visible and of the hidden layer.

    After training with dropout there are none of the hidden layer: a geometric mean of RBMs is no sum over its states.
    """
    shape = rbm.config
    hidden = None if shape.dropout else layer_sites(rbm.hidden_units, shape.n_hidden)
    return layer_sites(rbm.visible_units, shape.n_visible), hidden
