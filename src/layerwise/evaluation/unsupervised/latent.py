"""What the units of a code do over many rows."""

from __future__ import annotations

import math

from torch import Tensor

# A unit counts as active if its mean's variance over the rows exceeds this (Burda et al. 2016, section 5.2).
ACTIVE_VARIANCE = 0.01
# A unit that varies by less than this share of the liveliest unit's deviation tells nothing of a row.
DEAD_SHARE = 0.01


def code_statistics(codes: Tensor) -> dict[str, float]:
    """Return statistics of codes (rows, units).

    `mean_activity` and `mean_absolute_activity` are over rows and units. `sparseness` is Hoyer's, 0 for a row whose
    units are all alike and 1 for a row with one unit alone: (sqrt(k) - |h|_1 / |h|_2) / (sqrt(k) - 1) (Hoyer 2004).
    `dead_units` is the number of units that hardly vary, `zeros` the share of activities that are exactly 0.
    """
    k = codes.shape[1]
    deviation = codes.std(0)
    lengths = codes.norm(dim=1)
    found = {
        "units": float(k),
        "mean_activity": float(codes.mean()),
        "mean_absolute_activity": float(codes.abs().mean()),
        "zeros": float((codes == 0).float().mean()),
        "dead_units": float((deviation <= DEAD_SHARE * deviation.max()).sum()),
    }
    if k > 1:
        ratio = codes.abs().sum(1) / lengths.clamp_min(1e-12)
        sparseness = (math.sqrt(k) - ratio) / (math.sqrt(k) - 1)
        found["sparseness"] = float(sparseness[lengths > 0].mean()) if bool((lengths > 0).any()) else 0.0
    return found


def active_units(posterior_means: Tensor) -> int:
    """Return how many latent units carry something of the row: their mean's variance over rows is above 0.01."""
    return int((posterior_means.var(0) > ACTIVE_VARIANCE).sum())
