"""Limits of what is measured on new rows: what is worse than they allow, for a command that then fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerwise.data import DataError
from layerwise.evaluation.drift import Drift
from layerwise.evaluation.metrics import Metric
from layerwise.utils import UserError, nearest

DRIFT = "drift"


class LimitError(UserError, ValueError):
    """New rows are worse than was allowed; the message says which values are."""


def beyond_limits(
    limits: Mapping[str, float], drift: Sequence[Drift], metrics: Mapping[str, Metric]
) -> list[str]:
    """Return a sentence for each value that is worse than its limit.

    Args:
        limits: the worst value by a metric's name, or the largest population stability index by `drift`; a column whose
            index is no more than chance brings about is not counted.
        drift: of each column.
        metrics: of the new rows; none where their targets are not known.

    Raises:
        DataError: a limit is of something that was not measured.
    """
    found = []
    for name, limit in limits.items():
        if name == DRIFT:
            found += [
                f"{each.column} drifted by {each.psi:.3f} (limit {limit:g})"
                for each in drift
                if each.level != "stable" and each.psi > limit
            ]
            continue
        if name not in metrics:
            raise DataError(f"evaluate.limits: there is no {name}{nearest(name, [*metrics, DRIFT])}")
        value = metrics[name].value
        is_worse = value > limit if metrics[name].better == "lower" else value < limit
        # What is not a number is within no limit.
        if is_worse or value != value:
            found.append(f"{name} is {value:.4g} (limit {limit:g})")
    return found
