"""Validation of raw rows: which ones a trained network cannot predict, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.data_spec import DataSpec
from layerwise.data.errors import DataError
from layerwise.data.preprocessing import LabelledPreprocessor, class_texts
from layerwise.data.preprocessing.columns import PAIR_PARTS, days_since_1970, feature_name, pair_numbers
from layerwise.data.reading.cells import RowErrors, row_errors_of, shown
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

MAX_NAMED = 6
# A number that lies this many ranges outside of the training range is an error; heavy tails reach far too.
MAX_RANGE_FACTOR = 10


def validate_all_columns(frame: pd.DataFrame, names: list[str], what: str = "input column") -> None:
    """Raise one DataError that names every missing column, and the nearest one that is there."""
    missing = [name for name in names if name not in frame]
    if missing:
        there = [str(name) for name in frame]
        hints = [nearest(name, there) for name in missing[:20]]
        parts = [
            f"'{name}'{hint if hint.startswith('; did') else ''}"
            for name, hint in zip(missing, [*hints, *[""] * len(missing)], strict=False)
        ]
        listed = ", ".join(parts[:20]) + (f" and {len(parts) - 20} more" if len(parts) > 20 else "")
        raise DataError(f"missing {what}(s): {listed}")


def validate_rows(
    frame: pd.DataFrame, preprocessor: LabelledPreprocessor, strict: bool = True, ignore_empty: bool = False
) -> np.ndarray:
    """Return what is wrong with each row, (n,) text, empty for a valid row.

    Text in a number column, infinite values and what is no date are always errors. With `strict` so is what no row of
    the training file had in that column: an empty cell, an unknown category, something other than 0 and 1, a negative
    number, or one that lies ten times the range outside of it. Otherwise such cells are imputed, left without a dummy,
    clipped or taken as they are, as `TablePreprocessor.inputs` says; validation and test rows were measured so too.

    Args:
        frame: raw rows; extra and reordered columns are fine.
        preprocessor: a fitted TablePreprocessor.
        strict: whether what training never had is an error.
        ignore_empty: whether an empty cell never is.

    Raises:
        DataError: columns are missing.
    """
    state, frame, unread = preprocessor.state, *_read(frame, preprocessor)
    validate_all_columns(frame, list(state["kinds"]))
    errors = RowErrors(len(frame))
    known = dict(
        zip(state["categories"], state["encoder"].categories_ if state["categories"] else [], strict=True)
    )
    summary = state.get("summary", {}).get("columns", {})
    # What validation and test rows of the same file held.
    beyond = state.get("summary", {}).get("beyond", {})
    may_be_empty: set[str] = set()
    if preprocessor.settings.missing == "impute":
        may_be_empty = {*state["indicators"], *(name for name, more in beyond.items() if more.get("empty"))}
    for name, kind in state["kinds"].items():
        column = frame[name]
        is_error = strict or preprocessor.settings.missing == "refuse"
        if is_error and not ignore_empty and name not in may_be_empty:
            empty = column.isna().to_numpy(copy=True)
            empty[list(unread.cells.get(name, ()))] = False
            errors.add(np.flatnonzero(empty), f"{name} is empty, and never was in training")
        errors.add_cells(name, unread.cells.get(name, {}), counts=True)
        if strict and kind == "category" and name not in state["frequent"]:
            _validate_category(errors, column, known[name], beyond.get(name, {}).get("values", ()))
        elif strict and kind == "boolean":
            _validate_flags(errors, column)
        elif strict and kind == "pair":
            _validate_pair(errors, column, state["kinds"], summary, beyond)
        elif strict and (limits := _range(summary.get(name), beyond.get(name, {}))):
            (_validate_dates if kind == "date" else _validate_numbers)(errors, column, *limits)
    return errors.reasons


def _read(frame: pd.DataFrame, preprocessor: Any) -> tuple[pd.DataFrame, RowErrors]:
    """Return rows as the preprocessor reads them, and the cells that cannot be read."""
    found = row_errors_of(frame)
    if found is None or len(found.reasons) != len(frame):
        frame = preprocessor.read(frame)
    return frame, row_errors_of(frame) or RowErrors(len(frame))


def _range(summary: dict[str, Any] | None, beyond: dict[str, Any]) -> tuple[float, float] | None:
    """Return the smallest and largest number or date among the rows of the training file; None where none is known."""
    if summary is None or not summary.get("points"):
        return None
    low, high = beyond.get("range", (summary["points"][0], summary["points"][-1]))
    return low, high


def _validate_category(
    errors: RowErrors, column: pd.Series, known: np.ndarray, unlearnt: Sequence[str]
) -> None:
    texts = class_texts(column)
    bad = np.flatnonzero((~texts.isin([*known, *unlearnt]) & column.notna()).to_numpy())
    names = ", ".join(str(each) for each in known[:MAX_NAMED]) + (" ..." if len(known) > MAX_NAMED else "")
    errors.add(
        bad,
        [f"{column.name} holds {shown(v)}, which training never saw ({names})" for v in column.iloc[bad]],
    )


def _validate_flags(errors: RowErrors, column: pd.Series) -> None:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    other = np.flatnonzero(~np.isnan(numbers) & (numbers != 0) & (numbers != 1))
    errors.add(other, [f"{column.name} is 0 or 1, and holds {numbers[k]:g}" for k in other])


def _validate_numbers(errors: RowErrors, column: pd.Series, low: float, high: float) -> None:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    negative = np.flatnonzero(numbers < 0) if low >= 0 else np.array([], dtype=int)
    errors.add(negative, [f"{column.name} is {numbers[k]:g}, and was never negative" for k in negative])
    far = _is_far(numbers, low, high)
    far[negative] = False
    where = np.flatnonzero(far)
    errors.add(where, [f"{column.name} is {numbers[k]:g}, far outside of {low:g} to {high:g}" for k in where])


def _validate_pair(
    errors: RowErrors, column: pd.Series, kinds: Any, summary: dict[str, Any], beyond: dict[str, Any]
) -> None:
    import pandas as pd

    for part, numbers in zip(PAIR_PARTS, pair_numbers(column).T, strict=True):
        name = feature_name(str(column.name), part, kinds)
        if limits := _range(summary.get(name), beyond.get(name, {})):
            _validate_numbers(errors, pd.Series(numbers, name=f"the {part} number of {column.name}"), *limits)


def _validate_dates(errors: RowErrors, column: pd.Series, low: float, high: float) -> None:
    days = days_since_1970(column)
    first, last = (np.datetime64("1970-01-01") + int(day) for day in (low, high))
    where = np.flatnonzero(_is_far(days, low, high))
    errors.add(where, [f"{column.name} is {column.iloc[k]}, far outside of {first} to {last}" for k in where])


def _is_far(numbers: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return which numbers lie ten times the training range outside of it, (n,) bool; NaN does not."""
    width = MAX_RANGE_FACTOR * max(high - low, abs(high), abs(low))
    found: np.ndarray = (numbers < low - width) | (numbers > high + width)
    return found


def parse_targets(frame: pd.DataFrame, data_spec: DataSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return the targets of new rows, and what is wrong with each row whose target is not one of the task's.

    Targets: (n,) class codes for multiclass, otherwise (n, k) float, in the units of the (transformed) target; those of
    invalid rows mean nothing.

    Raises:
        DataError: a target column is missing.
    """
    import pandas as pd

    names = list(data_spec.target_names)
    unread = row_errors_of(frame) or RowErrors(0)
    validate_all_columns(frame, names, "target column")
    errors = RowErrors(len(frame))
    if data_spec.task in ("multiclass", "binary"):
        column = frame[names[0]]
        codes = {name: k for k, name in enumerate(data_spec.class_names)}
        texts = class_texts(column)
        known = texts.map(codes).to_numpy(dtype=np.float64, na_value=np.nan)
        empty = column.isna().to_numpy(copy=True)
        errors.add_cells(names[0], unread.cells.get(names[0], {}), counts=True)
        empty[list(unread.cells.get(names[0], ()))] = False
        errors.add(np.flatnonzero(empty), f"{names[0]} is empty")
        bad = np.flatnonzero(np.isnan(known) & ~empty)
        errors.add(
            bad, [f"{names[0]} holds {shown(v)}, a class training never saw" for v in column.iloc[bad]]
        )
        whole = np.nan_to_num(known).astype(np.int64)
        return (
            whole if data_spec.task == "multiclass" else whole[:, None].astype(np.float64)
        ), errors.reasons
    values = np.column_stack(
        [pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64, na_value=np.nan) for name in names]
    )
    wrong = ~np.isfinite(values)
    if data_spec.task == "multilabel":
        wrong |= ~np.isin(values, (0, 1))
    transform = data_spec.transform
    wrong |= ~transform.defined(values)
    for k, name in enumerate(names):
        bad = np.flatnonzero(wrong[:, k])
        said = unread.cells.get(name, {})
        errors.add(bad, [said.get(int(k), f"{name} is no target: {shown(frame[name].iloc[k])}") for k in bad])
    values = np.where(wrong, 0.0, values)
    return transform.forward(values), errors.reasons


def describe_refused(reasons: np.ndarray) -> str:
    """Return the sentence that says how many rows cannot be predicted, and why the first of them.

    Args:
        reasons: (n,) text, empty for a valid row.
    """
    bad = np.flatnonzero(reasons != "")
    shown = "; ".join(f"row {k}: {reasons[k]}" for k in bad[:5])
    more = f"; and {len(bad) - 5} more" if len(bad) > 5 else ""
    return f"{len(bad)} of {len(reasons)} row(s) cannot be predicted: {shown}{more}"


def validate_images(pixels: np.ndarray, white: int = 255) -> np.ndarray:
    """Return what is wrong with each image, (n,) text: pixels that are not from 0 to white.

    Args:
        pixels: (n, ...) numbers.
        white: the largest value of a pixel.
    """
    errors = RowErrors(len(pixels))
    flat = np.asarray(pixels).reshape(len(pixels), -1)
    if flat.dtype == np.uint8 and white == 255:
        return errors.reasons
    with np.errstate(invalid="ignore"):
        right = ((flat >= 0) & (flat <= white)).all(1)
    errors.add(np.flatnonzero(~right), f"a pixel is not a number from 0 to {white}")
    return errors.reasons
