"""Every state of a layer, a slice at a time: what exact sums run over."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from layerwise.models.rbm.rbm import RBM

AT_A_TIME = 1 << 13


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
    """Return the sites of the visible and of the hidden layer (`Units.sites`); None if they cannot be listed.

    Those of the hidden layer cannot after training with dropout: a geometric mean of RBMs is no sum over its states.
    """
    shape = rbm.config
    hidden = None if shape.dropout else rbm.hidden_units.sites(shape.n_hidden)
    return rbm.visible_units.sites(shape.n_visible), hidden
