"""Answers as Arrow tables, which a Parquet file takes: typed, where a CSV file has text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data import DataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def answer_table(
    before: dict[str, list[str | None]], answers: pd.DataFrame, reasons: np.ndarray, error_column: str
) -> pa.Table:
    """Return a table of rows: what stood before as text, the answer in its types, and the error of a refused row.

    Args:
        before: the cells of each column that stands before the answer, (n,) each.
        answers: to the rows that were not refused, (m, columns).
        reasons: why each row was refused, (n,) text; empty for one that was answered.
        error_column: its name.
    """
    import pyarrow as pa

    place = np.cumsum(reasons == "") - 1
    rows = pa.array(place, pa.int64(), mask=reasons != "")
    columns: dict[str, Any] = {name: pa.array(cells, pa.string()) for name, cells in before.items()}
    columns |= {str(name): _arrow(answers[name]).take(rows) for name in answers}
    columns[error_column] = pa.array([reason or None for reason in reasons.tolist()], pa.string())
    return pa.table(columns)


def one_schema(tables: Iterable[tuple[pa.Table, bool]]) -> Iterator[pa.Table]:
    """Yield tables with the types of the first one that has answers; those before it wait for them.

    Args:
        tables: each with whether it has answers.

    Raises:
        DataError: a later column holds what its type does not.
    """
    import pyarrow as pa

    schema, waiting = None, []
    for table, has_answers in tables:
        waiting.append(table)
        if schema is None and has_answers:
            schema = table.schema
        while schema is not None and waiting:
            try:
                yield waiting.pop(0).cast(schema)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise DataError(
                    f"the rows do not fit the types of the first ones: {error}; write a CSV file"
                ) from error
    yield from waiting


def cells_of_lines(lines: list[str], names: list[str]) -> dict[str, list[str | None]]:
    """Return the cells of a CSV file's lines by column, None for empty ones."""
    # A row with a cell that is longer than the module reads is refused as it is read, and stands as it was.
    limit = csv.field_size_limit(max(csv.field_size_limit(), *map(len, lines), 0))
    try:
        rows = [[cell or None for cell in row[: len(names)]] for row in csv.reader(lines)]
    finally:
        csv.field_size_limit(limit)
    filled = [row + [None] * (len(names) - len(row)) for row in rows]
    return {name: [row[k] for row in filled] for k, name in enumerate(names)}


def _arrow(column: pd.Series) -> pa.Array:
    """Return a column as an array; a whole number may be followed by others that are none, and is a double."""
    import pyarrow as pa

    if column.dtype.kind in "iu":
        return pa.array(column.to_numpy(np.float64))
    try:
        found = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # of several types
        found = pa.array(
            [None if cell is None or cell != cell else str(cell) for cell in column], pa.string()
        )
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return found.cast(pa.string()) if pa.types.is_large_string(found.type) else found
