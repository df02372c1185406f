"""Rows that are made up of what a preprocessor has kept of the training rows: none of these, but like them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.preprocessing import OTHERS
from layerwise.data.preprocessing.columns import PAIR_PARTS, feature_name
from layerwise.data.reading.cells.row_errors import ATTRIBUTE, RowErrors
from layerwise.data.reading.pairs import pair_text
from layerwise.utils import numpy_rng

if TYPE_CHECKING:
    import pandas as pd


def typical_inputs(preprocessor: Any, n: int, seed: int) -> np.ndarray:
    """Return n made-up rows of a table as a network takes them, (n, n_inputs) float32.

    Each column is drawn for itself from its distribution among the training rows, one value of each of n equal parts
    of it in an order by chance (a Latin hypercube: McKay, Beckman & Conover 1979). What goes together in real rows does
    not here. A column of which no distribution is kept has its typical value.

    Args:
        preprocessor: a fitted `TablePreprocessor`.
        n: how many.
        seed: of the order.
    """
    import pandas as pd

    state, rng = preprocessor.state, numpy_rng(seed, "typical")
    summaries = state["summary"]["columns"]
    cells = {}
    for name, kind in state["kinds"].items():
        if kind == "pair":
            parts = [feature_name(name, part, state["kinds"]) for part in PAIR_PARTS]
            drawn = [_draw(summaries.get(part), "number", (rng.permutation(n) + 0.5) / n) for part in parts]
            both = zip(*drawn, strict=True)
            mark = preprocessor.reading.columns[name].mark
            cells[name] = pd.Series(
                [None if a != a or b != b else pair_text(a, b, mark) for a, b in both], dtype="str"
            )
        else:
            cells[name] = _draw(summaries.get(name), kind, (rng.permutation(n) + 0.5) / n)
    frame = pd.DataFrame(cells)
    # It stands for rows that were read: nothing in it is text that may mean something else.
    frame.attrs[ATTRIBUTE] = RowErrors(n)
    with warnings.catch_warnings():
        # Of columns without a distribution, which are empty.
        warnings.simplefilter("ignore")
        found: np.ndarray = preprocessor.inputs(frame)
    return found


def _draw(summary: dict[str, Any] | None, kind: str, at: np.ndarray) -> pd.Series:
    """Return the cells at these quantiles of a column's distribution, its empty cells the first part of it."""
    import pandas as pd

    known = {} if summary is None else _values(summary)
    if summary is None or not known["values"]:
        return pd.Series([None] * len(at), dtype=object)
    missing = summary["missing"]
    rest = np.clip((at - missing) / max(1 - missing, 1e-12), 0, 1)
    chosen = np.searchsorted(known["ends"], rest, side="left").clip(max=len(known["values"]) - 1)
    values = np.asarray(known["values"], dtype=object)[chosen]
    values[at < missing] = None
    if kind == "date":
        days = pd.Series(values, dtype="float64")
        return pd.to_datetime(days, unit="D", origin="unix")
    if kind == "category":
        return pd.Series(values, dtype=object)
    return pd.Series([None if each is None else float(each) for each in values], dtype="float64")


def _values(summary: dict[str, Any]) -> dict[str, list[Any]]:
    """Return a column's values, and up to which part of the distribution each reaches."""
    if summary["kind"] == "number":
        return {"values": summary["points"], "ends": summary["fractions"]}
    parts = {value: part for value, part in summary["fractions"].items() if value != OTHERS}
    ends = np.cumsum(list(parts.values()))
    return {"values": list(parts), "ends": (ends / ends[-1]).tolist() if len(ends) else []}
