"""The reading of a table: fixed at training, kept in the model, obeyed wherever rows come in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from pydantic import Field

from layerwise.data.errors import DataError
from layerwise.data.reading.cells.columns import ColumnReading
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


def with_tidy_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose column names are text without blanks around them.

    Raises:
        DataError: two columns have one name.
    """
    names = [str(name).strip() for name in frame]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"the column '{twice}' is there twice; rename or leave out one of them")
    return frame if names == list(frame) else frame.set_axis(names, axis=1)
