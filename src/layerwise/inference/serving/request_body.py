"""Requests to a served model: a body is read, bounded and checked before the network sees it.

Every response is JSON. A row that cannot be predicted costs itself alone: its answer is the reason. Whatever is wrong
with a body as a whole is a 4xx with one sentence; nothing of the server's inside, such as a traceback or a path, is in
a response.
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from layerwise.data import DataError, ImageShape
from layerwise.data.reading import (
    Chunk,
    FileFormat,
    Limits,
    TooLargeError,
    describe_refused,
    read_text_table,
)
from layerwise.inference.model import TrainedModel
from layerwise.inference.tasks import answer_chunk, answer_rows, find_task, parse_settings, with_seed
from layerwise.parameters import TaskSettings
from layerwise.utils import UserError

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 20_000
MAX_CELLS = 40_000_000
MAX_REASON = 500
TABLE_FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
Response = tuple[str, int, str]
log = logging.getLogger(__name__)


class RequestError(UserError, ValueError):
    """A request that is wrong; the message says how, and `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def handle_request(model: TrainedModel, body: bytes | str, content_type: str | None) -> Response:
    """Return the response's text, status and content type for one request body."""
    try:
        chunk, params = parse_body(model, body, content_type)
        found = _answer(model, chunk, parse_settings(params))
        return json.dumps(found, allow_nan=False, default=str), 200, "application/json"
    except UserError as error:
        status = error.status if isinstance(error, RequestError) else 400
        return _error_response(str(error), status)
    except Exception:  # whatever it is, the body brought it about: the details are the log's alone
        log.exception("A request could not be answered")
        return _error_response(
            "the rows cannot be predicted; compare their columns and values with the example", 400
        )


def _answer(model: TrainedModel, chunk: Chunk | None, settings: TaskSettings) -> dict[str, Any]:
    """Return as `predictions` a record for each row: what the model answers, or `error`, why it does not.

    An answer that was drawn by chance has its `seed` beside.

    Raises:
        TaskError: the model does not do what was asked.
        DataError: no row can be answered.
    """
    task = find_task(model, settings)
    settings = with_seed(task, settings)
    if chunk is None or (task.works_without_rows and not len(chunk)):
        answer, reasons = answer_rows(model, None, settings), None
    else:
        answer, reasons = answer_chunk(model, task, chunk, settings, strict=True)
        if not len(answer):
            raise DataError(describe_refused(reasons))
    if answer.isna().any(axis=None):
        answer = answer.astype(object).where(answer.notna(), None)
    records: list[dict[str, Any]] = answer.to_dict(orient="records")  # type: ignore[assignment]
    if reasons is not None and not task.answers_each_row:
        wrong = [(k, why) for k, why in enumerate(reasons.tolist()) if why]
        records += [{"row": k, "error": why[:MAX_REASON]} for k, why in wrong]
    elif reasons is not None:
        answered = iter(records)
        records = [{"error": why[:MAX_REASON]} if why else next(answered) for why in reasons.tolist()]
    return {"predictions": records} | ({"seed": settings.seed} if "seed" in task.uses else {})


def respond_too_large() -> Response:
    """Return the response to a body of which reading was given up."""
    return _error_response(f"the body is too long; at most {MAX_BYTES:,} bytes are read", 413)


def _error_response(message: str, status: int) -> Response:
    code = {413: "REQUEST_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE"}.get(status, "BAD_REQUEST")
    return json.dumps({"error_code": code, "message": message[:2000]}), status, "application/json"


def parse_body(
    model: TrainedModel, body: bytes | str, content_type: str | None
) -> tuple[Chunk | None, dict[str, Any]]:
    """Return the rows of a body, with what is wrong with those that cannot be read, and its `params`.

    A body of `params` alone has no rows, None.

    Raises:
        RequestError: the type, the size or the form is wrong.
    """
    kind, _, rest = (content_type or "").partition(";")
    kind = kind.strip().lower()
    charset = rest.partition("charset=")[2].strip().strip('"').lower()
    raw = body.encode() if isinstance(body, str) else body
    if len(raw) > MAX_BYTES:
        raise RequestError(f"the body has {len(raw):,} bytes; at most {MAX_BYTES:,} are read", 413)
    if kind not in ("application/json", "text/csv"):
        raise RequestError(f"the content type has to be application/json or text/csv, not '{kind[:60]}'", 415)
    if not _is_taken(charset, kind):
        raise RequestError(f"the charset has to be utf-8, not {charset[:40]}", 415)
    params: dict[str, Any] = {}
    if kind == "text/csv":
        chunk = _read_csv(raw, charset, model)
    else:
        try:
            frame, params = _read_json(raw.decode("utf-8-sig"), model)
        except UnicodeDecodeError as error:
            raise RequestError(f"the body is no UTF-8: byte {error.start} is wrong") from None
        if frame is None:
            return None, params
        chunk = Chunk(0, frame)
    if not len(chunk) and not params:
        raise RequestError("the body holds no rows")
    return chunk, params


def _is_taken(charset: str, kind: str) -> bool:
    """Return whether a charset can be read: JSON is UTF-8, a CSV body may be any text."""
    if charset in ("", "utf-8", "utf8", "us-ascii"):
        return True
    try:
        "".encode(charset)
    except (LookupError, UnicodeError, ValueError):
        return False
    return kind == "text/csv"


def _read_json(text: str, model: TrainedModel) -> tuple[pd.DataFrame | None, dict[str, Any]]:
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"the body is no JSON: {error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError):
        raise RequestError(
            "the body is no JSON that can be read: nested too deeply, or an endless number"
        ) from None
    formats = [name for name in TABLE_FORMATS if name in body] if isinstance(body, dict) else []
    params = body.get("params", {}) if isinstance(body, dict) else {}
    if not isinstance(params, dict):
        raise RequestError("params has to be an object of names and values")
    if params and not formats:
        return None, params
    if len(formats) != 1:
        raise RequestError(f"the body has to be a JSON object with one of {', '.join(TABLE_FORMATS)}")
    names, rows = _parse_table(formats[0], body[formats[0]], model)
    if len(rows) > MAX_ROWS:
        raise RequestError(f"{len(rows):,} rows are too many for one request; send at most {MAX_ROWS:,}", 413)
    return _make_frame(names, rows, most_columns(model)), params


def _parse_table(form: str, value: Any, model: TrainedModel) -> tuple[list[str], list[Any]]:
    """Return the columns' names and the rows of one of MLflow's forms of a table."""
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
        # Not every name of every row: a body could hold a new one in each.
        named = [name for name in expected if any(name in row for row in value)]
        names = list(dict.fromkeys([*list(value[0])[:MAX_COLUMNS], *named]))
        if len(names) * len(value) > MAX_CELLS:
            raise RequestError(f"{len(value):,} rows of {len(names):,} columns are too many", 413)
        return names, [[row.get(name) for name in names] for row in value]
    shape = model.columns.image_shape
    return expected, value if shape is None else _flat_images(value, shape)


def _flat_images(rows: list[Any], shape: ImageShape) -> list[Any]:
    """Return images that are lists of lines as rows of pixels; a single image is one row.

    A color image is a list of lines of pixels of red, green and blue, or of its red, green and blue lines.
    """
    color_first = (shape[2], *shape[:2]) if len(shape) == 3 else shape
    images = [rows] if _has_shape(rows, shape) or _has_shape(rows, color_first) else rows
    return [_flat_image(each, shape, color_first) for each in images]


def _flat_image(image: Any, shape: ImageShape, color_first: tuple[int, ...]) -> Any:
    if _has_shape(image, shape):
        lines = [pixel for line in image for pixel in line]
        return lines if len(shape) == 2 else [value for pixel in lines for value in pixel]
    if len(shape) == 3 and _has_shape(image, color_first):
        height, width, channels = shape
        return [image[c][i][j] for i in range(height) for j in range(width) for c in range(channels)]
    return image


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    """Return whether nested lists have a shape, down to what is no list at its end."""
    if not shape:
        return True
    is_list = isinstance(value, list) and len(value) == shape[0]
    return is_list and all(_has_shape(each, shape[1:]) for each in value)


def _make_frame(names: list[str], rows: list[Any], most: int) -> pd.DataFrame:
    import pandas as pd

    _check_names(names, most)
    for k, row in enumerate(rows):
        if not isinstance(row, list):
            raise RequestError(f"row {k} is no list of cells")
        if len(row) != len(names):
            raise RequestError(f"row {k} has {len(row)} cells for {len(names)} columns")
        for at, cell in enumerate(row):
            row[at] = _parse_cell(cell, k, names[at])
    return pd.DataFrame(rows, columns=names)


def most_columns(model: TrainedModel) -> int:
    """Return how many columns a body may have: those of a model of large images and a few others at least."""
    return max(MAX_COLUMNS, model.columns.n_inputs + 100)


def _check_names(names: list[str], most: int) -> None:
    if len(names) > most:
        raise RequestError(f"{len(names):,} columns are too many; send at most {most:,}", 413)
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise RequestError(f"column '{name[:60]}' is there twice")


def _parse_cell(cell: Any, row: int, name: str) -> Any:
    if isinstance(cell, (list, dict)):
        raise RequestError(f"row {row}, column '{name[:60]}': a cell is a number, text, true, false or null")
    if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) > 2**53:
        return float(cell) if abs(cell) < 10**300 else math.inf
    return cell


def _read_csv(body: bytes, charset: str, model: TrainedModel) -> Chunk:
    """Return the rows of a CSV body, which is read as the file was that the model was trained on."""
    file_format = model.file_format or FileFormat()
    if charset:
        file_format = file_format.model_copy(update={"encoding": charset, "encoding_is_set": True})
    try:
        table = read_text_table(body, file_format, Limits(MAX_ROWS, most_columns(model), MAX_CELLS))
    except TooLargeError as error:
        raise RequestError(str(error), 413) from None
    except DataError as error:
        raise RequestError(f"the body is no CSV table with a header: {error}") from None
    return Chunk(0, table.cells, malformed=table.malformed)
