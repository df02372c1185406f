"""The catalog entry for a table in a file: its cells, as the problem's settings of reading cut the file into them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
from kedro.io import DatasetError

from layerwise.data import DataError
from layerwise.data.reading import ReadingSettings
from layerwise.data.sources import sha256_once
from layerwise.datasets.previews import ROWS, TablePreview, table_preview
from layerwise.datasets.sources.base import SourceDataset, source_file
from layerwise.utils import address_of, parameter

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from layerwise.data.reading import TableBlocks

# What settings of problem.reading have taken the place of.
PANDAS_ARGUMENTS = {
    "sep": "separator",
    "delimiter": "separator",
    "decimal": "decimal",
    "thousands": "thousands",
    "encoding": "encoding",
    "quotechar": "quote",
    "na_values": "missing",
    "keep_default_na": "missing",
    "true_values": "true_words",
    "false_values": "false_words",
    "skiprows": "skip_lines",
    "header": "skip_lines",
    "names": "names",
    "sheet_name": "sheet",
    "on_bad_lines": "bad_rows",
    "parse_dates": "dates",
    "date_format": "dates",
    "dtype": "columns",
}
log = logging.getLogger(__name__)


class SourceTable(SourceDataset):
    """The cells of a table in a file, found or downloaded, as a pandas DataFrame.

    The file is text (csv, tsv, ...; also gz, bz2, xz or zip), Parquet or Excel, told by its bytes. Cells of text are
    text, None where they are empty; columns of plain numbers are numbers. The frame's `attrs` hold `source` (the
    file's path), `sha256` (of the file), `separator`, `file_format` (JSON of a `layerwise.data.reading.FileFormat`),
    `line_numbers` (of the rows) and `reading_notes` (what was found on the way, in sentences).

    Args:
        file: the fields of a `layerwise.data.sources.files.SourceFile`.
        reading: how it is read, as `problem.reading`, which is taken where there is none here.
        where: what `SourceDataset` takes.
    """

    def __init__(
        self,
        *,
        file: dict[str, Any],
        reading: dict[str, Any] | None = None,
        load_args: dict[str, Any] | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        if load_args:
            raise DatasetError(_settings_for(load_args))
        self._file = source_file(file)
        self._reading = reading

    def load(self) -> pd.DataFrame | TableBlocks:
        """Return the table, without the rows that cannot be read where `bad_rows` says so.

        With `compute.out_of_core` it stays in its files, and what reads them block by block is returned.

        Raises:
            DatasetError: as `read` does, and with `compute.out_of_core` for a file that is not Parquet.
        """
        return self._blocks() if parameter("compute.out_of_core") else self.read()

    def read(self) -> pd.DataFrame:
        """Return the table, in memory.

        Raises:
            DatasetError: the file is absent, has other bytes, is no table that can be read, or has no rows.
        """
        from layerwise.data.reading import (
            number_columns,
            read_text_table,
            resolve_file_format,
            without_malformed,
        )

        path, settings = self.locate(), self._settings()
        try:
            file_format = resolve_file_format(path, settings)
            dates = parameter("preprocessing.date_columns") or ()
            table = read_text_table(path, file_format, numbers=number_columns(file_format, settings, dates))
            if not len(table):
                raise DataError(f"{path} has a header of {table.cells.shape[1]} columns but no rows")
            table, left_out = without_malformed(table, settings)
        except DataError as error:
            raise DatasetError(f"{error}.") from error
        found = [f"{self._file.name}: {note}" for note in (*file_format.notes, *table.notes)]
        lost = [f"{self._file.name}: {note}" for note in left_out]
        for level, notes in ((logging.INFO, found), (logging.WARNING, lost)):
            for note in notes:
                self._say(log, level, note)
        frame = table.cells.copy(deep=False)
        for name, cells in table.cells.items():
            if cells.dtype == "O":
                frame[name] = cells.mask(cells == "", None)
        frame.attrs.update(
            source=address_of(path),
            sha256=self._file.sha256 or sha256_once(path),
            separator=file_format.separator,
            file_format=file_format.model_dump_json(),
            line_numbers=_line_numbers(table.line_numbers),
            reading_notes=[f"{note.rstrip('.')}." for note in (*found, *lost)],
        )
        return frame

    def _blocks(self) -> TableBlocks:
        from layerwise.data.reading import TableBlocks, resolve_file_format

        path, settings = self.locate(), self._settings()
        try:
            TableBlocks(path, settings).require_parquet()
            file_format = resolve_file_format(path, settings)
        except DataError as error:
            raise DatasetError(f"{error}.") from error
        return TableBlocks(path, settings, address_of(path), self._file.sha256, file_format.model_dump_json())

    def locate(self) -> Path:
        """Return the file's path, found or downloaded; nothing of it is read but its hash.

        Raises:
            DatasetError: the file is absent, or has other bytes.
        """
        return self._locate(self._file)

    def preview(self) -> TablePreview:
        """Return the first rows, for Kedro-Viz; nothing is downloaded for it."""
        from layerwise.data.reading import iter_text_tables, resolve_file_format

        path = self._locate(self._file.model_copy(update={"urls": ()}))
        first = next(iter_text_tables(path, resolve_file_format(path, self._settings()), ROWS))
        return table_preview(list(map(str, first.cells)), first.cells.astype(str).to_numpy().tolist())

    def _settings(self) -> ReadingSettings:
        given = self._reading if self._reading is not None else parameter("problem.reading")
        return ReadingSettings.model_validate(given or {})

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "file": self._file.name}


def _line_numbers(numbers: np.ndarray) -> range | _LineNumbers:
    """Return the lines of rows: where they follow each other, as those of nearly all files do, by their ends alone."""
    first, last = int(numbers[0]), int(numbers[-1])
    follow = last - first == len(numbers) - 1 and bool((np.diff(numbers) == 1).all())
    return range(first, last + 1) if follow else _LineNumbers(numbers.tolist())


class _LineNumbers(list[int]):
    """Numbers that pandas does not copy with every column that is taken from a frame."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _LineNumbers:
        return self


def _settings_for(load_args: dict[str, Any]) -> str:
    """Return the sentence that says by which settings arguments of pandas are replaced."""
    known = [f"{name} by {PANDAS_ARGUMENTS[name]}" for name in load_args if name in PANDAS_ARGUMENTS]
    unknown = [name for name in load_args if name not in PANDAS_ARGUMENTS]
    said = [f"replace {', '.join(known)}"] * bool(known) + [f"leave out {', '.join(unknown)}"] * bool(unknown)
    return (
        "load_args is no longer taken, for what stands there is forgotten by the trained model: problem.reading in "
        f"parameters.yml says how the file is read, at every later door too; {' and '.join(said)}."
    )
