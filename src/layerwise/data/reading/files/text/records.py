"""Lines of text to rows of cells. A row that cannot be read costs itself alone, and is named by its line."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

# A quoted cell may hold line ends; a quote that nobody closed would hold the rest of the file.
MAX_LINES = 500
BLOCK_LINES = 20_000
STRAY_QUOTE = "a quote in the row does not enclose a cell"
TOO_LONG = "a cell of the row is too long"


class Record(NamedTuple):
    """One row: the number of its first line (from 1), the line as it stands, its cells, or why there are none."""

    line: int
    text: str
    cells: list[str]
    reason: str = ""


class Dialect(NamedTuple):
    """How a line is cut into cells."""

    separator: str = ","
    quote: str = '"'

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Return the csv module's reader; it is strict, so that a stray quote is found."""
        return csv.reader(
            lines,
            delimiter=self.separator,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            skipinitialspace=True,
            strict=True,
        )


def read_records(
    lines: Iterable[str], dialect: Dialect, first_line: int = 1, n_cells: int | None = None
) -> Iterator[Record]:
    """Yield the rows of a text; empty lines are none.

    Args:
        lines: of the text, each with its end.
        dialect: how they are cut.
        first_line: the number of the first of them.
        n_cells: of the header; None where it is the first row.
    """
    rest, number = iter(lines), first_line
    while block := list(islice(rest, BLOCK_LINES)):
        records, n_lines = read_block(block, rest, dialect, number, n_cells)
        n_cells = n_cells or next((len(each.cells) for each in records if each.cells), None)
        number += n_lines
        yield from records


def read_block(
    block: list[str], rest: Iterator[str], dialect: Dialect, first_line: int, n_cells: int | None = None
) -> tuple[list[Record], int]:
    """Return the rows of some lines, and how many lines they took: the last row may go on behind them.

    A quote whose cell ends some lines later counts as stray if the row then has another number of cells than the
    header.

    Args:
        block: the lines.
        rest: the lines after them.
        dialect: how they are cut.
        first_line: the number of the first of them.
        n_cells: of the header; None where it is the first row.
    """
    plain = None
    if not dialect.quote or not any(dialect.quote in line for line in block):
        plain = _cut(block, dialect)
    if plain is None:
        source = _Lines(block, rest, first_line)
        return list(_read_quoted(source, dialect, n_cells)), source.number - first_line
    cells_of = enumerate(zip(block, plain, strict=True), first_line)
    return [Record(k, line.rstrip("\r\n"), cells) for k, (line, cells) in cells_of if cells], len(block)


def _cut(block: list[str], dialect: Dialect) -> list[list[str]] | None:
    """Return the cells of lines that hold no quote; None where one of them has to be looked at by itself."""
    try:
        found = list(dialect.reader(block))
    except csv.Error:
        return None
    return found if len(found) == len(block) else None


class _Lines:
    """Lines of a block, and of the text behind it if a cell goes on there; a row that fails gives some back.

    Args:
        block: the lines to read as rows.
        rest: the lines after them.
        number: of the first line.
    """

    def __init__(self, block: list[str], rest: Iterator[str], number: int) -> None:
        self.waiting, self.rest, self.number = deque(block), rest, number
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MAX_LINES:
            raise csv.Error(f"a cell is longer than {MAX_LINES} lines")
        line = self.waiting.popleft() if self.waiting else next(self.rest)
        self.taken.append(line)
        return line

    def keep(self, n_lines: int) -> str:
        """Return the first lines of what was taken as text, and give the others back."""
        kept, back = self.taken[:n_lines], self.taken[n_lines:]
        self.waiting.extendleft(reversed(back))
        self.taken = []
        self.number += len(kept)
        return "".join(kept).rstrip("\r\n")


def _read_quoted(source: _Lines, dialect: Dialect, n_cells: int | None) -> Iterator[Record]:
    reader = dialect.reader(source)
    while source.waiting:
        number, reason = source.number, ""
        try:
            cells = next(reader)
        except csv.Error as error:
            reason = TOO_LONG if "field limit" in str(error) else STRAY_QUOTE
        else:
            if len(source.taken) > 1 and _encloses_rows(source.taken, len(cells), n_cells, dialect):
                reason = STRAY_QUOTE
        if reason:
            yield Record(number, source.keep(1), [], reason)
        else:
            text = source.keep(len(source.taken))
            if cells:
                n_cells = n_cells or len(cells)
                yield Record(number, text, cells)


def _encloses_rows(lines: list[str], found: int, n_cells: int | None, dialect: Dialect) -> bool:
    """Return whether two stray quotes, lines apart, enclose what is no cell: the row is of another length then, or
    the lines between them are rows themselves.
    """
    if n_cells is not None and found != n_cells:
        return True
    inner = lines[1:-1]
    if found < 3 or not inner:
        return False
    try:
        return all(len(cells) == found for cells in dialect.reader(inner))
    except csv.Error:
        return False
