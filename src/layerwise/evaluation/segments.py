"""Metrics by segment: the same network on the rows of each value of a column, or of each quarter of a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ConfigDict, Field, RootModel

from layerwise.data import DataError, Task
from layerwise.data.preprocessing import class_texts
from layerwise.evaluation.metrics import Metric, as_array, compute_metrics, worse_than_others
from layerwise.utils import Config, nearest

if TYPE_CHECKING:
    import pandas as pd

N_QUANTILES = 4
# Numbers with fewer distinct values are categories.
MIN_DISTINCT = 10
# The most frequent values of a category have a segment each; the rest are one.
MAX_VALUES = 20
OTHER, EMPTY = "other values", "empty"
# Of fewer rows nothing is measured.
MIN_ROWS = 10
# What is shown of each segment; by the first one it is compared with the other rows.
SEGMENT_METRICS: dict[str, tuple[str, ...]] = {
    "binary": ("error", "roc_auc", "log_loss"),
    "multiclass": ("error", "log_loss"),
    "multilabel": ("hamming_loss", "roc_auc", "log_loss"),
    "regression": ("rmse", "mae"),
}


class Segment(Config):
    """The rows of one value of a column: how many, and the metrics on them and on the other rows.

    `metrics` and `others` are empty where too few rows count.
    """

    column: str
    value: str
    rows: int
    metrics: dict[str, Metric] = Field(default_factory=dict)
    others: dict[str, Metric] = Field(default_factory=dict)


class SegmentTable(RootModel[tuple[Segment, ...]]):
    """All segments, column by column."""

    model_config = ConfigDict(frozen=True)


def make_segments(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the segment of each row by each of some columns, as ordered categories.

    A number with ten distinct values or more is cut at its quartiles; any other value is a segment of its own, the
    rarest ones together. Empty cells are one too.

    Args:
        frame: raw rows.
        names: of the columns, inputs or not.

    Raises:
        DataError: a column is missing.
    """
    import pandas as pd

    for name in names:
        if name not in frame:
            raise DataError(
                f"evaluation.segments: column '{name}' is not in the table"
                f"{nearest(name, [str(each) for each in frame])}"
            )
    return pd.DataFrame({name: _segments_of(frame[name]) for name in names}, index=range(len(frame)))


def _segments_of(column: pd.Series) -> pd.Categorical:
    import pandas as pd

    empty = column.isna().to_numpy()
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    known = numbers[np.isfinite(numbers)]
    if (np.isfinite(numbers) | empty).all() and len(np.unique(known)) >= MIN_DISTINCT:
        codes, labels = _quantiles(numbers)
    else:
        texts = class_texts(column)
        counts = texts.value_counts()
        frequent = sorted(counts.index[:MAX_VALUES])
        codes = texts.map({value: k for k, value in enumerate(frequent)}).to_numpy(
            np.float64, na_value=np.nan
        )
        codes = np.where(np.isnan(codes) & ~empty, len(frequent), codes)
        labels = [*frequent, OTHER]
    codes = np.where(empty, len(labels), codes).astype(np.int64)
    present = sorted(set(codes.tolist()))
    names = [*labels, EMPTY]
    categories = pd.Index([names[code] for code in present])
    return pd.Categorical.from_codes(np.searchsorted(present, codes), categories, ordered=True)


def _quantiles(numbers: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return each number's quarter, and what the quarters are called."""
    edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, N_QUANTILES + 1)))
    codes = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    names = [
        f"{low:.6g} to {'' if last else 'below '}{high:.6g}"
        for low, high, last in zip(edges[:-1], edges[1:], [False] * (len(edges) - 2) + [True], strict=True)
    ]
    return codes, names


def measure_segments(
    task: Task,
    targets: Any,
    scores: Any,
    segments: pd.DataFrame,
    *,
    threshold: float = 0.5,
    seed: int = 0,
    n_bootstrap: int = 1000,
    weights: Any = None,
) -> SegmentTable:
    """Return the metrics on each segment and on the other rows, with their intervals.

    Args:
        task: what the targets are.
        targets: (n,) classes, or (n, k).
        scores: (n, k).
        segments: of `make_segments`, (n, columns).
        threshold: of a binary task.
        seed: of the resamples.
        n_bootstrap: their number.
        weights: (n,) how much each row counts, not at all with 0; None: all the same.
    """
    true, given = as_array(targets), as_array(scores)
    counts = None if weights is None else as_array(weights)
    options: dict[str, Any] = {"threshold": threshold, "seed": seed, "n_bootstrap": n_bootstrap}

    def measured(rows: np.ndarray) -> dict[str, Metric]:
        own = None if counts is None else counts[rows]
        if (rows.sum() if own is None else np.count_nonzero(own)) < MIN_ROWS:
            return {}
        return _shown(task, compute_metrics(task, true[rows], given[rows], weights=own, **options))

    found = []
    for name in segments:
        codes = segments[name].cat.codes.to_numpy()
        for code, value in enumerate(segments[name].cat.categories):
            inside = codes == code
            metrics = measured(inside)
            others = measured(~inside) if metrics else {}
            found.append(
                Segment(
                    column=str(name), value=str(value), rows=int(inside.sum()), metrics=metrics, others=others
                )
            )
    return SegmentTable(tuple(found))


def _shown(task: Task, metrics: dict[str, Metric]) -> dict[str, Metric]:
    return {name: metrics[name] for name in SEGMENT_METRICS[task] if name in metrics}


def describe_segments(found: SegmentTable) -> list[str]:
    """Return a sentence for each segment on which the network is worse than on the other rows by more than chance.

    Compared is the first metric of each, as `worse_than_others` does.
    """
    pairs = {}
    for k, segment in enumerate(found.root):
        if segment.metrics and segment.others:
            own = next(iter(segment.metrics.values()))
            pairs[k] = own, segment.others[own.name]
    sentences = []
    for k in worse_than_others(pairs):
        segment, (own, other) = found.root[k], pairs[k]
        sentences.append(
            f"Worse than on the other rows: {segment.column} = {segment.value} ({segment.rows:,} rows), {own.name} "
            f"{own} against {other}."
        )
    return sentences
