"""Cells of the CSV files that are written, in which no text is a formula to a spreadsheet; and read as they were.

A cell that begins with = + - @, a tab or a carriage return and is no number gets an apostrophe before it; so does one
that begins with apostrophes before such a sign, so that nothing is lost. A file with marks has a second one beside it,
`<name>.marks.json`, with its hash: it says that this project wrote the file. Marks are taken off such files alone.
See OWASP's page on CSV injection, https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.data.reading.cells.affixes import SHOWN, tidy
from layerwise.data.reading.cells.numbers import INFINITE
from layerwise.utils import atomic_write

if TYPE_CHECKING:
    import pandas as pd

# What makes a cell be quoted.
QUOTED = re.compile(r"[\",\r\n]")
MARK = "'"
FORMULA = re.compile(r"'*[=+\-@\t\r]")
# Where a line may have such a cell: its sign at the start of a cell, but for plain numbers with one.
SUSPECT = re.compile(
    r"""(?:^|[,"\n])"?'*(?:[=@\t\r]|[+\-](?!(?:\d+\.?\d*|\.\d+)(?:[eE][+\-]?\d+)?"?(?:[,\r\n]|$)))""",
    re.ASCII,
)
# Without one of these there is none; a search for plain text takes a tenth of the time.
SIGNS = tuple("=@\t\r") + tuple(before + sign for before in ",\"\n'" for sign in "+-")


def marked(cell: str) -> str:
    """Return a cell with an apostrophe before it if a spreadsheet would take it for a formula."""
    return MARK + cell if FORMULA.match(cell) and not _is_number(cell) else cell


def unmarked(cell: str) -> str:
    """Return a cell as it was before `marked`."""
    return cell[1:] if cell.startswith(MARK) and FORMULA.match(cell) else cell


def _is_number(cell: str) -> bool:
    text = tidy(cell)
    return SHOWN.fullmatch(text) is not None or INFINITE.fullmatch(text) is not None


class MarkedPieces:
    """The pieces of a CSV file with its cells marked; `n_marked` says how many were, once all are taken.

    Args:
        pieces: whole rows each, the header in the first one.
        exempt: the names of columns that stay as they are.
    """

    def __init__(self, pieces: Iterable[str], exempt: Collection[str] = ()) -> None:
        self._pieces, self._exempt = pieces, frozenset(exempt)
        self._kept: list[bool] | None = None
        self.n_marked = 0

    def __iter__(self) -> Iterator[str]:
        """Yield the pieces."""
        for piece in self._pieces:
            if self._kept is None and piece:
                names = next(_rows(piece))[1]
                self._kept = [name in self._exempt for name in names]
            suspect = piece[:1] in "+-" or any(sign in piece for sign in SIGNS)
            yield self._marked(piece) if suspect and SUSPECT.search(piece) else piece

    def _marked(self, piece: str) -> str:
        return "".join(self._row(text, cells) for text, cells in _rows(piece))

    def _row(self, text: str, cells: list[str]) -> str:
        assert self._kept is not None
        kept = self._kept + [False] * (len(cells) - len(self._kept))
        found = [cell if own else marked(cell) for cell, own in zip(cells, kept, strict=False)]
        n = sum(a != b for a, b in zip(cells, found, strict=True))
        self.n_marked += n
        return format_csv_line(found) + "\n" if n else text


def _rows(piece: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each row of a CSV text as it stands, its end with it, and its cells."""
    lines = piece.splitlines(keepends=True) if "\r" not in piece else _lines(piece)
    limit = csv.field_size_limit(max(csv.field_size_limit(), len(piece)))
    try:
        reader, start = csv.reader(lines), 0
        for cells in reader:
            yield "".join(lines[start : reader.line_num]), cells
            start = reader.line_num
    finally:
        csv.field_size_limit(limit)


def _lines(piece: str) -> list[str]:
    return [line for line in re.split(r"(?<=\n)", piece) if line]


def format_csv_line(cells: Iterable[str]) -> str:
    """Return cells as a line of a CSV file, quoted where they need it, without the line's end."""
    line = io.StringIO()
    # Before Python 3.13 the writer puts quotes around a line break only where the line's own end holds it.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n")


def format_csv_cells(cells: list[str]) -> list[str]:
    """Return each cell as `format_csv_line` writes it alone; many that need no quotes are as quick as one."""
    if QUOTED.search("".join(cells)):
        return [format_csv_line([cell]) for cell in cells]
    return [cell or '""' for cell in cells]


def marks_file(path: Path) -> Path:
    """Return the file that says of a CSV file that it has marks."""
    return path.with_name(path.name + ".marks.json")


def write_marked(path: Path, pieces: Iterable[str], exempt: Collection[str] = ()) -> None:
    """Write a CSV file with its cells marked, and what says so beside it; both appear whole or not at all.

    Args:
        path: of the file.
        pieces: whole rows each, the header in the first one.
        exempt: the names of columns that stay as they are.

    Raises:
        OSError: it cannot be written.
    """
    found = MarkedPieces(pieces, exempt)
    with atomic_write(path) as part:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.writelines(found)
        if found.n_marked:
            with part.open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            record = {"sha256": sha256, "marked_cells": found.n_marked, "exempt": sorted(exempt)}
            with atomic_write(marks_file(path)) as marks:
                marks.write_text(json.dumps(record) + "\n")
    if not found.n_marked:
        marks_file(path).unlink(missing_ok=True)


def exempt_columns(path: Path) -> frozenset[str] | None:
    """Return the columns without marks of a file that this project has marked; None for any other file."""
    try:
        record = json.loads(marks_file(path).read_text())
        sha256, exempt = record["sha256"], frozenset(record["exempt"])
        with path.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return exempt if right else None


def read_marked(path: Path) -> pd.DataFrame:
    """Return the table of a CSV file, one that `write_marked` wrote as it was."""
    import pandas as pd

    exempt = exempt_columns(path)
    if exempt is None:
        return pd.read_csv(path)
    with path.open(encoding="utf-8", newline="") as lines:
        return pd.read_csv(io.StringIO("".join(unmarked_lines(lines, exempt))))


def unmarked_lines(lines: Iterable[str], exempt: frozenset[str]) -> Iterator[str]:
    """Yield the rows of a marked file as they were, each with its end."""
    kept: list[bool] | None = None
    for cells in csv.reader(lines):
        kept = [name in exempt for name in cells] if kept is None else kept
        own = kept + [False] * (len(cells) - len(kept))
        # A row of several lines stays one piece, which readers put together again.
        row = [cell if as_it_is else unmarked(cell) for cell, as_it_is in zip(cells, own, strict=False)]
        yield from _lines(format_csv_line(row) + "\n")
