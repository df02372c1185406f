"""Drift: how far the distribution of new rows lies from that of the training rows, column by column.

The population stability index (PSI) is the sum over bins of (q - p) ln(q / p), with the fraction p of
training rows and q of new rows in a bin (the symmetrised Kullback-Leibler divergence; Siddiqi 2006). Numbers
have bins of about a tenth of the training rows each, between values of the training rows. Without any drift
its mean is about (bins - 1) (1 / n + 1 / m) for n training rows and m new ones, which is `expected_psi`: few
new rows alone look like drift. The Kolmogorov-Smirnov (KS) distance of numbers is the greatest distance
between both empirical distribution functions, at and just below the points of the summary. It sees what the
index's bins hide: values between those of training, and shifts within bins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, RootModel

from layerwise.data.preprocessing import OTHERS
from layerwise.evaluation.metrics.logged import LoggedMetrics
from layerwise.utils import Config

N_BINS = 10
# Siddiqi's rule of thumb.
MODERATE_PSI, LARGE_PSI = 0.1, 0.25
# The p-value below which a KS distance counts; the change in the fraction of missing values that counts.
KS_SIGNIFICANCE, MISSING_CHANGE = 0.01, 0.05
# A KS distance above this one is some drift, whatever the index, if its p-value holds for all columns together.
LARGE_KS = 0.1
# A fraction of 0 has no logarithm: half a row stands in for none.
PSEUDO_COUNT = 0.5
# Rows whose numbers are kept: of so many a KS distance of .002 is seen.
MOST_ROWS = 500_000
DriftLevel = Literal["stable", "some drift", "drift"]


class Drift(Config):
    """How far one column of new rows lies from training.

    `psi` counts missing values as a bin of their own; `expected_psi` is its mean without drift. `ks` and its
    p-value `ks_pvalue` are None for categories. `missing_before` and `missing` are the fractions of missing
    values among the training and the new rows, `unseen` that of new rows with a category that training never
    saw.
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


class DriftTable(RootModel[tuple[Drift, ...]]):
    """The drift of each column, in the order of the columns."""

    model_config = ConfigDict(frozen=True)

    def __iter__(self) -> Iterator[Drift]:  # type: ignore[override]
        return iter(self.root)

    def logged(self) -> LoggedMetrics:
        """Return each column's index as `drift/<column>`, and how many columns are not stable."""
        # MLflow accepts no other characters in a metric's name.
        names = [re.sub(r"[^-\w. ]", "_", each.column, flags=re.ASCII) for each in self]
        drifted = sum(each.level != "stable" for each in self)
        values = dict(zip(names, (each.psi for each in self), strict=True)) | {"drifted_columns": drifted}
        return LoggedMetrics.of(values, prefix="drift/")


class SampledNumbers:
    """Number columns of rows that come in parts: those of all rows, of more than `most_rows` of a uniform sample.

    A row is kept with a probability that is one for all rows that came: whenever too many are kept, it is halved, and
    each of them stays with probability 1/2.

    Args:
        most_rows: that are kept in the end.
        seed: of the sample.
    """

    def __init__(self, most_rows: int = MOST_ROWS, seed: int = 0) -> None:
        self.most_rows, self.n_rows, self.n_kept = most_rows, 0, 0
        self._parts: dict[str, list[np.ndarray]] = {}
        self._probability, self._rng = 1.0, np.random.default_rng(seed)

    def add(self, columns: Mapping[str, np.ndarray], n: int) -> None:
        """Add the columns of n rows, (n,) each."""
        self.n_rows += n
        rows = np.flatnonzero(self._rng.random(n) < self._probability)
        self.n_kept += len(rows)
        for name, values in columns.items():
            self._parts.setdefault(name, []).append(values if len(rows) == n else values[rows])
        while self.n_kept > self.most_rows:
            self._halve()

    def _halve(self) -> None:
        stays = self._rng.random(self.n_kept) < 0.5
        self._probability /= 2
        self.n_kept = int(stays.sum())
        for name, parts in self._parts.items():
            self._parts[name] = [np.concatenate(parts)[stays]]

    def columns(self) -> dict[str, np.ndarray]:
        """Return the columns of the rows that are kept, (n_kept,) each."""
        return {name: np.concatenate(parts) for name, parts in self._parts.items()}


def population_stability_index(p: np.ndarray, q: np.ndarray, n: int, m: int) -> float:
    """Return the index of two histograms over the same bins.

    Args:
        p: (bins,) fractions of n training rows.
        q: (bins,) fractions of m new rows.
        n: the number of training rows.
        m: the number of new rows.
    """
    p, q = np.maximum(p, PSEUDO_COUNT / n), np.maximum(q, PSEUDO_COUNT / m)
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def numeric_drift(
    name: str, before: Mapping[str, Any], values: np.ndarray, n: int, n_columns: int = 1
) -> Drift:
    """Compare new numbers with the summary of training ones.

    Args:
        name: of the column.
        before: the training rows' summary, as `summarize_numbers` returns it.
        values: (m,) new numbers; NaN is a missing one.
        n: the number of training rows.
        n_columns: that are compared; the p-value at which the KS distance speaks alone is divided by it.
    """
    points, fractions = np.asarray(before["points"]), np.asarray(before["fractions"])
    m = len(values)
    known = np.sort(values[~np.isnan(values)])
    if len(points) == 0 or len(known) == 0:
        missing = 1 - len(known) / m
        p, q = np.array([before["missing"], 1 - before["missing"]]), np.array([missing, 1 - missing])
        psi = population_stability_index(p, q, n, m)
        return _make_drift(name, "number", before, _Change(psi, 2, n, m, missing))
    edges = _bin_edges(points, fractions)
    at = np.searchsorted(points, edges)
    p = np.diff(np.r_[0.0, fractions[at], 1.0])
    new_at_edges = np.searchsorted(known, edges, side="right") / len(known)
    q = np.diff(np.r_[0.0, new_at_edges, 1.0])
    missing = 1 - len(known) / m
    p = np.r_[p * (1 - before["missing"]), before["missing"]]
    q = np.r_[q * (1 - missing), missing]
    used = (p > 0) | (q > 0)
    gaps = [np.abs(np.searchsorted(known, points, side="right") / len(known) - fractions)]
    # A model of an older version knows the fractions at the points alone.
    if "below" in before:
        gaps.append(np.abs(np.searchsorted(known, points, side="left") / len(known) - before["below"]))
    ks = float(np.max(gaps))
    psi = population_stability_index(p[used], q[used], n, m)
    pvalue = _ks_pvalue(ks, n * (1 - before["missing"]), len(known))
    direction = _describe_shift(points, fractions, known)
    change = _Change(psi, int(used.sum()), n, m, missing, ks, pvalue, n_columns, direction=direction)
    return _make_drift(name, "number", before, change)


def categorical_drift(
    name: str, before: Mapping[str, Any], counts: Mapping[str, int], missing: int, n: int
) -> Drift:
    """Compare the frequency of each category among the new rows with that among the training rows.

    Args:
        name: of the column.
        before: the training rows' summary, as `summarize_values` returns it.
        counts: the number of new rows by category.
        missing: the number of new rows without one.
        n: the number of training rows.
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
    psi = population_stability_index(p[used], q[used], n, m)
    direction = ""
    if old:  # a training row had a value
        most_changed = max(old, key=lambda value: abs(new[value] - old[value]))
        direction = (
            f"'{most_changed}' {_percent(old[most_changed])} before, {_percent(new[most_changed])} now"
        )
    change = _Change(psi, int(used.sum()), n, m, missing / m, unseen=unseen, direction=direction)
    return _make_drift(name, "category", before, change)


def _bin_edges(points: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Return the upper edges of all bins but the last: about the deciles of the training rows."""
    wanted = np.arange(1, N_BINS) / N_BINS
    at = np.unique(np.searchsorted(fractions, wanted - 1e-12))
    return points[at[at < len(points) - 1]]


def _ks_pvalue(distance: float, n: float, m: float) -> float:
    """Return the p-value of a KS distance, as for one sample of nm / (n + m) rows."""
    from scipy.stats import kstwo

    return float(kstwo.sf(distance, max(1, round(n * m / (n + m)))))


def _describe_shift(points: np.ndarray, fractions: np.ndarray, known: np.ndarray) -> str:
    before = points[np.searchsorted(fractions, 0.5)]
    return f"median {before:g} before, {np.median(known):g} now"


@dataclass(frozen=True)
class _Change:
    """What was measured between the n training rows and the m new ones of a column, one of `n_columns`."""

    psi: float
    n_bins: int
    n: int
    m: int
    missing: float
    ks: float | None = None
    ks_pvalue: float | None = None
    n_columns: int = 1
    unseen: float = 0.0
    direction: str = ""


def _make_drift(name: str, kind: str, before: Mapping[str, Any], change: _Change) -> Drift:
    """Return a column's drift, with its level and the sentence that says what changed."""
    psi, missing, ks, ks_pvalue = change.psi, change.missing, change.ks, change.ks_pvalue
    expected_psi = (change.n_bins - 1) * (1 / change.n + 1 / change.m)
    # Beyond the rule of thumb and beyond what chance alone brings to a few rows; where values repeat, the index
    # of few rows varies more than its mean says, which the distance between the functions does not.
    significant = (
        change.ks_pvalue is None
        or change.ks_pvalue < KS_SIGNIFICANCE
        or abs(missing - before["missing"]) > MISSING_CHANGE
    )
    level: DriftLevel = "stable"
    if significant and psi > max(MODERATE_PSI, 3 * expected_psi):
        level = "drift" if psi > max(LARGE_PSI, 3 * expected_psi) else "some drift"
    elif ks is not None and ks_pvalue is not None and ks > LARGE_KS:
        level = "some drift" if ks_pvalue < KS_SIGNIFICANCE / change.n_columns else "stable"
    parts = [change.direction] if level != "stable" and change.direction else []
    if abs(missing - before["missing"]) > MISSING_CHANGE:
        parts.append(f"{_percent(before['missing'])} empty before, {_percent(missing)} now")
    if change.unseen:
        parts.append(f"{_percent(change.unseen)} with a value that training never saw")
    return Drift(
        column=name,
        kind=kind,
        psi=psi,
        expected_psi=expected_psi,
        ks=change.ks,
        ks_pvalue=change.ks_pvalue,
        missing_before=before["missing"],
        missing=missing,
        unseen=change.unseen,
        level=level,
        details="; ".join(parts),
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


def describe_drift(found: Sequence[Drift]) -> list[str]:
    """Return one sentence about all columns, then one for each that drifted, the worst first."""
    drifted = sorted((each for each in found if each.level != "stable"), key=lambda each: -each.psi)
    if not drifted:
        return [
            f"No drift: all {len(found)} columns are distributed as in training, as far as these rows tell."
        ]
    lines = [f"{len(drifted)} of {len(found)} columns drifted."]
    return lines + [
        f"{each.column}: {each.level}, PSI {each.psi:.2f}{'' if each.ks is None else f', KS {each.ks:.2f}'}"
        f"{f' ({each.details})' if each.details else ''}."
        for each in drifted
    ]
