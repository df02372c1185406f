"""The format of the file that training reads: what the settings say, and for the rest what is found in the file."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from pathlib import Path

from layerwise.data.errors import DataError
from layerwise.data.reading.files.containers import contents_of
from layerwise.data.reading.files.file_format import Contents, FileFormat
from layerwise.data.reading.files.header_rows import refuse_header_rows
from layerwise.data.reading.files.read import read_header
from layerwise.data.reading.files.table import BESIDE_TABLE, TextTable
from layerwise.data.reading.files.text.first_line import (
    find_quote,
    names_in_a_comment,
    refuse_a_row,
    sample_records,
)
from layerwise.data.reading.files.text.headers import find_layout
from layerwise.data.reading.files.text.lines import (
    find_encoding,
    is_utf8,
    marked_encoding,
    name_of,
    open_text,
)
from layerwise.data.reading.files.text.plain import NumberColumns
from layerwise.data.reading.files.text.records import Dialect
from layerwise.data.reading.files.typed.tables import describe_unnamed, validate_first_row
from layerwise.data.reading.settings import ReadingSettings
from layerwise.data.reading.suggestions import SuggestedSetting, UnreadableError


def resolve_file_format(path: Path, settings: ReadingSettings) -> FileFormat:
    """Return the format of a file, to be kept with what is trained on it.

    Args:
        path: the file: text (csv, tsv, ...; also gz, bz2, xz, zip), Parquet or Excel, told by its bytes.
        settings: what is set there is taken; the rest is found.

    Raises:
        DataError: there is no such file, it holds no table, or what was not set can be read in two ways; the message
            then has the setting to add.
    """
    contents = contents_of(path)
    if contents != "text":
        return _typed_format(path, contents, settings)
    encoding, notes = _encoding(path, settings)
    marked = marked_encoding(path)
    quote = settings.quote
    if quote is None:
        with open_text(path, marked or encoding) as text:
            quote = find_quote(text)
        notes += ["texts are enclosed in single quotes (problem.reading.quote)"] * (quote == "'")
    # Of a text without a line of names the first line is a row, however few of its cells are filled.
    before = settings.skip_lines or 0 if settings.names else settings.skip_lines
    layout, more = find_layout(
        path,
        marked or encoding,
        quote,
        settings.separator,
        before,
        1 if settings.names else settings.header_rows,
    )
    if settings.names is None:
        with open_text(path, marked or encoding) as text:
            lines = islice(text, layout.skip_lines, None)
            records = sample_records(lines, Dialect(layout.separator, quote))
        refuse_a_row(records, name_of(path))
        if settings.header_rows is None:
            refuse_header_rows([each.cells for each in records], name_of(path))
        comment = names_in_a_comment(records, name_of(path))
        more += [comment] * bool(comment)
    found = FileFormat(
        separator=layout.separator,
        quote=quote,
        encoding=encoding,
        encoding_is_set=settings.encoding is not None,
        skip_lines=layout.skip_lines,
        header_rows=settings.header_rows or 1,
        names=settings.names or (),
        sheet=settings.sheet,
        notes=(*notes, *more),
    )
    return found.model_copy(update={"columns": tuple(read_header(path, found))})


def _typed_format(path: Path, contents: Contents, settings: ReadingSettings) -> FileFormat:
    """Return the format of a file whose cells have types."""
    skip_lines, header_rows = settings.skip_lines or 0, settings.header_rows or 1
    if settings.names:
        raise DataError(
            f"problem.reading.names is of text, and {path} is no text: name its columns in the file"
        )
    if header_rows > 1 and contents != "excel":
        raise DataError(
            f"problem.reading.header_rows is of texts and workbooks, and {path} is none: its columns have one name"
        )
    found = FileFormat(
        contents=contents, skip_lines=skip_lines, header_rows=header_rows, sheet=settings.sheet
    )
    if contents == "excel":
        validate_first_row(path, settings.sheet, settings.skip_lines, settings.header_rows)
    unnamed = describe_unnamed(path, found) if contents == "excel" else ""
    said = (unnamed,) if unnamed else ()
    return found.model_copy(update={"columns": tuple(read_header(path, found)), "notes": said})


def _encoding(path: Path, settings: ReadingSettings) -> tuple[str, list[str]]:
    """Return the encoding of a text, and the sentence that says it where it is no matter of course."""
    if settings.encoding is not None:
        return settings.encoding, []
    marked = marked_encoding(path)
    if marked is not None:  # a later file has a mark of its own, or none and is UTF-8
        return "utf-8", [] if marked == "utf-8-sig" else [
            f"the text is read as {marked}, as its first bytes say"
        ]
    if is_utf8(path):
        return "utf-8", []
    encoding, sentence = find_encoding(path)
    return encoding, [sentence]


def number_columns(
    file_format: FileFormat, settings: ReadingSettings, text: Collection[str] = ()
) -> NumberColumns | None:
    """Return which columns of the file that training reads may become numbers at once, None where none may: where a
    point or a comma could mean something else than in a plain number.

    Args:
        file_format: of the file.
        settings: of the problem.
        text: further columns that stay text.
    """
    marks_are_plain = settings.decimal in (None, ".") and settings.thousands in (None, "", ",")
    if file_format.separator != "," or not marks_are_plain:
        return None
    stated = {name for name, kind in settings.columns.items() if kind != "number"}
    return NumberColumns(text=frozenset({*stated, *settings.dates, *text}), codes_are_text=True)


def without_malformed(table: TextTable, settings: ReadingSettings) -> tuple[TextTable, tuple[str, ...]]:
    """Return the rows that can be read, and a sentence for each kind of the others, with the line of the first.

    Totals of other rows and notes below the table are left out in any case.

    Args:
        table: all rows of the file that training reads.
        settings: `bad_rows` says whether rows that cannot be read stop the run.

    Raises:
        DataError: some cannot, and the settings refuse them.
    """
    import numpy as np

    faults: dict[str, list[int]] = {}
    for position, reason in table.malformed.items():
        faults.setdefault(reason, []).append(position)
    wrong = {reason: rows for reason, rows in faults.items() if reason not in BESIDE_TABLE}
    count = sum(map(len, wrong.values()))
    if wrong and (settings.bad_rows == "refuse" or count == len(table)):
        first = min(min(rows) for rows in wrong.values())
        reason = (
            f"{table.source}, line {table.line_numbers[first]}: {table.malformed[first]}; {count} of {len(table)} rows "
            "cannot be read"
        )
        if count == len(table):
            raise DataError(f"{reason}: the header has to name every column, row numbers too")
        raise UnreadableError(
            f"{reason}: correct the file, or add problem.reading.bad_rows: drop to leave such rows out",
            [SuggestedSetting("bad_rows", "drop", reason)],
        )
    notes = tuple(
        f"{len(rows)} row(s) left out, the first in line {table.line_numbers[rows[0]]}: {reason}"
        for reason, rows in faults.items()
    )
    if not faults:
        return table, notes
    kept = np.setdiff1d(np.arange(len(table)), np.fromiter(table.malformed, np.int64))
    return table.select(kept), notes
