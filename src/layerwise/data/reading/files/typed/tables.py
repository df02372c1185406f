"""Parquet files, workbooks and JSON lines, whose cells have types: a header of names, and the values as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.reading.files.file_format import Contents, FileFormat
from layerwise.data.reading.files.header_rows import first_header_row, names_in, refuse_header_rows
from layerwise.data.reading.files.text.headers import (
    SAMPLE_LINES,
    Header,
    lines_before_header,
    make_header,
    usual_width,
)
from layerwise.data.reading.files.typed.json_lines import iter_json_lines
from layerwise.data.reading.suggestions import SuggestedSetting, UnreadableError
from layerwise.data.sources import parquet_parts

if TYPE_CHECKING:
    import pandas as pd

Row = tuple[Any, ...]


def iter_typed_tables(
    path: Path, contents: Contents, file_format: FileFormat, chunk_rows: int | None
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Yield cells and line numbers of a Parquet file, a workbook or JSON lines in parts, at least one.

    Args:
        path: the file.
        contents: which of them it is.
        file_format: says the sheet, and the lines before its header.
        chunk_rows: rows of a part; None for all.

    Raises:
        DataError: the file is damaged, or its columns cannot be those of a table.
    """
    if contents == "json":
        return iter_json_lines(path, chunk_rows)
    return _parquet(path, chunk_rows) if contents == "parquet" else _excel(path, file_format, chunk_rows)


def _parquet(path: Path, chunk_rows: int | None) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Yield the rows of a Parquet file, or of a folder of them, whose files have the same columns."""
    start, names, is_first = 1, list[str](), True
    for part in parquet_parts(path) or [path]:
        for frame in _parquet_file(part, chunk_rows):
            found = [str(name) for name in frame]
            names = names or found
            if odd := sorted(set(found) ^ set(names)):
                raise DataError(
                    f"{part} has other columns than the first file of its folder: {', '.join(odd)}"
                )
            if len(frame) or is_first:
                yield frame[names], np.arange(start, start + len(frame))
            start, is_first = start + len(frame), False


def _parquet_file(path: Path, chunk_rows: int | None) -> Iterator[pd.DataFrame]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            schema = file.schema_arrow
            nested = next((each.name for each in schema if pa.types.is_nested(each.type)), None)
            if nested is not None:
                raise DataError(
                    f"{path}: column '{nested}' holds lists or structures, and a cell is one value"
                )
            header = make_header(schema.names, str(path))
            kept = [schema.names[k] for k in header.kept]
            if chunk_rows is None or file.metadata.num_rows == 0:
                parts = iter([file.read(columns=kept)])
            else:
                batches = file.iter_batches(chunk_rows, columns=kept)
                parts = (pa.Table.from_batches([batch]) for batch in batches)
            for part in parts:
                yield _frame_of(part, header.kept_names)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged, or no Parquet file: {error}") from error


def _frame_of(table: Any, names: list[str]) -> pd.DataFrame:
    """Return an Arrow table whose cells do not depend on the rows beside them: whole numbers stay whole beside empty
    cells, and decimals become floats.
    """
    import pyarrow as pa

    for k, each in enumerate(table.schema):
        if pa.types.is_decimal(each.type):
            table = table.set_column(k, each.name, table.column(k).cast(pa.float64()))
    frame = table.to_pandas(ignore_metadata=True, integer_object_nulls=True, date_as_object=False)
    frame.columns = names
    return frame


def _excel(
    path: Path, file_format: FileFormat, chunk_rows: int | None
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    with open_sheet(path, file_format.sheet) as rows:
        numbered: Iterator[tuple[int, Row]] = (
            (line, row) for line, row in enumerate(rows, 1) if not _is_empty(row)
        )
        numbered = (each for each in numbered if each[0] > file_format.skip_lines)
        top = list(islice(numbered, file_format.header_rows))
        if not top:
            raise DataError(f"{path} has an empty sheet")
        texts = [_texts(row) for _, row in top]
        names, n_rows = names_in(texts, file_format.header_rows, file_format.columns)
        header, numbered = make_header(names, str(path)), chain(top[n_rows:], numbered)
        part = list(islice(numbered, chunk_rows))
        while True:
            yield _frame_of_rows([row for _, row in part], header), np.array([n for n, _ in part], np.int64)
            part = list(islice(numbered, chunk_rows)) if chunk_rows else []
            if not part:
                return


def _frame_of_rows(rows: list[Row], header: Header) -> pd.DataFrame:
    import pandas as pd

    columns = {}
    for k in header.kept:
        cells = pd.Series([row[k] if k < len(row) else None for row in rows], dtype=object)
        held = cells.dropna()
        if len(held) and held.map(lambda cell: isinstance(cell, datetime)).all():
            cells = pd.to_datetime(cells)
        columns[header.names[k]] = cells
    return pd.DataFrame(columns)


def _texts(row: Row) -> list[str]:
    return ["" if cell is None else str(cell) for cell in row]


def _is_empty(row: Row) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


@contextmanager
def open_sheet(path: Path, sheet: str | int | None) -> Iterator[Iterator[Row]]:
    """Open the rows of a workbook's sheet, each a tuple of cells.

    Args:
        path: the workbook.
        sheet: its name, or its position from 0; None: the only one that holds cells.

    Raises:
        DataError: the workbook is damaged, has no such sheet, or several and none is named.
    """
    import openpyxl

    file = path.open("rb")  # by its name openpyxl would refuse what does not end in xlsx
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as error:  # whatever a damaged workbook makes of its many parts
        file.close()
        raise DataError(f"{path} is damaged, or no workbook: {error}") from error
    try:
        names = list(book.sheetnames)
        if sheet is None:
            held = [name for name in names if any(not _is_empty(row) for row in _values(book[name]))]
            if len(held) > 1:
                reason = f"{path} has the sheets {', '.join(map(repr, held))}"
                # A cover or a legend has few rows; of sheets as long the first is the likelier.
                likelier, other = sorted(held, key=lambda name: _rows_of_a_table(book[name]), reverse=True)[
                    :2
                ]
                setting = SuggestedSetting("sheet", likelier, reason, other)
                raise UnreadableError(
                    f"{reason}: add problem.reading.{setting.line} or another one", [setting]
                )
            sheet = held[0] if held else names[0]
        if isinstance(sheet, int):
            if not 0 <= sheet < len(names):
                raise DataError(f"{path} has {len(names)} sheet(s), and problem.reading.sheet is {sheet}")
            sheet = names[sheet]
        if sheet not in names:
            raise DataError(f"{path} has no sheet {sheet!r}; it has {', '.join(map(repr, names))}")
        yield _values(book[sheet])
    finally:
        book.close()
        file.close()


def _rows_of_a_table(sheet: Any) -> int:
    """Return the number of rows that have two cells at least."""
    return sum(sum(cell is not None for cell in row) > 1 for row in _values(sheet))


def _values(sheet: Any) -> Iterator[Row]:
    return sheet.iter_rows(values_only=True)


def validate_first_row(
    path: Path, sheet: str | int | None, skip_lines: int | None, header_rows: int | None
) -> None:
    """Refuse a sheet that begins with lines of another kind than its header, such as a heading, or has several rows of
    names, where no setting says so.

    Args:
        path: the workbook.
        sheet: of it, as `open_sheet` takes it.
        skip_lines: before the header; None where no setting says it.
        header_rows: rows of names, likewise.

    Raises:
        DataError: it does; the message has the setting to add.
    """
    skip = skip_lines or 0
    with open_sheet(path, sheet) as rows:
        sampled = islice(enumerate(rows, 1), skip, skip + SAMPLE_LINES)
        held = [(line, row) for line, row in sampled if not _is_empty(row)]
    if not held:
        raise DataError(f"{path} has an empty sheet")
    texts = [_texts(row) for _, row in held]
    if skip_lines is None:
        filled = [sum(cell is not None for cell in row) for _, row in held]
        width = usual_width(filled)
        start = next(k for k, n in enumerate(filled) if 2 * n >= width)
        start = first_header_row(texts, start, header_rows)
        line = held[start][0]
        if line > 1 and width > 1 and start > 0:
            first = next(str(cell) for cell in held[0][1] if cell is not None)
            raise lines_before_header(str(path), line - 1, first)
    if header_rows is None:
        refuse_header_rows(texts, str(path))


def describe_unnamed(path: Path, file_format: FileFormat) -> str:
    """Return a sentence on the columns of a sheet that hold cells and have no name; empty without any.

    Such as those below a merged cell, of which one column alone has the name.
    """
    start, n_rows = file_format.skip_lines, file_format.header_rows
    with open_sheet(path, file_format.sheet) as rows:
        sampled = [row for row in islice(rows, start, start + SAMPLE_LINES) if not _is_empty(row)]
    if not sampled:
        return ""
    header = make_header(names_in([_texts(row) for row in sampled[:n_rows]], n_rows, ())[0], str(path))
    held = [
        str(k + 1)
        for k in header.unnamed
        if any(k < len(row) and row[k] is not None for row in sampled[n_rows:])
    ]
    if not held:
        return ""
    which = ", ".join(held)
    return (
        f"column(s) {which} of the sheet hold cells without a name, and are left out: name them in its header"
    )
