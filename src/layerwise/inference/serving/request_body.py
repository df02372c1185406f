"""What a request says: a body is read, bounded and checked before the network sees it.

Whatever is wrong with a body as a whole is a RequestError with one sentence, and a 4xx.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from layerwise.data import DataError, ImageShape
from layerwise.data.reading import (
    Chunk,
    FileFormat,
    Limits,
    TooLargeError,
    cell_of_list,
    flat_object,
    read_text_table,
)
from layerwise.inference.model import TrainedModel
from layerwise.inference.serving.misspelt_names import misspelt_names, trimmed_names
from layerwise.inference.serving.settings import ServerSettings
from layerwise.inference.tasks import offered_columns
from layerwise.utils import UserError

DEFAULT_LIMITS = ServerSettings().limits
# Two of them are one character, one is none.
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
TABLE_FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")


class RequestError(UserError, ValueError):
    """A request that is wrong; the message says how, and `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class ParsedBody:
    """What a body says.

    Args:
        params: what is asked.
        names: of the columns of rows that came as JSON.
        rows: their cells; None where there are none, and of a CSV body.
        misspelt: why some of them cannot be answered, by position: they name a column that there is not.
        table: the rows of a CSV body.
    """

    params: dict[str, Any]
    names: list[str] = field(default_factory=list)
    rows: list[list[Any]] | None = None
    misspelt: dict[int, str] = field(default_factory=dict)
    table: Chunk | None = None

    def chunk(self) -> Chunk | None:
        """Return the rows, with what is wrong with those that cannot be read; None for none."""
        if self.rows is None:
            return self.table
        import pandas as pd

        return Chunk(0, pd.DataFrame(self.rows, columns=self.names), malformed=self.misspelt)


def parse_body(
    model: TrainedModel, body: bytes | str, content_type: str | None, limits: Limits
) -> ParsedBody:
    """Return the rows of a body and its `params`; a body of `params` alone has no rows.

    Raises:
        RequestError: the type, the size or the form is wrong.
    """
    kind, _, rest = (content_type or "").partition(";")
    kind = kind.strip().lower()
    charset = rest.partition("charset=")[2].strip().strip('"').lower()
    raw = body.encode() if isinstance(body, str) else body
    if kind not in ("application/json", "text/csv"):
        raise RequestError(f"the content type has to be application/json or text/csv, not '{kind[:60]}'", 415)
    if not _is_taken(charset, kind):
        raise RequestError(f"the charset has to be utf-8, not {charset[:40]}", 415)
    # A model of large images has more columns than most tables.
    limits = limits._replace(columns=max(limits.columns, model.columns.n_inputs + 100))
    if kind == "text/csv":
        parsed = ParsedBody({}, table=_read_csv(raw, charset, model, limits))
    else:
        try:
            parsed = _read_json(raw.decode("utf-8-sig"), model, limits)
        except UnicodeDecodeError as error:
            raise RequestError(f"the body is no UTF-8: byte {error.start} is wrong") from None
    n_rows = len(parsed.rows or parsed.table or ())
    if not n_rows and not parsed.params:
        raise RequestError("the body holds no rows")
    return parsed


def _is_taken(charset: str, kind: str) -> bool:
    """Return whether a charset can be read: JSON is UTF-8, a CSV body may be any text."""
    if charset in ("", "utf-8", "utf8", "us-ascii"):
        return True
    try:
        "".encode(charset)
    except (LookupError, UnicodeError, ValueError):
        return False
    return kind == "text/csv"


def _read_json(text: str, model: TrainedModel, limits: Limits) -> ParsedBody:
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"the body is no JSON: {error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError):
        raise RequestError(
            "the body is no JSON that can be read: nested too deeply, or an endless number"
        ) from None
    if SURROGATE.search(text) and not _is_unicode(body):
        raise RequestError(
            "the body holds half of a surrogate pair, \\ud800 to \\udfff, which is no character"
        )
    formats = [name for name in TABLE_FORMATS if name in body] if isinstance(body, dict) else []
    params = body.get("params", {}) if isinstance(body, dict) else {}
    if not isinstance(params, dict):
        raise RequestError("params has to be an object of names and values")
    if params and not formats:
        return ParsedBody(params)
    if len(formats) != 1:
        raise RequestError(f"the body has to be a JSON object with one of {', '.join(TABLE_FORMATS)}")
    known = offered_columns(model)
    table = trimmed_names(body[formats[0]], known)
    is_table = model.reads_rows and not model.has_image_inputs
    misspelt = misspelt_names(table, known) if is_table else {}
    names, rows = _parse_table(formats[0], table, model, known, limits)
    if len(rows) > limits.rows:
        raise RequestError(
            f"{len(rows):,} rows are too many for one request; send at most {limits.rows:,}", 413
        )
    _check_names(names, limits)
    return ParsedBody(params, names, _parse_cells(names, rows, model.word_names), misspelt)


def _is_unicode(body: Any) -> bool:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse_table(
    form: str, value: Any, model: TrainedModel, known: list[str], limits: Limits
) -> tuple[list[str], list[Any]]:
    """Return the columns' names and the rows of one of MLflow's forms of a table.

    Args:
        form: of `TABLE_FORMATS`.
        value: the table.
        model: reads it.
        known: what its tasks read, by name.
        limits: of rows and columns.
    """
    expected = model.raw_names
    if form == "dataframe_split":
        if not isinstance(value, dict) or not isinstance(value.get("data"), list):
            raise RequestError("dataframe_split has to hold 'columns' and 'data', a list of rows")
        names = value.get("columns")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise RequestError("dataframe_split has to name its columns, in a list of text")
        return names, value["data"]
    if form == "inputs" and isinstance(value, dict):
        if not value or not all(isinstance(column, list) for column in value.values()):
            raise RequestError("inputs has to hold a list for each column")
        if len({len(column) for column in value.values()}) > 1:
            raise RequestError("the columns of inputs have different lengths")
        return list(value), [list(row) for row in zip(*value.values(), strict=True)]
    if not isinstance(value, list):
        raise RequestError(f"{form} has to be a list of rows")
    if value and all(isinstance(row, dict) for row in value):
        value = [_with_paths(row, known, k) for k, row in enumerate(value)]
        # Not every name of every row: a body could hold a new one in each.
        named = [name for name in known if any(name in row for row in value)]
        names = list(dict.fromkeys([*list(value[0])[: limits.columns], *named]))
        if len(names) * len(value) > limits.cells:
            raise RequestError(f"{len(value):,} rows of {len(names):,} columns are too many", 413)
        return names, [[row.get(name) for name in names] for row in value]
    shape = model.columns.image_shape
    return expected, value if shape is None else _flat_images(value, shape)


def _with_paths(row: dict[str, Any], expected: list[str], k: int) -> dict[str, Any]:
    """Return a row whose objects are columns named by their path where the model knows these, as in a file of JSON."""
    objects = [name for name, cell in row.items() if isinstance(cell, dict)]
    known = [name for name in objects if any(each.startswith(f"{name}.") for each in expected)]
    if not known:
        return row
    try:
        flat = flat_object({name: row[name] for name in known}, f"row {k}")
    except DataError as error:
        raise RequestError(str(error)) from None
    kept = {name: cell for name, cell in row.items() if name not in known}
    return kept | {name: cell for name, cell in flat.items() if name in expected}


def _flat_images(rows: list[Any], shape: ImageShape) -> list[Any]:
    """Return images that are lists of lines as rows of pixels; a single image is one row.

    A color image is a list of lines of pixels of red, green and blue, or of its red, green and blue lines; a gray one
    may have a list of one number for each pixel.
    """
    other = (shape[2], *shape[:2]) if len(shape) == 3 else (*shape, 1)
    images = [rows] if _has_shape(rows, shape) or _has_shape(rows, other) else rows
    return [_flat_image(each, shape, other) for each in images]


def _flat_image(image: Any, shape: ImageShape, other: tuple[int, ...]) -> Any:
    if _has_shape(image, shape):
        lines = [pixel for line in image for pixel in line]
        return lines if len(shape) == 2 else [value for pixel in lines for value in pixel]
    if not _has_shape(image, other):
        return image
    if len(shape) == 2:
        return [pixel[0] for line in image for pixel in line]
    height, width, channels = shape
    return [image[c][i][j] for i in range(height) for j in range(width) for c in range(channels)]


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    """Return whether nested lists have a shape, down to what is no list at its end."""
    if not shape:
        return not isinstance(value, list)
    is_list = isinstance(value, list) and len(value) == shape[0]
    return is_list and all(_has_shape(each, shape[1:]) for each in value)


def _parse_cells(names: list[str], rows: list[Any], of_words: Collection[str]) -> list[list[Any]]:
    for k, row in enumerate(rows):
        if not isinstance(row, list):
            raise RequestError(f"row {k} is no list of cells")
        if len(row) != len(names):
            raise RequestError(f"row {k} has {len(row)} cells for {len(names)} columns")
        for at, cell in enumerate(row):
            if isinstance(cell, list) and names[at] in of_words:
                row[at] = _parse_list(cell, k, names[at])
            else:
                row[at] = _parse_cell(cell, k, names[at])
    return rows


def _parse_list(values: list[Any], row: int, name: str) -> str:
    try:
        return cell_of_list(values, name, f"row {row}")
    except DataError as error:
        raise RequestError(str(error)) from None


def _check_names(names: list[str], limits: Limits) -> None:
    if len(names) > limits.columns:
        raise RequestError(f"{len(names):,} columns are too many; send at most {limits.columns:,}", 413)
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise RequestError(f"column '{name[:60]}' is there twice")


def _parse_cell(cell: Any, row: int, name: str) -> Any:
    if isinstance(cell, (list, dict)):
        raise RequestError(f"row {row}, column '{name[:60]}': a cell is a number, text, true, false or null")
    # As text it has all its digits, and may be a category; a number column reads it as the same number.
    return str(cell) if isinstance(cell, int) and abs(cell) > 2**53 else cell


def _read_csv(body: bytes, charset: str, model: TrainedModel, limits: Limits) -> Chunk:
    """Return the rows of a CSV body, which is read as the file was that the model was trained on."""
    file_format = model.file_format or FileFormat()
    if charset:
        file_format = file_format.model_copy(update={"encoding": charset, "encoding_is_set": True})
    try:
        table = read_text_table(body, file_format, limits)
    except TooLargeError as error:
        raise RequestError(str(error), 413) from None
    except DataError as error:
        raise RequestError(f"the body is no CSV table with a header: {error}") from None
    return Chunk(0, table.cells, malformed=table.malformed)
