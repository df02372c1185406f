"""The reading of a table: fixed at training, kept in the model, obeyed wherever rows come in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from layerwise.data.errors import DataError
from layerwise.data.reading.cells.affixes import trim
from layerwise.data.reading.cells.columns import ColumnReading
from layerwise.data.reading.cells.dates import parse_dates, texts_of_dates
from layerwise.data.reading.cells.numbers import NumberFormat
from layerwise.data.reading.cells.row_errors import ATTRIBUTE, RowErrors
from layerwise.data.reading.settings import ReadingSettings
from layerwise.utils import Config

if TYPE_CHECKING:
    import pandas as pd


class Reading(Config):
    """How each column of a table is read.

    Args:
        settings: of the problem.
        columns: by name, blanks around it left out.
    """

    settings: ReadingSettings = ReadingSettings()
    columns: dict[str, ColumnReading] = Field(default_factory=dict)

    def parse(
        self, frame: pd.DataFrame, required: Collection[str] | None = None
    ) -> tuple[pd.DataFrame, RowErrors]:
        """Return the values of cells, text or typed, and what is wrong with each row.

        The table's `attrs` hold the errors too (`row_errors_of`), so that what was read is known as such.

        Each cell is read by itself, never by those around it: a row has the same values alone and among others, in
        any order. A cell that cannot be read is missing, and its row has a reason. Columns that training did not have
        stay as they are.

        Args:
            frame: rows; further and reordered columns are fine.
            required: columns whose faults count; None for all.

        Raises:
            DataError: two columns have one name.
        """
        import pandas as pd

        frame = with_tidy_names(frame)
        errors, values = RowErrors(len(frame)), {}
        for name, column in frame.items():
            reading, faults = self.columns.get(str(name)), dict[int, str]()
            values[name] = column if reading is None else reading.parse(column, faults)
            errors.add_cells(str(name), faults, required is None or name in required)
        found = pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)
        found.attrs = frame.attrs | {ATTRIBUTE: errors}
        return found, errors

    def as_written(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return values as cells like those of the training file, by which `parse` finds the values again.

        Booleans are the file's words; dates, percents, durations and numbers with a decimal comma are written as in the
        file, and whole numbers are whole. Other numbers are numbers, without the file's signs and marks.

        Args:
            frame: values of some columns, dates as such or in ISO form; what is missing stays so.
        """
        found: dict[Any, Any] = {
            name: _as_written(column, reading)
            for name, column in frame.items()
            if (reading := self.columns.get(str(name))) is not None
        }
        return frame.assign(**found)

    @property
    def plain_numbers(self) -> frozenset[str]:
        """The columns of numbers whose text is what `float` takes: they may come as numbers as well."""
        return frozenset(
            name
            for name, each in self.columns.items()
            if each.kind == "number" and each.number == NumberFormat()
        )

    def notes(self, leave_out: Collection[str] = ()) -> list[str]:
        """Return what a user may want to know of the columns, a sentence each, but for some columns."""
        columns = {name: each for name, each in self.columns.items() if name not in leave_out}
        return [f"Column '{name}': {note}." for name, each in columns.items() for note in each.notes]


def _as_written(column: pd.Series, reading: ColumnReading) -> pd.Series:
    if reading.kind == "boolean":
        return _words(column, reading)
    if reading.kind == "date":
        return _dates(column, reading) if reading.text else column
    if reading.kind != "number":
        return column
    if reading.text and reading.number.needs_own_text:
        return column.map(reading.number.text_of, na_action="ignore").astype("str")
    # A model that was saved before `whole` was kept has the type alone.
    return _whole(column) if reading.whole or reading.dtype == "int64" else column


def _words(column: pd.Series, reading: ColumnReading) -> pd.Series:
    """Return a boolean's cells: True and False, the file's other words, or 0 and 1."""
    values = column.astype("float64")
    false, true = reading.words or (("False", "True") if reading.dtype == "bool" else ("0", "1"))
    if (false, true) == ("0", "1"):
        return _whole(values)
    is_plain = (false.lower(), true.lower()) == ("false", "true")
    known = values.dropna() > 0.5
    if is_plain and len(known) == len(values):
        return known
    cells = known.astype(object) if is_plain else known.map({False: false, True: true})
    return cells.reindex(column.index).where(values.notna(), None)


def _whole(column: pd.Series) -> pd.Series:
    """Return numbers as whole ones, if none is missing."""
    values = column.astype("float64").round()
    return values if values.isna().any() else values.astype("int64")


def _dates(column: pd.Series, reading: ColumnReading) -> pd.Series:
    """Return dates as the first of the file's formats that holds all of each writes it."""
    import pandas as pd

    codes, distinct = pd.factorize(column)
    when = pd.to_datetime(pd.Series(distinct), format="ISO8601", utc=True)
    texts = texts_of_dates(when, reading.dates[0])
    for each in reading.dates[1:]:
        lost = parse_dates(texts.tolist(), reading.dates[:1]) != when.dt.tz_localize(None).to_numpy()
        texts = texts.where(~lost, texts_of_dates(when, each))
    cells = np.array([*texts.tolist(), None], dtype=object)  # a missing cell has the code -1
    return pd.Series(cells[codes], index=column.index, name=column.name, dtype="str")


def with_tidy_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose column names are text without blanks around them.

    Raises:
        DataError: two columns have one name.
    """
    names = [trim(str(name)) for name in frame]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"the column '{twice}' is there twice; rename or leave out one of them")
    return frame if names == list(frame) else frame.set_axis(names, axis=1)
