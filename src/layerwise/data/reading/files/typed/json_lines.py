"""JSON lines, such as the log of a server, or one array or object that holds the rows: an object for each row, whose
cells keep their types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.reading.files.containers import json_form, open_bytes
from layerwise.data.reading.files.text.headers import make_header
from layerwise.data.reading.files.typed.json_objects import flat_object, rows_within

if TYPE_CHECKING:
    import pandas as pd

# The columns are those of the first rows: a later one may lack some, or have more, which are left out.
HEADER_ROWS = 1000


def iter_json_lines(path: Path, chunk_rows: int | None) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Yield cells and line numbers in parts, at least one; of one array or object the numbers of its rows, and all of
    it is in memory.

    Args:
        path: the file.
        chunk_rows: rows of a part; None for all.

    Raises:
        DataError: the file is cut off, a row is no object, or holds a list of objects, or no column has a name.
    """
    import pandas as pd

    form = json_form(path)
    with open_bytes(path) as file:
        rows = _rows(path, file) if form == "lines" else _objects(path, file)
        first = list(islice(rows, HEADER_ROWS))
        names = list(dict.fromkeys(name for _, row in first for name in row))
        header = make_header(names, str(path))
        kept = [(names[k], header.names[k]) for k in header.kept]
        waiting = iter(first)
        while True:
            part = list(islice(waiting, chunk_rows))
            if chunk_rows is None or len(part) < chunk_rows:
                waiting = rows
                part += islice(rows, None if chunk_rows is None else chunk_rows - len(part))
            if not part and first:
                return
            cells = {name: pd.Series([row.get(key) for _, row in part], dtype=object) for key, name in kept}
            yield pd.DataFrame(cells), np.array([line for line, _ in part], np.int64)
            if chunk_rows is None or not part:
                return


def _rows(path: Path, file: IO[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row with the number of its line; empty lines are none."""
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            row = None
        yield line, flat_object(row, f"{path}, line {line}")


def _objects(path: Path, file: IO[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of an array or an object with their numbers, from 1."""
    try:
        rows = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON, or cut off: {error}") from error
    if isinstance(rows, dict):
        rows = rows_within(rows, str(path)) or [rows]
    for number, row in enumerate(rows, 1):
        yield number, flat_object(row, f"{path}, object {number}")
