"""How each column of a table is read, found over all its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from layerwise.data.errors import DataError
from layerwise.data.reading.cells.columns import ColumnReading
from layerwise.data.reading.cells.fit_column import ColumnFitter, PointOrThousandsError
from layerwise.data.reading.cells.reading import Reading, with_tidy_names
from layerwise.data.reading.settings import CellKind, ReadingSettings
from layerwise.data.reading.suggestions import SuggestedSetting, UnreadableError
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd


def fit_reading(
    cells: pd.DataFrame,
    settings: ReadingSettings | None = None,
    classes: Collection[str] = (),
    drop: Collection[str] = (),
    kinds: Mapping[str, CellKind] | None = None,
    separator: str = ",",
) -> Reading:
    """Return how each column is read, found over all rows.

    Args:
        cells: text as it stands in the file, or typed values.
        settings: of the problem.
        classes: columns of class names, which are never understood as anything else.
        drop: columns that are no inputs: nothing about them stops the run.
        kinds: what columns hold by other settings, after those of `settings.columns`.
        separator: of the file; with a semicolon a decimal comma is likelier.

    Raises:
        UnreadableError: columns are ambiguous, or hold many cells that are not of their kind; the message names them
            all, each with the line that settles it.
        DataError: the settings name a column that is not there.
    """
    settings = settings or ReadingSettings()
    cells = with_tidy_names(cells)
    stated: dict[str, CellKind] = {
        **(kinds or {}),
        **dict.fromkeys(settings.dates, "date"),
        **settings.columns,
    }
    _require_columns([*stated, *settings.ignore_case, *settings.percent, *settings.missing_in], cells)
    columns: dict[str, ColumnReading] = {}
    problems: dict[str, str] = {}
    suggestions: list[SuggestedSetting] = []

    def fit(name: str, point: bool | None, given: ReadingSettings = settings) -> None:
        fitter = ColumnFitter(name, cells[name], given, stated.get(name), name in classes)
        try:
            columns[name] = fitter.fit(point)
        except PointOrThousandsError:
            waiting.append(name)
        except UnreadableError as error:
            if name in drop:
                columns[name] = ColumnReading(kind="category", dtype="str")
            else:
                problems[name] = str(error)
                suggestions.extend(error.suggestions)

    waiting: list[str] = []
    for name in map(str, cells):
        fit(name, None)
    numbers = {name: each.number.decimal for name, each in columns.items() if each.kind == "number"}
    points = any(_has(".", cells[name]) for name, decimal in numbers.items() if decimal == ".")
    commas = "," in numbers.values()
    for name in list(waiting):
        is_comma = commas and _has(",", cells[name])
        fit(
            name,
            not commas and (points or separator != ";"),
            settings.model_copy(update={"decimal": ","}) if is_comma else settings,
        )
    if problems:
        raise UnreadableError("; ".join(problems.values()), suggestions, list(problems))
    return Reading(settings=settings, columns={name: columns[name] for name in map(str, cells)})


def _require_columns(names: Iterable[str], cells: pd.DataFrame) -> None:
    for name in names:
        if name not in cells:
            raise DataError(
                f"problem.reading: column '{name}' is not in the table{nearest(name, [str(each) for each in cells])}"
            )


def _has(mark: str, column: pd.Series) -> bool:
    return column.dtype.kind == "O" and any(isinstance(cell, str) and mark in cell for cell in column)
