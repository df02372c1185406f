"""Rows cut into cells: a table of text, what is wrong with its rows, and its rows as lines of a CSV file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.reading.cells.affixes import trim
from layerwise.data.reading.files.file_format import FileFormat
from layerwise.data.reading.files.text.headers import Header
from layerwise.data.reading.files.text.lines import UNKNOWN_BYTE
from layerwise.data.reading.files.text.marks import format_csv_line
from layerwise.data.reading.files.text.records import Dialect, Record

if TYPE_CHECKING:
    import pandas as pd

TOTAL_ROW = "the row is a total of other rows"
NOTE_ROW = "the row is a note below the table"
HEADER_ROW = "the row repeats the header"
# What no row of a table is, and never stops training.
BESIDE_TABLE = frozenset((TOTAL_ROW, NOTE_ROW, HEADER_ROW))
NOTE = re.compile(
    r"[*†‡]|\[\w{1,2}\]|(?:sources?|notes?|quellen?|hinweise?|anmerkung(?:en)?|fuentes?|notas?|fonte)\s?:"
    r"|(?:exported|generated|downloaded|exportiert|erstellt)\b.*\d",
    re.IGNORECASE,
)
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


@dataclass
class TextTable:
    """Rows of a file before their cells mean anything.

    Args:
        cells: a column for each name of the header; of a text file `str` as it stands, without the blanks around it,
            "" where a cell is empty, and numbers where these were asked for; of Parquet and Excel files the values
            that they hold.
        line_numbers: (n,) the line of each row in the file, from 1; of a Parquet file the number of the row.
        lines: the rows as lines of a CSV file, without their ends: as they stand where the file is one. Where they
            were not asked for, none.
        malformed: what is wrong with each row that cannot be cut into the header's cells, by its position; its cells
            are empty.
        file_format: how the file was read.
        source: the file.
        header: the names of the cells of `lines`, "" for a column without a name, which `cells` leaves out.
        notes: what was done to the cells, in sentences.
    """

    cells: pd.DataFrame
    line_numbers: np.ndarray
    lines: list[str] = field(default_factory=list)
    malformed: dict[int, str] = field(default_factory=dict)
    file_format: FileFormat = field(default_factory=FileFormat)
    source: str = ""
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


def typed_lines(cells: pd.DataFrame) -> list[str]:
    """Return rows of typed cells as lines of a CSV file."""
    text = cells.astype(object).where(cells.notna(), "")
    return [format_csv_line(map(str, row)) for row in text.itertuples(index=False, name=None)]


def typed_faults(cells: pd.DataFrame) -> dict[int, str]:
    """Return the rows that are totals of others or notes; of numbers and dates alone, which have no words, none."""
    if all(kind.kind in "biufM" for kind in cells.dtypes):
        return {}
    n = cells.shape[1]
    n_empty = np.zeros(len(cells), dtype=np.int64)
    for name in cells:
        n_empty += (cells[name].isna() | (cells[name] == "")).to_numpy(dtype=bool)
    mostly_empty = np.flatnonzero(n_empty * 2 >= n - 1)
    texts = (
        ["" if value != value or value is None else str(value) for value in cells.iloc[k]]
        for k in mostly_empty
    )
    faults = {int(k): _beside_table(each) for k, each in zip(mostly_empty, texts, strict=True)}
    return {k: reason for k, reason in faults.items() if reason}


def table_of_records(
    records: list[Record], header: Header, dialect: Dialect | None, file_format: FileFormat, name: str
) -> TextTable:
    """Return records as a table; its lines are kept where the dialect is given that they are written in."""
    import pandas as pd

    n = len(header.names)
    empty = [""] * n
    rows, lines, malformed = [], [], {}
    for k, record in enumerate(records):
        reason = record.reason or _fault(record, header.names)
        if reason:
            malformed[k] = reason
        rows.append(empty if reason else record.cells)
        if dialect is not None:
            is_csv = dialect == Dialect() and not reason
            lines.append(record.text if is_csv else _as_csv(record, n))
    columns = list(zip(*rows, strict=True)) if rows else [()] * n
    trimmed = {header.names[k]: list(map(str.strip, columns[k])) for k in header.kept}
    blanks = [header.names[k] for k in header.kept if trimmed[header.names[k]] != list(columns[k])]
    notes = notes_on(header)
    if blanks:
        notes = (f"blanks around cells left out: {', '.join(blanks)}", *notes)
    return TextTable(
        pd.DataFrame({each: pd.Series(cells, dtype=object) for each, cells in trimmed.items()}),
        np.fromiter((record.line for record in records), np.int64, len(records)),
        lines,
        malformed,
        file_format,
        name,
        header=tuple(header.names),
        notes=notes,
    )


def notes_on(header: Header) -> tuple[str, ...]:
    """Return what is said of a header, in sentences."""
    notes = []
    last = len(header.names) - 1
    if 0 in header.unnamed:
        notes.append("column(s) 1 without a name left out, as numbers and names of rows are")
    if within := ", ".join(str(k + 1) for k in header.unnamed if 0 < k < last):
        notes.append(f"column(s) {within} without a name left out: name them if they hold something")
    if last in header.unnamed and last > 0:
        notes.append(
            f"column(s) {last + 1} without a name left out: lines that end with a separator have one more"
        )
    if header.blanks:
        notes.append(f"blanks around names left out: {', '.join(header.blanks)}")
    return tuple(notes)


def _fault(record: Record, names: list[str]) -> str:
    """Return what is wrong with a row; "" for a right one."""
    cells, n = record.cells, len(names)
    if len(cells) != n:
        if 2 * len(cells) <= n and _is_note(cells[:1]):
            return NOTE_ROW
        return f"the row has {len(cells)} cells, and the header {n}"
    if not record.text.isascii():
        unknown = UNKNOWN_BYTE.search(record.text)
        if unknown:
            return f"the row holds the byte 0x{ord(unknown[0]) - 0xDC00:02x}, which the file's encoding does not know"
    if n > 1 and trim(cells[0]) == names[0] and [trim(cell) for cell in cells] == names:
        return HEADER_ROW  # tables that were written one below the other
    return _beside_table(cells) if "" in cells else ""


def _beside_table(cells: list[str]) -> str:
    """Return what a row is that is none of the table; "" for another one."""
    if _is_total(cells):
        return TOTAL_ROW
    return NOTE_ROW if len(cells) > 2 and _is_note(cells) else ""


def repeats_header(cells: pd.DataFrame) -> bool:
    """Return whether some row may repeat the header, as far as one column of text tells."""
    name = next((each for each in cells if cells[each].dtype.kind == "O"), None)
    return name is not None and bool((cells[name] == name).any())


def _is_note(cells: list[str]) -> bool:
    """Return whether a row holds a footnote, a source or the day of an export, and nothing else."""
    return NOTE.match(cells[0].strip()) is not None and not any(cell.strip() for cell in cells[1:])


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
