"""The first lines of a text: what encloses cells, and whether the very first one holds names or is a row already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from layerwise.data.reading.files.text.records import Dialect, Record, read_records
from layerwise.data.reading.suggestions import SuggestedSetting, UnreadableError

NUMBER = re.compile(r"[+\-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+\-]?\d+)?", re.ASCII)
IN_SINGLE_QUOTES = re.compile(r"(?:^|[,;\t|])[ ]*'[^']*'[ ]*(?:[,;\t|]|$)")
SAMPLE_ROWS, MIN_ROWS = 500, 5
# Of a column's cells; a few may be a marker for a missing value.
MOSTLY = 0.9
# Distinct texts, of a column's cells: a value that stands in the first row then comes again below it.
FEW_VALUES = 0.2


def find_quote(lines: Iterable[str]) -> str:
    """Return what encloses texts: the single quote where nearly every line has a cell in such ones and none has double
    ones, else the double quote.

    Args:
        lines: of the text, those before the header too.
    """
    sample = [line for line in islice(lines, SAMPLE_ROWS) if line.strip()]
    if len(sample) < MIN_ROWS or any('"' in line for line in sample):
        return '"'
    n_single = sum(IN_SINGLE_QUOTES.search(line) is not None for line in sample)
    return "'" if n_single >= MOSTLY * len(sample) else '"'


def is_row(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a line is a row like those below it, and no line of names.

    It is where a number stands above each column of numbers, and the text above a column of few values is among these;
    where no column has few values, one of the numbers could hardly be a name, as a fraction, a negative and a repeated
    one could not. Years and positions (0, 1, 2, ...) are names. In a table without numbers the text above every column
    is among its values.

    Args:
        first: the cells of the line.
        rows: the cells of rows below it.
    """
    same = [row for row in rows if len(row) == len(first)]
    if len(same) < MIN_ROWS or len(first) < 2:
        return False
    above_numbers, above_texts = [], []
    for name, column in zip(map(str.strip, first), zip(*same, strict=True), strict=True):
        cells = [cell.strip() for cell in column if cell.strip()]
        if not cells:
            continue
        if sum(NUMBER.fullmatch(cell) is not None for cell in cells) >= MOSTLY * len(cells):
            above_numbers.append(name)
        elif name in cells or len(set(cells)) <= FEW_VALUES * len(cells):
            above_texts.append(name in cells)
    if not above_numbers:
        return len(above_texts) > 1 and all(above_texts)
    if not all(NUMBER.fullmatch(name) for name in above_numbers):
        return False
    if above_texts:
        return any(above_texts)
    return not all(map(str.isdigit, above_numbers)) or len(set(above_numbers)) < len(above_numbers)


def sample_records(lines: Iterable[str], dialect: Dialect) -> list[Record]:
    """Return the first records of a text, those that cannot be cut left out.

    Args:
        lines: from the first on, with their ends.
        dialect: how they are cut.
    """
    return [each for each in read_records(islice(lines, SAMPLE_ROWS), dialect) if not each.reason]


def refuse_a_row(records: Sequence[Record], name: str) -> None:
    """Refuse a text whose first line is no line of names.

    Args:
        records: from the first line on, as `sample_records` cuts them.
        name: of the file.

    Raises:
        UnreadableError: the first line looks like a row; the message has the setting to add.
    """
    if not records or not is_row(records[0].cells, [each.cells for each in records[1:]]):
        return
    reason = (
        f"{name} has no names of columns: its first line, {records[0].text.strip()[:60]!r}, looks like a row"
    )
    made_up = [f"column_{k + 1}" for k in range(len(records[0].cells))]
    setting = SuggestedSetting("names", made_up, reason, "names: [] if that line holds the names")
    raise UnreadableError(
        f"{reason}: add the names to problem.reading, such as {setting.line}, or {setting.other}", [setting]
    )


def uncommented(cells: list[str]) -> list[str]:
    """Return the cells of a line, without the `#` that it may begin with, as numpy's `savetxt` writes names."""
    first = cells[0].lstrip() if cells else ""
    if not first.startswith("#"):
        return cells
    first = first.lstrip("#").strip()
    return [first, *cells[1:]] if first else cells[1:]


def names_in_a_comment(records: Sequence[Record], name: str) -> str:
    """Return a sentence where the first name of a table of numbers begins with `#`, which may not belong to it.

    Args:
        records: from the first line on, as `sample_records` cuts them.
        name: of the file.

    Raises:
        UnreadableError: without the mark the line has as many cells as the rows below it, and with it one more; the
            message has the setting to add.
    """
    if len(records) < 2:
        return ""
    first, rows = records[0], [each.cells for each in records[1:]]
    names = uncommented(first.cells)
    if not names or any(len(row) != len(names) for row in rows):
        return ""
    setting = SuggestedSetting(
        "names", names, f"{name} has its names in a comment, {first.text.strip()[:60]!r}"
    )
    if len(first.cells) != len(names):
        raise UnreadableError(f"{setting.reason}: add problem.reading.{setting.line}", [setting])
    if names == first.cells or not all(NUMBER.fullmatch(cell.strip()) for row in rows for cell in row):
        return ""
    return f"the first column is named '{first.cells[0].strip()}'; without the mark: problem.reading.{setting.line}"
