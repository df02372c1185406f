"""The cells of a file: all at once for training, or in parts for a file that may be larger than the memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.reading.files.containers import contents_of
from layerwise.data.reading.files.file_format import FileFormat
from layerwise.data.reading.files.headers import Header, make_header, recognize_layout
from layerwise.data.reading.files.records import Dialect, Record, read_records
from layerwise.data.reading.files.text import UNKNOWN_BYTE, Source, encoding_of, name_of, open_text

if TYPE_CHECKING:
    import pandas as pd

TOTAL_ROW = "the row is a total of other rows"
TOTALS = frozenset(
    (
        "total",
        "totals",
        "grand total",
        "sum",
        "summe",
        "gesamt",
        "gesamtsumme",
        "insgesamt",
        "somme",
        "suma",
        "totale",
    )
)


class TooLargeError(DataError):
    """A table has more rows or columns than its reader takes."""


class Limits(NamedTuple):
    """How many rows, columns and cells are read of a text from a stranger."""

    rows: int
    columns: int
    cells: int


@dataclass
class TextTable:
    """Rows of a file before their cells mean anything.

    Args:
        cells: a column for each name of the header; of a text file `str` as it stands, without the blanks around it,
            "" where a cell is empty; of Parquet and Excel files the values that they hold.
        line_numbers: (n,) the line of each row in the file, from 1; of a Parquet file the number of the row.
        lines: the rows as lines of a CSV file, without their ends: as they stand where the file is one. Where they
            were not asked for, none.
        malformed: what is wrong with each row that cannot be cut into the header's cells, by its position; its cells
            are empty.
        file_format: how the file was read.
        source: the file.
        sha256: of the file, where it is known.
        header: the names of the cells of `lines`, "" for a column without a name, which `cells` leaves out.
        notes: what was done to the cells, in sentences.
    """

    cells: pd.DataFrame
    line_numbers: np.ndarray
    lines: list[str] = field(default_factory=list)
    malformed: dict[int, str] = field(default_factory=dict)
    file_format: FileFormat = field(default_factory=FileFormat)
    source: str = ""
    sha256: str = ""
    header: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.cells)

    def select(self, rows: np.ndarray) -> TextTable:
        """Return some of the rows, by their positions."""
        return replace(
            self,
            cells=self.cells.iloc[rows].reset_index(drop=True),
            line_numbers=self.line_numbers[rows],
            lines=[self.lines[k] for k in rows] if self.lines else [],
            malformed={
                new: self.malformed[old] for new, old in enumerate(rows.tolist()) if old in self.malformed
            },
        )


def read_text_table(source: Source, file_format: FileFormat, limits: Limits | None = None) -> TextTable:
    """Return all rows of a file, without a copy of its lines.

    Args:
        source: the file, or the bytes of a text.
        file_format: how it is read.
        limits: what is read of a text; None for all.

    Raises:
        DataError: the file is cut off, has a column twice, or no column with a name.
        TooLargeError: the text has more than the limits.
    """
    (found,) = _iterate(source, file_format, None, keep_lines=False, limits=limits)
    return found


def iter_text_tables(source: Source, file_format: FileFormat, chunk_rows: int) -> Iterator[TextTable]:
    """Yield the rows of a file in parts; one without rows gives one part without rows.

    Args:
        source: the file, or the bytes of a text.
        file_format: how it is read.
        chunk_rows: rows of a part.

    Raises:
        DataError: the file is cut off, has a column twice, or no column with a name.
    """
    yield from _iterate(source, file_format, chunk_rows, keep_lines=True)


def read_header(source: Source, file_format: FileFormat) -> list[str]:
    """Return the names of a file's columns; those without a name are none."""
    first = next(_iterate(source, file_format, 1, keep_lines=False))
    return [str(name) for name in first.cells]


def _iterate(
    source: Source,
    file_format: FileFormat,
    chunk_rows: int | None,
    *,
    keep_lines: bool,
    limits: Limits | None = None,
) -> Iterator[TextTable]:
    contents = "text" if isinstance(source, bytes) else contents_of(source)
    if contents != "text":
        from layerwise.data.reading.files.typed_files import iter_typed_tables

        assert isinstance(source, Path)
        for cells, line_numbers in iter_typed_tables(source, contents, file_format, chunk_rows):
            yield TextTable(
                cells,
                line_numbers,
                _typed_lines(cells) if keep_lines else [],
                _typed_faults(cells),
                file_format,
                name_of(source),
                header=tuple(map(str, cells)),
            )
        return
    encoding = encoding_of(source, file_format)
    layout = recognize_layout(source, encoding, file_format)
    dialect = Dialect(layout.separator, file_format.quote)
    with open_text(source, encoding) as text:
        skipped = sum(1 for _ in islice(text, layout.skip_lines))
        records = read_records(text, dialect, skipped + 1)
        first = next(records, None)
        if first is None or first.reason:
            reason = "it has no lines" if first is None else f"line {first.line}: {first.reason}"
            raise DataError(f"{name_of(source)} has no header that can be read: {reason}")
        if limits is not None:
            _check_columns(len(first.cells), limits)
        header = make_header(first.cells, name_of(source))
        rows = list(islice(records, chunk_rows if limits is None else limits.rows + 1))
        if limits is not None:
            _check_rows(len(rows), len(header.names), limits)
        while True:
            yield _make_table(rows, header, dialect if keep_lines else None, file_format, name_of(source))
            rows = list(islice(records, chunk_rows)) if chunk_rows else []
            if not rows:
                return


def _check_columns(n_columns: int, limits: Limits) -> None:
    if n_columns > limits.columns:
        raise TooLargeError(f"{n_columns:,} columns are too many; send at most {limits.columns:,}")


def _check_rows(n_rows: int, n_columns: int, limits: Limits) -> None:
    if n_rows > limits.rows:
        raise TooLargeError(f"the rows are too many for one request; send at most {limits.rows:,}")
    if n_rows * n_columns > limits.cells:
        raise TooLargeError(f"{n_rows:,} rows of {n_columns:,} columns are too many")


def _typed_lines(cells: pd.DataFrame) -> list[str]:
    text = cells.astype(object).where(cells.notna(), "")
    return [format_csv_line(map(str, row)) for row in text.itertuples(index=False, name=None)]


def _typed_faults(cells: pd.DataFrame) -> dict[int, str]:
    """Return the rows that are totals of others."""
    n = cells.shape[1]
    mostly_empty = np.flatnonzero(cells.isna().sum(axis=1).to_numpy() * 2 >= n - 1)
    texts = (
        ["" if value != value or value is None else str(value) for value in cells.iloc[k]]
        for k in mostly_empty
    )
    return {int(k): TOTAL_ROW for k, each in zip(mostly_empty, texts, strict=True) if _is_total(each)}


def _make_table(
    records: list[Record], header: Header, dialect: Dialect | None, file_format: FileFormat, name: str
) -> TextTable:
    """Return records as a table; its lines are kept where the dialect is given that they are written in."""
    import pandas as pd

    n = len(header.names)
    empty = [""] * n
    rows, lines, malformed = [], [], {}
    for k, record in enumerate(records):
        reason = record.reason or _fault(record, n)
        if reason:
            malformed[k] = reason
        rows.append(empty if reason else record.cells)
        if dialect is not None:
            is_csv = dialect == Dialect() and not reason
            lines.append(record.text if is_csv else _as_csv(record, n))
    columns = list(zip(*rows, strict=True)) if rows else [()] * n
    trimmed = {header.names[k]: list(map(str.strip, columns[k])) for k in header.kept}
    blanks = [header.names[k] for k in header.kept if trimmed[header.names[k]] != list(columns[k])]
    notes = []
    if header.unnamed:
        positions = ", ".join(str(k + 1) for k in header.unnamed)
        notes.append(f"column(s) {positions} without a name left out, as row numbers are")
    if blanks:
        notes.append(f"blanks around cells left out: {', '.join(blanks)}")
    if header.blanks:
        notes.append(f"blanks around names left out: {', '.join(header.blanks)}")
    return TextTable(
        pd.DataFrame({each: pd.Series(cells, dtype=object) for each, cells in trimmed.items()}),
        np.fromiter((record.line for record in records), np.int64, len(records)),
        lines,
        malformed,
        file_format,
        name,
        header=tuple(header.names),
        notes=tuple(notes),
    )


def _fault(record: Record, n: int) -> str:
    """Return what is wrong with a row; "" for a right one."""
    cells = record.cells
    if len(cells) != n:
        return f"the row has {len(cells)} cells, and the header {n}"
    if not record.text.isascii():
        unknown = UNKNOWN_BYTE.search(record.text)
        if unknown:
            return f"the row holds the byte 0x{ord(unknown[0]) - 0xDC00:02x}, which the file's encoding does not know"
    return TOTAL_ROW if "" in cells and _is_total(cells) else ""


def _is_total(cells: list[str]) -> bool:
    """Return whether a row begins with a word for totals, and is mostly empty."""
    if 2 * cells.count("") < len(cells) - 1:
        return False
    named = next((cell.strip() for cell in cells if cell.strip()), "")
    return named.rstrip(":").lower() in TOTALS


def _as_csv(record: Record, n: int) -> str:
    """Return a row as a CSV line of n cells; one that cannot be cut stands in the first of them."""
    cells = (record.cells or [record.text]) + [""] * n
    return UNKNOWN_BYTE.sub("\ufffd", format_csv_line(cells[:n]))


def format_csv_line(cells: Iterable[str]) -> str:
    """Return cells as a line of a CSV file, quoted where they need it, without the line's end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
