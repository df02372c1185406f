"""The cells of a file: all at once for training, or in parts for a file that may be larger than the memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.reading.cells.affixes import trim
from layerwise.data.reading.files.containers import contents_of
from layerwise.data.reading.files.file_format import Contents, FileFormat
from layerwise.data.reading.files.header_rows import join_names, names_in
from layerwise.data.reading.files.table import (
    TextTable,
    notes_on,
    repeats_header,
    table_of_records,
    typed_faults,
    typed_lines,
)
from layerwise.data.reading.files.text.first_line import uncommented
from layerwise.data.reading.files.text.headers import Header, make_header, recognize_layout
from layerwise.data.reading.files.text.lines import UNKNOWN_BYTE, Source, encoding_of, name_of, open_text
from layerwise.data.reading.files.text.plain import NumberColumns, read_plain
from layerwise.data.reading.files.text.records import Dialect, Record, read_block, read_records

PART_LINES = 20_000
# Among which the first row of a text is looked for.
PEEKED_LINES = 100


class TooLargeError(DataError):
    """A table has more rows or columns than its reader takes."""


class Limits(NamedTuple):
    """How many rows, columns and cells are read of a text from a stranger."""

    rows: int
    columns: int
    cells: int


def read_text_table(
    source: Source,
    file_format: FileFormat,
    limits: Limits | None = None,
    numbers: NumberColumns | None = None,
) -> TextTable:
    """Return all rows of a file, without a copy of its lines.

    Args:
        source: the file, or the bytes of a text.
        file_format: how it is read.
        limits: what is read of a text; None for all.
        numbers: columns of text that become numbers at once where all of their cells are; None for no column.

    Raises:
        DataError: the file is cut off, has a column twice, or no column with a name.
        TooLargeError: the text has more than the limits.
    """
    if limits is not None:
        return _Reader(source, file_format, keep_lines=False).bounded(limits)
    if numbers is None:
        return _joined(list(_Reader(source, file_format, keep_lines=False).parts(None)))
    while True:
        parts = list(_Reader(source, file_format, keep_lines=False, numbers=numbers).parts(PART_LINES))
        mixed = _columns_of_both(parts)
        if not mixed:
            return _joined(parts)
        numbers = numbers._replace(text=numbers.text | mixed)


def _columns_of_both(parts: list[TextTable]) -> frozenset[str]:
    """Return the columns that are numbers in one part and text in another one: all of it is text then."""
    kinds: dict[str, set[bool]] = {}
    for part in parts:
        for name, kind in part.cells.dtypes.items():
            kinds.setdefault(str(name), set()).add(kind.kind == "O")
    return frozenset(name for name, found in kinds.items() if len(found) > 1)


def _joined(parts: list[TextTable]) -> TextTable:
    import pandas as pd

    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    return replace(
        parts[0],
        cells=pd.concat([part.cells for part in parts], ignore_index=True),
        line_numbers=np.concatenate([part.line_numbers for part in parts]),
        malformed={
            start + k: reason
            for start, part in zip(starts, parts, strict=False)
            for k, reason in part.malformed.items()
        },
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def iter_text_tables(
    source: Source, file_format: FileFormat, chunk_rows: int, numbers: NumberColumns | None = None
) -> Iterator[TextTable]:
    """Yield the rows of a file in parts; one without rows gives one part without rows.

    Args:
        source: the file, or the bytes of a text.
        file_format: how it is read.
        chunk_rows: rows of a part; empty lines count as rows here, and lines of a row that lost a quote do not.
        numbers: columns of text that become numbers at once where all of their cells in a part are; None for no column.

    Raises:
        DataError: the file is cut off, has a column twice, or no column with a name.
    """
    yield from _Reader(source, file_format, keep_lines=True, numbers=numbers).parts(chunk_rows)


def read_header(source: Source, file_format: FileFormat) -> list[str]:
    """Return the names of a file's columns; those without a name are none."""
    first = next(_Reader(source, file_format, keep_lines=False).parts(1))
    return [str(name) for name in first.cells]


class _Reader:
    """The parts of one file.

    Args:
        source: the file, or the bytes of a text.
        file_format: how it is read.
        keep_lines: whether the rows are kept as lines, too.
        numbers: as `read_text_table` takes it.
    """

    def __init__(
        self,
        source: Source,
        file_format: FileFormat,
        *,
        keep_lines: bool,
        numbers: NumberColumns | None = None,
    ) -> None:
        self.source, self.file_format, self.name = source, file_format, name_of(source)
        self.keep_lines, self.numbers = keep_lines, numbers

    def parts(self, chunk_rows: int | None) -> Iterator[TextTable]:
        """Yield the rows in parts of so many; None for all in one."""
        contents = "text" if isinstance(self.source, bytes) else contents_of(self.source)
        if contents != "text":
            yield from self._typed(contents, chunk_rows)
            return
        dialect, skip_lines, encoding = self._layout()
        with open_text(self.source, encoding) as text:
            header, line, text = self._header(text, dialect, skip_lines, None)
            block = list(islice(text, chunk_rows))
            while True:
                table, n_lines = self._part(block, text, dialect, header, line)
                yield table
                line += n_lines
                block = list(islice(text, chunk_rows)) if chunk_rows else []
                if not block:
                    return

    def bounded(self, limits: Limits) -> TextTable:
        """Return all rows of a text, if they are within the limits."""
        dialect, skip_lines, encoding = self._layout()
        with open_text(self.source, encoding) as text:
            header, line, text = self._header(text, dialect, skip_lines, limits)
            n = len(header.names)
            records = list(islice(read_records(text, dialect, line, n), limits.rows + 1))
        if len(records) > limits.rows:
            raise TooLargeError(f"the rows are too many for one request; send at most {limits.rows:,}")
        if len(records) * n > limits.cells:
            raise TooLargeError(f"{len(records):,} rows of {n:,} columns are too many")
        return self._of_records(records, header, dialect)

    def _layout(self) -> tuple[Dialect, int, str]:
        encoding = encoding_of(self.source, self.file_format)
        layout = recognize_layout(self.source, encoding, self.file_format)
        return Dialect(layout.separator, self.file_format.quote), layout.skip_lines, encoding

    def _header(
        self, text: Iterator[str], dialect: Dialect, skip_lines: int, limits: Limits | None
    ) -> tuple[Header, int, Iterator[str]]:
        """Read the header; return it, the number of the line after it, and the lines from there on."""
        line = sum(1 for _ in islice(text, skip_lines)) + 1
        if self.file_format.names:
            top = list(islice(text, PEEKED_LINES))
            record = next(read_records(top, dialect, line), None)
            text = chain(top, text)
            if record is None or not self._names_in(record.cells):
                return make_header(list(self.file_format.names), self.name), line, text
        n_rows = 1
        if self.file_format.header_rows > 1:
            top = list(islice(text, PEEKED_LINES))
            n_rows, text = self._n_header_rows(top, dialect), chain(top, text)
        rows: list[Record] = []
        while len(rows) < n_rows and (block := list(islice(text, 1))):
            records, n_lines = read_block(block, text, dialect, line)
            line, rows = line + n_lines, rows + records
        self._validate_names(rows, limits)
        if n_rows > 1:
            return make_header(join_names([each.cells for each in rows]), self.name), line, text
        return make_header(self._names_in(rows[0].cells) or rows[0].cells, self.name), line, text

    def _n_header_rows(self, top: list[str], dialect: Dialect) -> int:
        n_rows = self.file_format.header_rows
        records = islice(read_records(top, dialect), n_rows)
        return names_in([each.cells for each in records], n_rows, self.file_format.columns)[1]

    def _validate_names(self, rows: list[Record], limits: Limits | None) -> None:
        """Refuse rows of names that are none, or more names than the limits have."""
        if not rows or any(each.reason for each in rows):
            faulty = next((each for each in rows if each.reason), None)
            reason = "it has no lines" if faulty is None else f"line {faulty.line}: {faulty.reason}"
            raise DataError(f"{self.name} has no header that can be read: {reason}")
        for each in rows:
            unknown = None if each.text.isascii() else UNKNOWN_BYTE.search(each.text)
            if unknown:
                raise DataError(
                    f"{self.name} has the byte 0x{ord(unknown[0]) - 0xDC00:02x} in its header, which its encoding "
                    "does not know; save it as UTF-8"
                )
            if limits is not None and len(each.cells) > limits.columns:
                raise TooLargeError(
                    f"{len(each.cells):,} columns are too many; send at most {limits.columns:,}"
                )

    def _names_in(self, cells: list[str]) -> list[str]:
        """Return the cells of the first line that hold the names which are set; none where it does not."""
        given = set(self.file_format.names)
        both = (uncommented(cells), cells)
        return next((each for each in both if given and given <= {trim(cell) for cell in each}), [])

    def _part(
        self, block: list[str], text: Iterator[str], dialect: Dialect, header: Header, line: int
    ) -> tuple[TextTable, int]:
        """Return lines as a table, and how many of the text they were: the last row may go on behind them."""
        if self.numbers is not None:
            found = self._plain(block, dialect, header, line)
            if found is not None:
                return found, len(block)
        records, n_lines = read_block(block, text, dialect, line, len(header.names))
        return self._of_records(records, header, dialect), n_lines

    def _plain(self, block: list[str], dialect: Dialect, header: Header, line: int) -> TextTable | None:
        lines = list(block)
        while lines and not lines[-1].strip():
            lines.pop()
        assert self.numbers is not None
        cells = read_plain(lines, dialect, header, self.numbers)
        if cells is None or typed_faults(cells) or repeats_header(cells):
            return None
        numbers = np.arange(line, line + len(lines))
        return self._table(cells, numbers, _csv_lines(lines, dialect) if self.keep_lines else [], {}, header)

    def _of_records(self, records: list[Record], header: Header, dialect: Dialect) -> TextTable:
        return table_of_records(
            records, header, dialect if self.keep_lines else None, self.file_format, self.name
        )

    def _table(
        self, cells: Any, numbers: np.ndarray, lines: list[str], malformed: dict[int, str], header: Header
    ) -> TextTable:
        return TextTable(
            cells, numbers, lines, malformed, self.file_format, self.name,
            header=tuple(header.names), notes=notes_on(header),
        )  # fmt: skip

    def _typed(self, contents: Contents, chunk_rows: int | None) -> Iterator[TextTable]:
        from layerwise.data.reading.files.typed.tables import iter_typed_tables

        assert isinstance(self.source, Path)
        for cells, numbers in iter_typed_tables(self.source, contents, self.file_format, chunk_rows):
            names = [str(name) for name in cells]
            header = Header(names, list(range(len(names))), [])
            lines = typed_lines(cells) if self.keep_lines else []
            yield self._table(cells, numbers, lines, typed_faults(cells), header)


def _csv_lines(lines: list[str], dialect: Dialect) -> list[str]:
    """Return lines without a quote as lines of a CSV file, without their ends."""
    if dialect == Dialect():
        return [line.rstrip("\r\n") for line in lines]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(dialect.reader(lines))
    return written.getvalue().split("\n")[:-1]
