"""Draw rows until they keep the rules of a table."""

from __future__ import annotations

from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.row_rules.rules import RowRules, ordered_values, texts_of

if TYPE_CHECKING:
    import pandas as pd

# How often rows that break a rule are drawn again, before their cells are changed to keep it.
ROUNDS = 5


def draw_by_rules(
    rules: RowRules,
    draw: Callable[[np.ndarray], pd.DataFrame],
    n: int,
    seed: int,
    given: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return n drawn rows that keep the rules.

    Rows that break one are drawn again, a few times. What then still breaks one is changed: a cell that has to be the
    larger one is raised to the other, and values that never stand together are replaced by some that do, with the same
    value in the first column if there are any. Cells that are given stay, even where they break a rule themselves.

    Args:
        rules: of columns that may be absent.
        draw: returns new rows at each call, one for each of the given positions among the n.
        n: rows.
        seed: of the values that replace others.
        given: (n, columns) bool, which cells are given; None for none.

    Raises:
        DataError: no more rows of a key of their own can be drawn.
    """
    import pandas as pd

    rows = np.arange(n)
    found = draw(rows)
    rules = rules.of_columns([str(name) for name in found])
    if not rules:
        return found
    found = found.set_axis(pd.RangeIndex(n))
    for _ in range(ROUNDS):
        wrong = rules.any_broken(found)
        if not wrong.any():
            return found
        again = draw(np.flatnonzero(wrong)).set_axis(found.index[wrong])
        found = pd.concat([found[~wrong], again]).sort_index().set_axis(found.index)
    free = {str(name): np.ones(n, bool) if given is None else ~given[name].to_numpy() for name in found}
    found = _with_combinations(rules, _in_order(rules, found, free), free, np.random.default_rng(seed))
    for name in rules.unique:
        repeated = int((found[name].duplicated() & found[name].notna()).sum())
        if repeated:
            raise DataError(
                f"{repeated:,} of {n:,} rows that were drawn have the {name} of another, where no two rows may: draw "
                "fewer, or leave the rule out of problem.rules.unique and train anew"
            )
    return found


def _in_order(rules: RowRules, frame: pd.DataFrame, free: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return rows in which columns are raised to those below them, and lowered to given ones above them."""
    below: dict[str, list[str]] = {}
    for low, high in rules.at_most:
        below.setdefault(high, []).append(low)
    order = list(TopologicalSorter(below).static_order())
    changed = {name: frame[name].copy() for name in order}
    for high in order:
        for low in below.get(high, ()):
            _take_over(changed[high], changed[low], free[high], raised=True)
    for high in reversed(order):
        for low in below.get(high, ()):
            _take_over(changed[low], changed[high], free[low], raised=False)
    return frame.assign(**changed)


def _take_over(column: pd.Series, other: pd.Series, free: np.ndarray, raised: bool) -> None:
    """Change free cells that lie on the wrong side of another column's to these; whole numbers stay whole."""
    import pandas as pd

    with np.errstate(invalid="ignore"):
        difference = ordered_values(other) - ordered_values(column)
    wrong = free & (difference > 0 if raised else difference < 0)
    if not wrong.any():
        return
    values = other[wrong]
    if pd.api.types.is_integer_dtype(column) and pd.api.types.is_float_dtype(other):
        values = np.ceil(values) if raised else np.floor(values)
    column[wrong] = values.astype(column.dtype)


def _with_combinations(
    rules: RowRules, frame: pd.DataFrame, free: dict[str, np.ndarray], rng: np.random.Generator
) -> pd.DataFrame:
    """Return rows whose values stand together, as far as free cells allow."""
    for each in rules.combinations:
        known = np.array(each.rows, dtype=object)
        texts = np.array([texts_of(frame[name]) for name in each.columns], dtype=object).T
        changed = {name: frame[name].copy() for name in each.columns}
        for row in np.flatnonzero(~each.has(frame)).tolist():
            fixed = [k for k, name in enumerate(each.columns) if not free[name][row]]
            # What is given stays; else the first column that some combination has this value of.
            for kept in (sorted({*fixed, 0}), fixed):
                fitting = known[(known[:, kept] == texts[row, kept]).all(1)]
                if len(fitting):
                    chosen = fitting[rng.integers(len(fitting))]
                    for k, name in enumerate(each.columns):
                        if free[name][row]:
                            changed[name].iloc[row] = _cell(chosen[k], frame[name])
                    break
        frame = frame.assign(**changed)
    return frame


def _cell(text: str, column: pd.Series) -> Any:
    """Return the cell of a column that reads as the text."""
    import pandas as pd

    if not text:
        return None
    if pd.api.types.is_bool_dtype(column):
        return text == "True"
    return float(text) if pd.api.types.is_numeric_dtype(column) else text
