"""Drift: how far new rows lie from the training rows, column by column.

The population stability index is the sum over bins of (q - p) ln(q / p), with the share p of training rows and q of
new rows in a bin (the symmetrised Kullback-Leibler divergence; Siddiqi 2006). Numbers have bins of about a tenth of
the training rows each, between values that training had. Without any drift its mean is about
(bins - 1) (1 / n + 1 / m) for n training rows and m new ones, which `expected_psi` says; few new rows alone look like drift.
The Kolmogorov-Smirnov distance is the greatest distance between both distribution functions (of numbers), at the
points of the summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from layerwise.data.preprocessing.summaries import OTHERS
from layerwise.utils.config import Config

N_BINS = 10
# Siddiqi's rule of thumb.
MODERATE_PSI, LARGE_PSI = 0.1, 0.25
# Of a distance at least as great without drift; and the change in the share of empty cells that counts by itself.
KS_SIGNIFICANCE, MISSING_CHANGE = 0.01, 0.05
# A share of 0 has no logarithm: half a row stands in for none.
PSEUDO_COUNT = 0.5
DriftLevel = Literal["stable", "some drift", "drift"]


class Drift(Config):
    """How far one column of new rows lies from training.

    `psi` includes empty cells as a bin of their own; `expected_psi` is what it is on average without drift. `ks` and its
    p-value `ks_pvalue` are None for categories. `unseen` is the share of new rows with a category that training never saw.
    """

    column: str
    kind: str
    psi: float
    expected_psi: float
    ks: float | None = None
    ks_pvalue: float | None = None
    missing_before: float = 0.0
    missing: float = 0.0
    unseen: float = 0.0
    level: DriftLevel = "stable"
    details: str = ""


def population_stability_index(p: np.ndarray, q: np.ndarray, n: int, m: int) -> float:
    """Return the index of two sets of shares over the same bins.

    Args:
        p: (bins,) shares of n training rows.
        q: (bins,) shares of m new rows.
        n: training rows.
        m: new rows.
    """
    p, q = np.maximum(p, PSEUDO_COUNT / n), np.maximum(q, PSEUDO_COUNT / m)
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def numeric_drift(name: str, before: Mapping[str, Any], values: np.ndarray, n: int) -> Drift:
    """Compare new numbers with the summary of training ones.

    Args:
        name: of the column.
        before: what `summarize_numbers` returned.
        values: (m,) new numbers; NaN is a missing one.
        n: training rows.
    """
    points, fractions = np.asarray(before["points"]), np.asarray(before["fractions"])
    m = len(values)
    known = np.sort(values[~np.isnan(values)])
    if len(points) == 0 or len(known) == 0:
        missing = 1 - len(known) / m
        p, q = np.array([before["missing"], 1 - before["missing"]]), np.array([missing, 1 - missing])
        return _make_drift(name, "number", population_stability_index(p, q, n, m), 2, n, m, before, missing)
    edges = _bin_edges(points, fractions)
    at = np.searchsorted(points, edges)
    p = np.diff(np.r_[0.0, fractions[at], 1.0])
    new_at_edges = np.searchsorted(known, edges, side="right") / len(known)
    q = np.diff(np.r_[0.0, new_at_edges, 1.0])
    missing = 1 - len(known) / m
    p = np.r_[p * (1 - before["missing"]), before["missing"]]
    q = np.r_[q * (1 - missing), missing]
    used = (p > 0) | (q > 0)
    ks = float(np.abs(np.searchsorted(known, points, side="right") / len(known) - fractions).max())
    index = population_stability_index(p[used], q[used], n, m)
    probability = _ks_probability(ks, n * (1 - before["missing"]), len(known))
    return _make_drift(
        name, "number", index, int(used.sum()), n, m, before, missing, ks=ks, ks_pvalue=probability,
        direction=_describe_shift(points, fractions, known),
    )  # fmt: skip


def categorical_drift(
    name: str, before: Mapping[str, Any], counts: Mapping[str, int], missing: int, n: int
) -> Drift:
    """Compare how often each value comes with its share among training rows.

    Args:
        name: of the column.
        before: what `summarize_values` returned.
        counts: new rows by value.
        missing: new rows without one.
        n: training rows.
    """
    total = sum(counts.values())
    m = total + missing
    old = {k: v * (1 - before["missing"]) for k, v in before["fractions"].items()}
    new = dict.fromkeys(old, 0.0)
    unseen = 0.0
    for value, count in counts.items():
        if value in old:
            new[value] += count / m
        elif OTHERS in old:
            new[OTHERS] += count / m
        else:
            unseen += count / m
    p = np.array([*old.values(), 0.0, before["missing"]])
    q = np.array([*(new[name] for name in old), unseen, missing / m])
    used = (p > 0) | (q > 0)
    shift = max(old, key=lambda value: abs(new[value] - old[value]))
    return _make_drift(
        name, "category", population_stability_index(p[used], q[used], n, m), int(used.sum()), n, m, before, missing / m,
        unseen=unseen, direction=f"'{shift}' {_percent(old[shift])} before, {_percent(new[shift])} now",
    )  # fmt: skip


def _bin_edges(points: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Return the upper ends of the bins but the last: values at which about another tenth of the rows is passed."""
    wanted = np.arange(1, N_BINS) / N_BINS
    at = np.unique(np.searchsorted(fractions, wanted - 1e-12))
    return points[at[at < len(points) - 1]]


def _ks_probability(distance: float, n: float, m: float) -> float:
    """Return the probability of a distance at least as great without drift, as for one sample of nm / (n + m) rows."""
    from scipy.stats import kstwo

    return float(kstwo.sf(distance, max(1, round(n * m / (n + m)))))


def _describe_shift(points: np.ndarray, fractions: np.ndarray, known: np.ndarray) -> str:
    before = points[np.searchsorted(fractions, 0.5)]
    return f"median {before:g} before, {np.median(known):g} now"


def _make_drift(
    name: str,
    kind: str,
    index: float,
    bins: int,
    n: int,
    m: int,
    before: Mapping[str, Any],
    missing: float,
    *,
    ks: float | None = None,
    ks_pvalue: float | None = None,
    unseen: float = 0.0,
    direction: str = "",
) -> Drift:
    expected_psi = (bins - 1) * (1 / n + 1 / m)
    # Beyond the rule of thumb and beyond what chance alone brings to a few rows; the index of few rows jumps more
    # than its mean says where values repeat, which the distance between the functions does not.
    moved = (
        ks_pvalue is None or ks_pvalue < KS_SIGNIFICANCE or abs(missing - before["missing"]) > MISSING_CHANGE
    )
    level: DriftLevel = "stable"
    if moved and index > max(MODERATE_PSI, 3 * expected_psi):
        level = "drift" if index > max(LARGE_PSI, 3 * expected_psi) else "some drift"
    parts = [direction] if level != "stable" and direction else []
    if abs(missing - before["missing"]) > MISSING_CHANGE:
        parts.append(f"{_percent(before['missing'])} empty before, {_percent(missing)} now")
    if unseen:
        parts.append(f"{_percent(unseen)} with a value that training never saw")
    return Drift(
        column=name,
        kind=kind,
        psi=index,
        expected_psi=expected_psi,
        ks=ks,
        ks_pvalue=ks_pvalue,
        missing_before=before["missing"],
        missing=missing,
        unseen=unseen,
        level=level,
        details="; ".join(parts),
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


def describe_drift(found: Sequence[Drift]) -> list[str]:
    """Return what to say of all columns, the worst first."""
    moved = sorted((each for each in found if each.level != "stable"), key=lambda each: -each.psi)
    if not moved:
        return [
            f"No drift: all {len(found)} columns are distributed as in training, as far as these rows tell."
        ]
    lines = [f"{len(moved)} of {len(found)} columns drifted."]
    return lines + [
        f"{each.column}: {each.level}, PSI {each.psi:.2f}{f' ({each.details})' if each.details else ''}."
        for each in moved
    ]
