"""A small summary of the training rows, by which drift and impossible values of later rows are found.

It is plain numbers and text, some kilobytes, and is kept with the preprocessor. A number column has its distribution
function at and just below up to 201 points, any other one the fraction of each value. What the file's other rows held
and the training rows did not is kept too: a model answers every row that its figures are of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from layerwise.data.image_layout import COLORS
from layerwise.data.preprocessing.columns import (
    PAIR_PARTS,
    ColumnKind,
    class_text,
    class_texts,
    days_since_1970,
    feature_name,
    pair_numbers,
)

if TYPE_CHECKING:
    import pandas as pd

POINTS = 201
# A category with more values has its rarest ones counted together.
MAX_VALUES = 50
OTHERS = "(others)"
IMAGE_CELLS = 3


def summarize_numbers(values: np.ndarray) -> dict[str, Any]:
    """Return where the values lie: points, the fraction of values at or below each, and that below each.

    The two fractions tell values at the points from those between them.

    Args:
        values: (n,) numbers; NaN is a missing one.
    """
    known = np.sort(values[~np.isnan(values)])
    if len(known) == 0:
        return {"kind": "number", "missing": 1.0, "points": [], "fractions": [], "below": []}
    points = known[np.append(True, known[1:] != known[:-1])]
    if len(points) > POINTS:
        points = np.unique(known[np.rint(np.linspace(0, len(known) - 1, POINTS)).astype(int)])
    fractions, below = (np.searchsorted(known, points, side=side) / len(known) for side in ("right", "left"))
    return {
        "kind": "number",
        "missing": 1 - len(known) / len(values),
        "points": points.tolist(),
        "fractions": fractions.tolist(),
        "below": below.tolist(),
    }


def summarize_values(values: list[str], missing: int = 0) -> dict[str, Any]:
    """Return the fraction of each distinct value, the most frequent first.

    Args:
        values: of the rows that have one.
        missing: rows that have none.
    """
    names, counts = np.unique(np.asarray(values, dtype=object), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    fractions = {str(names[k]): counts[k] / len(values) for k in order[:MAX_VALUES]}
    if len(order) > MAX_VALUES:
        fractions[OTHERS] = counts[order[MAX_VALUES:]].sum() / len(values)
    total = len(values) + missing
    return {
        "kind": "category",
        "missing": missing / total if total else 0.0,
        "fractions": {name: float(fraction) for name, fraction in fractions.items()},
    }


def summarize_table(frame: pd.DataFrame, kinds: dict[str, ColumnKind]) -> dict[str, Any]:
    """Return the summary of a table's input columns; a date counts as its days since 1970."""
    columns = {
        part: summarize_column(seen)
        for name in summarized_columns(kinds)
        for part, seen in columns_for_summary(frame[name], kinds).items()
    }
    return {"rows": len(frame), "columns": columns}


def summarize_column(seen: SummaryColumn) -> dict[str, Any]:
    """Return the summary of a column."""
    return (
        summarize_numbers(seen.values)
        if seen.kind == "number"
        else summarize_values(seen.values, seen.missing)
    )


def summarize_training(
    whole: pd.DataFrame, training: np.ndarray, kinds: dict[str, ColumnKind]
) -> dict[str, Any]:
    """Return the summary of the training rows of a table, and as `beyond` what the other rows hold beside it.

    Args:
        whole: all rows that were read.
        training: positions of the training rows.
        kinds: of the columns.
    """
    columns: dict[str, Any] = {}
    beyond: dict[str, Any] = {}
    for name in summarized_columns(kinds):
        column = whole[name]
        learnt = column.iloc[training]
        every = columns_for_summary(column, kinds)
        for part, seen in columns_for_summary(learnt, kinds).items():
            columns[part] = summarize_column(seen)
            if more := _beyond(every[part], seen):
                beyond[part] = more
        if column.isna().any() and not learnt.isna().any():
            beyond.setdefault(name, {})["empty"] = True
    return {"rows": len(training), "columns": columns, "beyond": beyond}


def _beyond(every: SummaryColumn, learnt: SummaryColumn) -> dict[str, Any]:
    """Return what a column holds among all rows of a table and not among its training rows.

    A number or date has its `range` if that is wider than the training rows', a category the `values` that these do not
    have.
    """
    if every.kind == "number":
        known = learnt.values[~np.isnan(learnt.values)]
        low, high = (float(of(every.values)) for of in (np.nanmin, np.nanmax)) if len(known) else (0.0, 0.0)
        wider = len(known) and (low < known.min() or high > known.max())
        return {"range": [low, high]} if wider else {}
    new = sorted(set(every.values) - set(learnt.values))
    return {"values": new} if new else {}


class SummaryColumn(NamedTuple):
    """A column as a summary sees it: `number` with (n,) floats, or `category` with the texts of cells that hold one.

    A cell that is no number or no date counts as empty; `missing` is how many of a category's are.
    """

    kind: Literal["number", "category"]
    values: Any
    missing: int = 0


def summarized_columns(kinds: Mapping[str, ColumnKind]) -> list[str]:
    """Return the columns whose distributions can be compared: of those that were encoded hardly a value comes twice."""
    return [name for name, kind in kinds.items() if kind != "encoded"]


def columns_for_summary(column: pd.Series, kinds: Mapping[str, ColumnKind]) -> dict[str, SummaryColumn]:
    """Return a column as a summary sees it, by its name; one of two numbers in a cell is two.

    Args:
        column: of a table.
        kinds: of all its columns.
    """
    name = str(column.name)
    if kinds[name] != "pair":
        return {name: _for_summary(column, kinds[name])}
    parts = [feature_name(name, part, kinds) for part in PAIR_PARTS]
    both = pair_numbers(column).T
    return {part: SummaryColumn("number", values) for part, values in zip(parts, both, strict=True)}


def _for_summary(column: pd.Series, kind: ColumnKind) -> SummaryColumn:
    if kind == "category":
        known = column.dropna()
        return SummaryColumn("category", class_texts(known).tolist(), len(column) - len(known))
    numbers = days_since_1970(column) if kind == "date" else _numbers(column)
    if kind != "boolean":
        return SummaryColumn("number", numbers)
    flags = numbers[~np.isnan(numbers)]
    return SummaryColumn(
        "category", [class_text(value) for value in flags.tolist()], len(column) - len(flags)
    )


def _numbers(column: pd.Series) -> np.ndarray:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isinf(numbers), np.nan, numbers)


def summarize_images(pixels: np.ndarray, white: int = 255) -> dict[str, Any]:
    """Return the summary of images: brightness, contrast, that of each color, and the brightness of a grid of cells.

    Args:
        pixels: (n, height, width) or (n, height, width, 3), 0 to white.
        white: the value of a white pixel.
    """
    columns = {name: summarize_numbers(values) for name, values in image_features(pixels, white).items()}
    return {"rows": len(pixels), "columns": columns}


def image_features(pixels: np.ndarray, white: int = 255) -> dict[str, np.ndarray]:
    """Return the features by which images are compared, each (n,) from 0 to 1."""
    gray, colors = np.asarray(pixels, dtype=np.float32) / np.float32(white), {}
    if gray.ndim == 4:
        colors = dict(zip(COLORS, gray.mean((1, 2)).T, strict=True))
        gray = gray.mean(-1)
    found = {"brightness": gray.mean((1, 2)), "contrast": gray.std((1, 2)), **colors}
    bands = np.array_split(gray, min(IMAGE_CELLS, gray.shape[1]), axis=1)
    for row, band in enumerate(bands):
        for column, cell in enumerate(np.array_split(band, min(IMAGE_CELLS, gray.shape[2]), axis=2)):
            found[f"cell_{row}_{column}"] = cell.mean((1, 2))
    return {name: values.astype(np.float64) for name, values in found.items()}
