"""The kinds of a table's columns, and how each is read as numbers and restored."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.reading.cells import ColumnReading, are_zeros_and_ones, cell_text, shown
from layerwise.data.reading.counted_dates import MICROSECONDS_OF_A_DAY
from layerwise.data.reading.pairs import PAIR_TEXT, SIGNED_MARKS, pair_text
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

# Encoded is a column of many values that became numbers: by its target, or as free text.
ColumnKind = Literal["number", "boolean", "category", "date", "pair", "encoded"]
DATE_PARTS = ("days", "month_sin", "month_cos", "weekday_sin", "weekday_cos", "hour_sin", "hour_cos")
PAIR_PARTS = ("first", "second")
# What several inputs are made of, and what each of them is called.
PARTS: dict[str, tuple[str, ...]] = {"date": DATE_PARTS, "pair": PAIR_PARTS}


def validate_columns(frame: pd.DataFrame, names: tuple[str, ...], what: str) -> None:
    """Raise a DataError that names the first missing column and the nearest one."""
    for name in names:
        if name not in frame:
            raise DataError(f"{what} '{name}' is not in the table{nearest(name, [str(c) for c in frame])}")


def infer_kind(column: pd.Series, reading: ColumnReading | None = None) -> ColumnKind:
    """Return the kind of a column from all its rows: as it was read, or by its type.

    A column of 0 and 1 alone is boolean.
    """
    import pandas as pd

    if reading is not None and reading.kind == "pair":
        return "pair"
    if reading is not None and reading.kind in ("category", "text"):
        return "category"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    if are_zeros_and_ones(column):
        return "boolean"
    return "number" if pd.api.types.is_numeric_dtype(column) else "category"


def as_numbers(column: pd.Series) -> np.ndarray:
    """Return a column as (n,) float64 with NaN where it is empty.

    Raises:
        DataError: a cell holds text or an infinite value; the message names column, row and value.
    """
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    text = np.flatnonzero(np.isnan(numbers) & column.notna().to_numpy())
    if len(text):
        row, value = column.index[text[0]], column.iloc[text[0]]
        raise DataError(f"column '{column.name}' is numeric, but row {row} holds {value!r}")
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise DataError(
            f"column '{column.name}' is infinite in row {column.index[infinite[0]]}; correct or empty that cell"
        )
    return numbers


def days_since_1970(column: pd.Series) -> np.ndarray:
    """Return the days of dates since 1970 in UTC, (n,) float64; fractions are the time of day, NaN is an empty cell.

    Raises:
        DataError: the column holds no dates.
    """
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(column):
        raise DataError(f"column '{column.name}' holds no dates: {shown(column.iloc[0])}")
    # In NumPy: a Timestamp of pandas may count nanoseconds, which hold no year 1 and no year 9999.
    when = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    microseconds = when.to_numpy(dtype="datetime64[us]")
    days = microseconds.astype(np.int64) / MICROSECONDS_OF_A_DAY
    return np.where(np.isnat(microseconds), np.nan, days)


def expand_date(column: pd.Series, timezone: str = "UTC", hours: bool = False) -> dict[str, np.ndarray]:
    """Return the parts of dates: days since 1970 with the time of day, sine and cosine of month, weekday and hour.

    Args:
        column: dates with or without an offset from UTC; those without are taken as they stand.
        timezone: in which month, weekday and hour of dates with an offset are taken.
        hours: whether the time of day is among the parts.
    """
    local = column if column.dt.tz is None else column.dt.tz_convert(timezone)
    angles = {
        "month": (local.dt.month - 1) / 12,
        "weekday": local.dt.day_of_week / 7,
        "hour": (local.dt.hour + local.dt.minute / 60) / 24,
    }
    parts = {"days": days_since_1970(column)}
    for name, turn in angles.items():
        if name != "hour" or hours:
            angle = 2 * np.pi * turn.to_numpy(np.float64, na_value=np.nan)
            parts |= {f"{name}_sin": np.sin(angle), f"{name}_cos": np.cos(angle)}
    return parts


def restore_date(days: np.ndarray, dtype: str, whole_days: bool) -> pd.Series:
    """Return dates of the original type from days since 1970; text comes back in ISO form."""
    import pandas as pd

    seconds = np.rint(days) * 86400 if whole_days else np.rint(days * 86400)
    stamps = np.where(np.isnan(seconds), 0, seconds).astype("datetime64[s]").astype("datetime64[us]")
    stamps[np.isnan(seconds)] = np.datetime64("NaT", "us")
    when = pd.Series(stamps).dt.tz_localize("UTC")
    if dtype.startswith("datetime64"):
        when = when if "," in dtype else when.dt.tz_localize(None)
        return when.astype(pd.api.types.pandas_dtype(dtype))
    return when.dt.strftime("%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M:%S")


def pair_numbers(column: pd.Series) -> np.ndarray:
    """Return the two numbers of each cell, (n, 2) float64, NaN where it is empty."""
    found = column.astype("str").str.extract(PAIR_TEXT)
    return found.to_numpy(dtype=np.float64, na_value=np.nan)


def restore_pair(numbers: Sequence[np.ndarray], reading: ColumnReading) -> pd.Series:
    """Return cells of two numbers from these, (n,) each, which are whole where all were in training."""
    least = -np.inf if reading.mark in SIGNED_MARKS else 0
    first, second = (np.rint(each) if reading.whole else each for each in np.maximum(numbers, least))
    return join_pair(first, second, reading.mark)


def join_pair(first: Any, second: Any, mark: str) -> pd.Series:
    """Return cells of two numbers, (n,) each, with a mark between them; empty where one is NaN."""
    import pandas as pd

    cells = [None if a != a or b != b else pair_text(a, b, mark) for a, b in zip(first, second, strict=True)]
    return pd.Series(cells, dtype="str")


def restore_type(values: np.ndarray, dtype: str) -> pd.Series:
    """Return values in the column's original type; whole numbers are rounded."""
    import pandas as pd

    if dtype.lower().startswith(("int", "uint")):
        values = np.rint(values.astype(np.float64))
    column = pd.Series(values)
    return column if dtype == "object" else column.astype(pd.api.types.pandas_dtype(dtype))


# A class has the name of its cell, with the same rule for whole numbers.
class_text = cell_text


def class_texts(column: pd.Series) -> pd.Series:
    """Return the name of each cell's class as `class_text` says it; an empty cell stays empty."""
    import pandas as pd

    # Text, which most categories are, is its own name.
    if isinstance(column.dtype, pd.StringDtype):
        return column
    if column.dtype == object:
        return column.map(class_text, na_action="ignore")
    codes, distinct = pd.factorize(column)
    # A missing cell has the code -1.
    names = np.array([*map(class_text, distinct.tolist()), np.nan], dtype=object)
    return pd.Series(names[codes], index=column.index, name=column.name, dtype=object)


def class_names(values: np.ndarray) -> list[str]:
    """Return the names of the distinct classes, in the order of their values: 2 comes before 10."""
    distinct = set(values.tolist())
    try:
        ordered = sorted(distinct)
    except TypeError:  # text and numbers mixed have no common order
        ordered = sorted(distinct, key=str)
    return [class_text(value) for value in ordered]


def scaled_numbers(
    frame: pd.DataFrame,
    kinds: Mapping[str, ColumnKind],
    whole_days: Mapping[str, bool],
    timezone: str = "UTC",
) -> dict[str, np.ndarray]:
    """Return the columns that are scaled: numbers, and the parts of dates.

    Args:
        frame: with the columns that `kinds` names.
        kinds: of the columns.
        whole_days: whether a date column has no times of day.
        timezone: in which the parts of dates are taken.
    """
    numbers: dict[str, np.ndarray] = {}
    for name, kind in kinds.items():
        if kind == "number":
            numbers[name] = as_numbers(frame[name])
        elif kind == "date":
            parts = expand_date(frame[name], timezone, hours=not whole_days[name])
            numbers |= {feature_name(name, part, kinds): values for part, values in parts.items()}
        elif kind == "pair":
            names = (feature_name(name, part, kinds) for part in PAIR_PARTS)
            numbers |= dict(zip(names, pair_numbers(frame[name]).T, strict=True))
    return numbers


def feature_name(column: str, part: str, taken: Collection[str]) -> str:
    """Return the name of an input that is made of a column: `size_missing`, or `size=missing` where that is taken."""
    mark = "_"
    while f"{column}{mark}{part}" in taken:
        mark = "=" if mark == "_" else mark + "="
    return f"{column}{mark}{part}"


def has_whole_days(column: pd.Series) -> bool:
    """Return whether dates have no times of day."""
    days = days_since_1970(column)
    return bool(np.all(days[~np.isnan(days)] % 1 == 0))


def days_of(numbers: dict[str, np.ndarray], date: str, kinds: Collection[str]) -> np.ndarray:
    """Return the known days since 1970 of a date column."""
    days = numbers[feature_name(date, DATE_PARTS[0], kinds)]
    return days[~np.isnan(days)]


def fill_text(frame: pd.DataFrame, modes: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns that `modes` names as text, empty cells filled with the value given there.

    A whole number reads the same whether it is stored as an integer or a float.
    """
    texts = {name: class_texts(frame[name]).fillna(mode).astype(str) for name, mode in modes.items()}
    return frame[[]].assign(**texts)


def flags_of(column: pd.Series, mode: float) -> np.ndarray:
    """Return a boolean column as (n,) 0 and 1, the mode where it is empty; other values are clipped with a warning."""
    flags = as_numbers(column)
    other = ~np.isnan(flags) & (flags != 0) & (flags != 1)
    if other.any():
        warnings.warn(
            f"column '{column.name}' held only 0 and 1 in training, and {int(other.sum())} row(s) hold other values, "
            f"such as {flags[other][0]:g}; they are clipped",
            stacklevel=3,
        )
    return np.where(np.isnan(flags), mode, flags.clip(0, 1))


def validate_no_missing(frame: pd.DataFrame) -> None:
    """Raise a DataError for the first column with an empty cell."""
    for name in frame:
        empty = frame[name].isna()
        if empty.any():
            raise DataError(
                f"column '{name}' is empty in {int(empty.sum())} row(s), first in row {frame.index[empty][0]}; set "
                "preprocessing.missing: impute, or fill the cells"
            )


def to_plain_value(value: Any) -> Any:
    """Return a cell as skops can store it without trust: None, a number, a boolean or text."""
    import pandas as pd

    if pd.isna(value):
        return None
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, bool | int | float) else str(value)
