"""Responses to requests: JSON, in which a row that cannot be answered costs itself alone.

Nothing of the server's inside, such as a traceback or a path, is in a response.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from layerwise.data import DataError
from layerwise.data.reading import Chunk, Limits, describe_refused
from layerwise.inference.model import TrainedModel
from layerwise.inference.serving.request_body import DEFAULT_LIMITS, ParsedBody, RequestError, parse_body
from layerwise.inference.tasks import Task, answer_chunk, answer_rows, find_task, parse_settings
from layerwise.parameters import TaskSettings
from layerwise.utils import UserError

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Response = tuple[str, int, str]
# What is told of predicted rows: the rows, the answer to those that were not refused, and the reasons of the others.
Note = Callable[[Chunk, "pd.DataFrame", np.ndarray], None]
JSON = "application/json"
# Multiplications for one request: some half a minute of a core.
MAX_PRODUCTS = 10**12
MAX_REASON = 500
MAX_MESSAGE = 2000
BAD_REQUEST = "BAD_REQUEST"
ERROR_CODES = {
    404: "ENDPOINT_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    503: "TOO_BUSY",
}
# A cell of these types in a column of numbers is the same number whatever the others are.
NUMBERS = (int, float, type(None))
DEFAULT_SETTINGS = TaskSettings()
log = logging.getLogger(__name__)


def handle_request(
    model: TrainedModel,
    body: bytes | str,
    content_type: str | None,
    limits: Limits = DEFAULT_LIMITS,
    note: Note | None = None,
) -> Response:
    """Return the response's text, status and content type for one request body."""
    (found,) = handle_requests(model, [(body, content_type)], limits, note)
    return found


def handle_requests(
    model: TrainedModel,
    requests: Sequence[tuple[bytes | str, str | None]],
    limits: Limits = DEFAULT_LIMITS,
    note: Note | None = None,
) -> list[Response]:
    """Return the responses to several requests, each the same that it would be alone.

    Requests of a single row whose columns and kinds of cells are the same are answered as one table. `note` is told
    of predicted rows.
    """
    found: dict[int, Response] = {}
    parsed: dict[int, tuple[ParsedBody, TaskSettings]] = {}
    lots: dict[Any, list[int]] = {}
    numbers = _number_columns(model) if len(requests) > 1 else frozenset()
    for k, (body, content_type) in enumerate(requests):
        read = _attempt(lambda b=body, c=content_type: _read_request(model, b, c, limits))  # type: ignore[misc]
        if isinstance(read, tuple):
            parsed[k] = read
            lots.setdefault(
                (_likeness(model, numbers, *read) if len(requests) > 1 else None) or k, []
            ).append(k)
        else:
            found[k] = read.response
    for lot in lots.values():
        if len(lot) > 1:
            found |= zip(lot, _answer_together(model, [parsed[k] for k in lot], note), strict=True)
        else:
            found[lot[0]] = _answer_alone(model, *parsed[lot[0]], note)
    return [found[k] for k in range(len(requests))]


@dataclass
class _Failure:
    response: Response


def _attempt(what: Callable[[], T]) -> T | _Failure:
    """Return what a function returns, or the response to a request that is wrong."""
    try:
        return what()
    except UserError as error:
        return _Failure(respond(str(error), error.status if isinstance(error, RequestError) else 400))
    except Exception:  # whatever it is, the body brought it about: the details are the log's alone
        log.exception("A request could not be answered")
        return _Failure(
            respond("the rows cannot be predicted; compare their columns and values with the example", 400)
        )


def _read_request(
    model: TrainedModel, body: bytes | str, content_type: str | None, limits: Limits
) -> tuple[ParsedBody, TaskSettings]:
    parsed = parse_body(model, body, content_type, limits)
    if not parsed.params:
        return parsed, DEFAULT_SETTINGS
    settings = parse_settings(parsed.params)
    _check_effort(model, len(parsed.rows or parsed.table or ()), settings, limits)
    return parsed, settings


def _check_effort(model: TrainedModel, n_given: int, settings: TaskSettings, limits: Limits) -> None:
    """Refuse what would hold up all other requests for minutes."""
    task = find_task(model, settings)
    n = n_given or (settings.n if task.works_without_rows else 0)
    how = "fewer rows, or the pipeline predict"
    if n > limits.rows:
        raise RequestError(
            f"{n:,} rows are too many for one request; ask for at most {limits.rows:,}, or {how}", 413
        )
    if task.products(model, settings, n) > MAX_PRODUCTS:
        effort = [f"{name} {getattr(settings, name):,}" for name in ("steps", "samples") if name in task.uses]
        said = f" with {', '.join(effort)}" if effort else ""
        less = f"less {' or '.join(name.split()[0] for name in effort)}, " if effort else ""
        raise RequestError(f"{n:,} rows{said} are too much for one request; ask for {less}{how}", 413)


def _number_columns(model: TrainedModel) -> frozenset[str]:
    """Return the columns that hold numbers, whether they come as 3 or 3.0."""
    if model.has_image_inputs:
        return frozenset(model.columns.feature_names)
    columns = model.preprocessor.reading.columns if model.reads_rows else {}
    return frozenset(name for name, each in columns.items() if each.kind == "number")


def _likeness(
    model: TrainedModel, numbers: frozenset[str], parsed: ParsedBody, settings: TaskSettings
) -> Any:
    """Return what is equal for requests that may be answered as one table; None for one that is answered alone."""
    if parsed.rows is None or len(parsed.rows) != 1 or parsed.misspelt:
        return None
    task = _attempt(lambda: find_task(model, settings))
    if isinstance(task, _Failure) or not task.joins_requests:
        return None
    (row,) = parsed.rows
    if model.has_image_inputs:
        try:
            model.validate_file(np.asarray([row], dtype=np.float64))
        except (DataError, ValueError, TypeError):
            return None
    # A table's column has one type, which its cells decide together: 3 beside 2.5 is 3.0, which as text is another.
    types = tuple(
        float if name in numbers and type(cell) in NUMBERS else type(cell)
        for name, cell in zip(parsed.names, row, strict=True)
    )
    return tuple(parsed.names), types, settings.model_dump_json() if parsed.params else ""


def _answer_alone(
    model: TrainedModel, parsed: ParsedBody, settings: TaskSettings, note: Note | None
) -> Response:
    found = _attempt(lambda: _answer(model, parsed.chunk(), settings, note))
    return found.response if isinstance(found, _Failure) else _success(found)


def _answer_together(
    model: TrainedModel, parsed: list[tuple[ParsedBody, TaskSettings]], note: Note | None
) -> list[Response]:
    settings = parsed[0][1]
    rows = [row for each, _ in parsed for row in each.rows or ()]
    whole = ParsedBody({}, parsed[0][0].names, rows).chunk()
    assert whole is not None
    # That each file of images begins with a possible largest pixel was seen before, row by row.
    chunk = Chunk(1, whole.rows)
    answered = _attempt(lambda: _noted(model, find_task(model, settings), chunk, settings, note))
    if isinstance(answered, _Failure):
        return [_answer_alone(model, *each, note) for each in parsed]
    answer, reasons = answered
    records = iter(_records(answer))
    return [
        respond(describe_refused(np.array([why])), 400) if why else _success({"predictions": [next(records)]})
        for why in reasons.tolist()
    ]


def _success(found: dict[str, Any]) -> Response:
    return json.dumps(found, allow_nan=False, default=str), 200, "application/json"


def _records(answer: pd.DataFrame) -> list[dict[str, Any]]:
    if answer.isna().any(axis=None):
        answer = answer.astype(object).where(answer.notna(), None)
    return answer.to_dict(orient="records")  # type: ignore[return-value]


def _noted(
    model: TrainedModel, task: Task, chunk: Chunk, settings: TaskSettings, note: Note | None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the answer to a chunk's valid rows, and why each other row was refused, after both were noted."""
    answer, reasons = answer_chunk(model, task, chunk, settings, strict=True)
    if note is not None and task.name == "predict":
        try:
            note(chunk, answer, reasons)
        except Exception:  # an answer is worth more than its record
            log.exception("The rows of a request could not be logged")
    return answer, reasons


def _answer(
    model: TrainedModel, chunk: Chunk | None, settings: TaskSettings, note: Note | None
) -> dict[str, Any]:
    """Return as `predictions` a record for each row: what the model answers, or `error`, why it does not.

    An answer that was drawn by chance has its `seed` beside.

    Raises:
        TaskError: the model does not do what was asked.
        DataError: no row can be answered.
    """
    task = find_task(model, settings)
    settings = task.with_seed(settings)
    if chunk is None or not len(chunk):
        answer, reasons = answer_rows(model, None, settings), None
    else:
        answer, reasons = _noted(model, task, chunk, settings, note)
        if not len(answer):
            raise DataError(describe_refused(reasons))
    records = _records(answer)
    if reasons is not None and not task.answers_each_row:
        wrong = [(k, why) for k, why in enumerate(reasons.tolist()) if why]
        records += [{"row": k, "error": why[:MAX_REASON]} for k, why in wrong]
    elif reasons is not None:
        answered = iter(records)
        records = [{"error": why[:MAX_REASON]} if why else next(answered) for why in reasons.tolist()]
    return {"predictions": records} | ({"seed": settings.seed} if "seed" in task.uses else {})


def respond(message: str, status: int) -> Response:
    """Return the response that says what is wrong."""
    return (
        json.dumps({"error_code": ERROR_CODES.get(status, BAD_REQUEST), "message": message[:MAX_MESSAGE]}),
        status,
        JSON,
    )
