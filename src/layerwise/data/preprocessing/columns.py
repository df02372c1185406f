"""The kinds of a table's columns, and how each is read as numbers and restored."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from layerwise.data.errors import DataError
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

ColumnKind = Literal["number", "boolean", "category", "date"]
ISO_DATE = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?"
DATE_PARTS = ("days", "month_sin", "month_cos", "weekday_sin", "weekday_cos")


def validate_columns(frame: pd.DataFrame, names: tuple[str, ...], what: str) -> None:
    """Raise a DataError that names the first missing column and the nearest one."""
    for name in names:
        if name not in frame:
            raise DataError(f"{what} '{name}' is not in the table{nearest(name, [str(c) for c in frame])}")


def infer_kind(column: pd.Series) -> ColumnKind:
    """Return the kind of a column from its training rows: by its type, or by what all its text reads as.

    A column of 0 and 1 alone is boolean. Text that is mostly numbers is a numeric column with a fault in it.

    Raises:
        DataError: more than half of the values are numbers and the rest are not.
    """
    import pandas as pd

    present = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    if pd.api.types.is_bool_dtype(column) or set(present.unique()) <= {True, False}:
        return "boolean"
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    bad = pd.to_numeric(present, errors="coerce").isna()
    if not bad.any():
        return "number"
    if bad.sum() < 0.5 * len(present):
        raise DataError(
            f"column '{column.name}' is numeric but for {int(bad.sum())} cell(s): row "
            f"{present.index[bad][0]} holds {present[bad].iloc[0]!r}; correct it, or add the column "
            "to problem.drop"
        )
    return "date" if present.astype(str).str.fullmatch(ISO_DATE).all() else "category"


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


def parse_dates(column: pd.Series) -> pd.Series:
    """Return the dates of a column as UTC, NaT where a cell is empty or no date."""
    import pandas as pd

    present = column.dropna()
    if pd.api.types.is_numeric_dtype(column):
        column = column.astype("Int64").astype(object).map(str, na_action="ignore")
    elif not pd.api.types.is_datetime64_any_dtype(column):
        column = column.astype(object).map(str, na_action="ignore")
    iso = present.astype(str).str.fullmatch(ISO_DATE).all()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Could not infer format")
        return pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601" if iso else None)


def expand_date(column: pd.Series) -> dict[str, np.ndarray]:
    """Return days since 1970 (UTC, fractions are the time of day), sine and cosine of month and of weekday.

    Raises:
        DataError: a cell holds something that is no date.
    """
    import pandas as pd

    when = parse_dates(column)
    bad = np.flatnonzero(when.isna() & column.notna())
    if len(bad):
        row, value = column.index[bad[0]], column.iloc[bad[0]]
        raise DataError(f"column '{column.name}' holds dates, but row {row} holds {value!r}")
    days = (when - pd.Timestamp(0, tz="UTC")).dt.total_seconds() / 86400
    month = 2 * np.pi * (when.dt.month - 1) / 12
    weekday = 2 * np.pi * when.dt.day_of_week / 7
    values = (days, np.sin(month), np.cos(month), np.sin(weekday), np.cos(weekday))
    return {
        f"{column.name}_{part}": np.asarray(value, dtype=np.float64)
        for part, value in zip(DATE_PARTS, values, strict=True)
    }


def restore_date(days: np.ndarray, dtype: str, whole_days: bool) -> pd.Series:
    """Return dates of the original type from days since 1970; text comes back in ISO form."""
    import pandas as pd

    seconds = np.rint(days) * 86400 if whole_days else np.rint(days * 86400)
    when = pd.Series(pd.to_datetime(seconds, unit="s", utc=True))
    if dtype.startswith("datetime64"):
        when = when if "," in dtype else when.dt.tz_localize(None)
        return when.astype(pd.api.types.pandas_dtype(dtype))
    return when.dt.strftime("%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M:%S")


def restore_type(values: np.ndarray, dtype: str) -> pd.Series:
    """Return values in the column's original type; whole numbers are rounded."""
    import pandas as pd

    if dtype.lower().startswith(("int", "uint")):
        values = np.rint(values.astype(np.float64))
    column = pd.Series(values)
    return column if dtype == "object" else column.astype(pd.api.types.pandas_dtype(dtype))


def class_text(value: object) -> str:
    """Return a class's name; a whole number reads the same whether it is stored as an integer or a float."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def class_names(values: np.ndarray) -> list[str]:
    """Return the names of the distinct classes, in the order of their values: 2 comes before 10."""
    distinct = set(values.tolist())
    try:
        ordered = sorted(distinct)
    except TypeError:  # text and numbers mixed have no common order
        ordered = sorted(distinct, key=str)
    return [class_text(value) for value in ordered]


def scaled_numbers(frame: pd.DataFrame, kinds: Mapping[str, ColumnKind]) -> dict[str, np.ndarray]:
    """Return the columns that are scaled: numbers, and the parts of dates."""
    numbers: dict[str, np.ndarray] = {}
    for name, kind in kinds.items():
        if kind == "number":
            numbers[name] = as_numbers(frame[name])
        elif kind == "date":
            numbers |= expand_date(frame[name])
    return numbers


def days_of(numbers: dict[str, np.ndarray], date: str) -> np.ndarray:
    """Return the known days since 1970 of a date column."""
    days = numbers[f"{date}_{DATE_PARTS[0]}"]
    return days[~np.isnan(days)]


def fill_text(frame: pd.DataFrame, modes: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns that `modes` names as text, empty cells filled with the value given there.

    A whole number reads the same whether it is stored as an integer or a float.
    """
    columns = {name: frame[name].astype(object) for name in modes}
    texts = {
        name: column.where(column.notna(), modes[name]).map(class_text).astype(str)
        for name, column in columns.items()
    }
    return frame[[]].assign(**texts)


def validate_no_missing(frame: pd.DataFrame) -> None:
    """Raise a DataError for the first column with an empty cell."""
    for name in frame:
        empty = frame[name].isna()
        if empty.any():
            raise DataError(
                f"column '{name}' is empty in {int(empty.sum())} row(s), first in row "
                f"{frame.index[empty][0]}; set "
                "preprocessing.missing: impute, or fill the cells"
            )


def to_plain_value(value: Any) -> Any:
    """Return a cell as skops can store it without trust: None, a number, a boolean or text."""
    import pandas as pd

    if pd.isna(value):
        return None
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, bool | int | float) else str(value)
