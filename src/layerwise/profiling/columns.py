"""What each column of a table holds, and what is suspicious about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from layerwise.data.preprocessing import ID_FRACTION, MIN_DISTINCT, is_named_as_id
from layerwise.data.reading import SuggestedSetting, yaml_line
from layerwise.data.reading.cells import parse_dates, unit_of
from layerwise.data.reading.counted_dates import (
    MIN_DAYS,
    WHAT_IS_COUNTED,
    counts_of,
    dates_of_counts,
    is_instant,
    likely_counts,
)

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.data.reading.cells import Reading

Role = Literal["input", "identifier", "free text", "many values", "constant", "empty", "date"]

MIN_ROWS = 10
# Training rows of a split by the defaults; how near to the rule of a run it may go either way.
TRAINING_FRACTION, NEAR = 0.72, 0.03
MANY_VALUES = 50
EXACT_FLOAT = 1e15
COMPACT, COMPACT_DATE = "%Y%m%d", re.compile(r"(19|20)\d{6}")
WORDS_OF_TEXT = 3
# What a column of dates is called.
DATE_NAME = re.compile(
    r"(^|[\W_])(dates?|datum|day|days|tag|jour|fecha|giorno|dob|birth(day|date)?|geburt\w*|when|wann|timestamp|on|at|am)$"
    r"|date$|datum$|^(date|datum|fecha|when|wann)([\W_]|$)",
    re.IGNORECASE,
)
DATE_NAME_CASED = re.compile(r"[a-z](Date|Day|Datum|At|On)$")
MAX_EXAMPLES, EXAMPLE_LENGTH = 3, 40
BINS = 16
# Fewer different numbers than this are often a rank or a score of everyone; and what such a column is called.
MIN_PERMUTED, RANKED = 50, re.compile(r"rank|rang|place|platz|position|order|score", re.IGNORECASE)
# What separates several values in a cell, and in how many different lists at least their parts come again.
LIST_MARKS, MIN_LISTS = (";", "|", ","), 8


@dataclass(frozen=True)
class ColumnProfile:
    """One column.

    Args:
        name: of the column.
        kind: how its cells are read: number, boolean, category, date, text, pair.
        role: what it is good for.
        n_rows, n_missing, n_distinct: rows, rows without a value, different values.
        examples: some of its values; the most frequent ones of a category.
        range: the smallest and the largest number or date, as text.
        histogram: rows in bins of equal width, of numbers and dates.
        note: what is suspicious, empty for nothing.
        better_kind: as what its cells are read better, if the user wants it; empty for nothing.
    """

    name: str
    kind: str
    role: Role
    n_rows: int
    n_missing: int
    n_distinct: int
    examples: tuple[str, ...]
    range: tuple[str, str] | None = None
    histogram: tuple[int, ...] = ()
    note: str = ""
    better_kind: str = ""


def profile_columns(frame: pd.DataFrame, reading: Reading, cells: pd.DataFrame) -> list[ColumnProfile]:
    """Return what each column holds.

    Args:
        frame: the values of the rows.
        reading: how each column is read.
        cells: what the values were read from, of which booleans show their own words.
    """
    kinds = {name: each.kind for name, each in reading.columns.items()}
    found = [_profile(frame[name], kinds.get(str(name), "category")) for name in frame]
    return [
        replace(each, examples=_most_frequent(cells[each.name]))
        if each.kind == "boolean" and each.name in cells
        else each
        for each in found
    ]


def _most_frequent(cells: pd.Series) -> tuple[str, ...]:
    """Return the most frequent cells that are not empty."""
    texts = cells.dropna().astype(str)
    return tuple(map(_shown, texts[texts != ""].value_counts().index[:MAX_EXAMPLES]))


def _profile(column: pd.Series, kind: str) -> ColumnProfile:
    present = column.dropna()
    counts = present.value_counts()
    role, note = _role(str(column.name), present, len(column), len(counts), kind)
    span, histogram = None, ()
    if kind in ("number", "date") and len(counts) > 1:
        values = present.astype("int64") if kind == "date" else present
        numbers = values.to_numpy(dtype=np.float64)
        histogram = tuple(np.histogram(numbers, bins=BINS)[0].tolist())
        low, high = present.min(), present.max()
        span = (f"{low:%Y-%m-%d}", f"{high:%Y-%m-%d}") if kind == "date" else (_plain(low), _plain(high))
    examples = counts.index if kind in ("category", "boolean") else present
    shown = tuple(_shown(value) for value in list(examples)[:MAX_EXAMPLES])
    return ColumnProfile(
        str(column.name),
        kind,
        role,
        len(column),
        int(column.isna().sum()),
        len(counts),
        shown,
        span,
        histogram,
        note,
        "text" if role in ("input", "many values") and kind == "category" and _lists(present) else "",
    )


def _role(name: str, present: pd.Series, n_rows: int, n_distinct: int, kind: str) -> tuple[Role, str]:
    if n_distinct == 0:
        return "empty", "it is empty in every row"
    if n_distinct == 1:
        return "constant", f"it holds {_shown(present.iloc[0])} in every row that has a value"
    if kind == "date":
        return "date", ""
    if kind in ("boolean", "pair"):
        return "input", ""
    unique = n_rows >= MIN_ROWS and n_distinct >= ID_FRACTION * len(present) and len(present) >= MIN_ROWS
    named = is_named_as_id(name)
    if kind == "number":
        whole = bool((present % 1 == 0).all())
        steps = np.diff(present.to_numpy(dtype=np.float64))
        if unique and whole and (named or bool((steps == 1).all())):
            return "identifier", "it numbers the rows, another value in each"
        if whole and _is_permuted(present) and not RANKED.search(name):
            low, high = _plain(present.min()), _plain(present.max())
            return "identifier", f"it numbers the rows in another order, {low} to {high}, each number once"
        return "input", _counted(name, present)
    texts = present.astype(str)
    words = float(texts.str.count(r"\s+").mean()) + 1
    distinct = texts.drop_duplicates()
    units = _units(distinct)
    parts = units or _of_lists(name, texts)
    # Groups of digits, as telephone numbers have them, are no text.
    if unique and not texts.str.contains(r"[^\W\d_]").any():
        return (
            "identifier",
            f"it names the rows, another text in each{parts or _counted(name, present, '; ')}",
        )
    if words >= WORDS_OF_TEXT and n_distinct > min(MANY_VALUES, 0.5 * len(present)):
        return (
            "free text",
            f"it is free text, {words:.0f} words on average, {n_distinct} of {len(present)} different "
            "(preprocessing.texts)",
        )
    # A run takes no such column for an input either, by its training rows.
    expected = _distinct_in_training(present) if n_distinct > MANY_VALUES else 0.0
    is_left_out = expected >= MIN_DISTINCT
    if (unique and not units) or is_left_out:
        each = "each" if unique else "nearly each"
        return "identifier", f"it names the rows, another text in {each}{parts}"
    if n_distinct > max(MANY_VALUES, 0.2 * len(present)):
        near = ", or an identifier by a run's training rows" if expected >= MIN_DISTINCT - NEAR else ""
        return (
            "many values",
            f"it has {n_distinct} different texts in {len(present)} rows (preprocessing.many_values{near}){parts}",
        )
    return "input", parts.removeprefix("; ")


def _distinct_in_training(present: pd.Series) -> float:
    """Return which fraction of the training rows of a split by the defaults has a value of its own, as expected."""
    counts = present.value_counts().to_numpy()
    return float((1 - (1 - TRAINING_FRACTION) ** counts).sum() / (TRAINING_FRACTION * len(present)))


def _units(distinct: pd.Series) -> str:
    """Return what is to be said of numbers with several units; empty if the cells are none."""
    units = set(map(unit_of, distinct))
    if "" not in units and len(units) > 1 and len(distinct) >= MANY_VALUES:
        shown = ", ".join(sorted(units)[:5])
        return f"; its cells are numbers with several units ({shown}): write them in one, or they are words"
    return ""


def markers_of_numbers(reading: Reading) -> list[SuggestedSetting]:
    """Return the setting for the numbers of each column that stand far from all its others, and often."""
    found = []
    for name, how in reading.columns.items():
        if how.kind == "number" and how.doubtful:
            codes = ", ".join(how.doubtful)
            reason = f"column '{name}': {codes} in cells far from all other values, and often"
            own = {name: [*reading.settings.missing_in.get(name, ()), *how.doubtful]}
            found.append(SuggestedSetting("missing_in", own, reason, f"without {codes}, if it is a value"))
    return found


def is_named_as_date(name: str) -> bool:
    """Return whether a column is called as one of dates is."""
    return bool(DATE_NAME.search(name) or DATE_NAME_CASED.search(name))


def format_of_numbers(texts: list[str]) -> tuple[str, str]:
    """Return the format of distinct numbers that are dates, and what they then are; empty for others."""
    if len(texts) < MIN_DAYS:
        return "", ""
    if (
        all(COMPACT_DATE.fullmatch(text) for text in texts)
        and not np.isnat(parse_dates(texts, [COMPACT])).any()
    ):
        return COMPACT, "a date without marks"
    word = likely_counts(counts_of(texts))
    # Small whole numbers are days since 1970 less often than anything else.
    if word in ("", "unix_days"):
        return "", ""
    return word, f"{str(dates_of_counts(texts[:1], word)[0])[:10]}, of {WHAT_IS_COUNTED[word]},"


def _counted(name: str, present: pd.Series, before: str = "") -> str:
    """Return what is to be said of numbers that may count days or seconds; empty if they can hardly do."""
    is_text = isinstance(present.iloc[0], str)
    counts = counts_of(present.tolist()) if is_text else present.to_numpy(dtype=np.float64)
    word = "" if np.isnan(counts).any() else likely_counts(counts)
    if not word or not (is_instant(word) or is_named_as_date(name)):
        return ""
    shown = present.iloc[0] if is_text else _plain(present.iloc[0])
    line = yaml_line({"dates": {name: [word]}})[1:-1]
    return (
        f"{before}it may be {WHAT_IS_COUNTED[word]} ({shown} is {str(dates_of_counts([shown], word)[0])[:10]}): "
        f"add {line} to problem.reading if its month, weekday or hour matters"
    )


def _is_permuted(numbers: pd.Series) -> bool:
    """Return whether whole numbers are 0 or 1 to their count, each once."""
    n, low = len(numbers), numbers.min()
    return n >= MIN_PERMUTED and low in (0, 1) and numbers.max() == low + n - 1 and bool(numbers.is_unique)


def _lists(present: pd.Series) -> str:
    """Return one of the cells that hold several values each; empty if they do not."""
    distinct = present.astype(str).drop_duplicates()
    for mark in LIST_MARKS:
        cells = [text.split(mark) for text in distinct]
        listed = [cell for cell in cells if len(cell) > 1]
        pool = {part.strip() for cell in cells for part in cell}
        if 2 * len(listed) >= len(cells) and len(listed) >= MIN_LISTS and len(pool) < len(cells):
            return mark.join(listed[0])
    return ""


def _of_lists(name: str, present: pd.Series) -> str:
    """Return what is to be said of cells that hold several values; empty if they do not."""
    if not (shown := _lists(present)):
        return ""
    line = yaml_line({"columns": {name: "text"}})[1:-1]
    return (
        f"; its cells are lists ({_shown(shown)}), each combination a value of its own: "
        f"{line} in problem.reading reads their parts"
    )


def _plain(value: float) -> str:
    """Return a number to six digits, one of millions without a power of ten."""
    return f"{value:.0f}" if 1e6 <= abs(value) < EXACT_FLOAT else f"{value:g}"


def _shown(value: object) -> str:
    text = _plain(value) if isinstance(value, float) else str(value)
    return text if len(text) <= EXAMPLE_LENGTH else f"{text[: EXAMPLE_LENGTH - 1]}…"
