"""Statistics of latent units over many rows."""

from __future__ import annotations

import math

from torch import Tensor

# A unit counts as active if its mean's variance over the rows exceeds this (Burda et al. 2016, section 5.2).
ACTIVE_VARIANCE = 0.01
# A unit is dead if its standard deviation is at most this fraction of the largest one.
DEAD_FRACTION = 0.01


def latent_statistics(latents: Tensor) -> dict[str, float]:
    """Return statistics of latents (rows, units).

    `mean_activation` and `mean_absolute_activation` are over rows and units. `sparseness` is Hoyer's, 0 for a row whose
    units are all alike and 1 for a row with one unit alone: (sqrt(k) - |h|_1 / |h|_2) / (sqrt(k) - 1) (Hoyer 2004).
    `dead_units` is the number of units that hardly vary, `zero_fraction` the fraction of activations that are exactly
    0.
    """
    k = latents.shape[1]
    std = latents.std(0)
    lengths = latents.norm(dim=1)
    found = {
        "units": float(k),
        "mean_activation": float(latents.mean()),
        "mean_absolute_activation": float(latents.abs().mean()),
        "zero_fraction": float((latents == 0).float().mean()),
        "dead_units": float((std <= DEAD_FRACTION * std.max()).sum()),
    }
    if k > 1:
        ratio = latents.abs().sum(1) / lengths.clamp_min(1e-12)
        sparseness = (math.sqrt(k) - ratio) / (math.sqrt(k) - 1)
        found["sparseness"] = float(sparseness[lengths > 0].mean()) if bool((lengths > 0).any()) else 0.0
    return found


def active_units(posterior_means: Tensor) -> int:
    """Return how many latent units are active: the variance of their posterior mean over rows is above 0.01."""
    return int((posterior_means.var(0) > ACTIVE_VARIANCE).sum())
