"""Ask a model about raw rows: the valid ones are answered, and each other one has its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data import DataError
from layerwise.data.reading import describe_refused
from layerwise.inference.model import NOT_FINITE
from layerwise.inference.reproducible import shortest_decimals
from layerwise.inference.tasks.base import Task, find_task
from layerwise.parameters import TaskSettings
from layerwise.utils import derive_seed

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.data.reading import Chunk
    from layerwise.inference.model import TrainedModel


def answer_chunk(
    model: TrainedModel, task: Task, chunk: Chunk, settings: TaskSettings, strict: bool
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the answer to a chunk's valid rows (m, columns), and why each other row was rejected, (n,) text."""
    rows, reasons = validate_chunk(model, task, chunk, strict)
    if chunk.start and "seed" in task.uses:
        # Each chunk draws other numbers; the first one draws those of a frame.
        settings = settings.model_copy(update={"seed": derive_seed(settings.seed, chunk.start)})
    return _answer(model, task, rows, reasons, settings), reasons


def validate_chunk(model: TrainedModel, task: Task, chunk: Chunk, strict: bool) -> tuple[Any, np.ndarray]:
    """Return a chunk's rows as a model reads them, and why each of them cannot be answered, (n,) text."""
    import pandas as pd

    rows = task.select(model, chunk.rows) if isinstance(chunk.rows, pd.DataFrame) else chunk.rows
    # Pictures, which alone of all images have names, say in themselves what white is.
    if chunk.start == 0 and (isinstance(chunk.rows, pd.DataFrame) or not chunk.lines):
        _validate_file(model, rows)
    reasons = task.validate(model, rows, strict)
    for row, reason in chunk.malformed.items():
        reasons[row] = reason
    return rows, reasons


def valid_rows(rows: Any, reasons: np.ndarray) -> Any:
    """Return the rows that have no reason to be refused."""
    import pandas as pd

    right = np.flatnonzero(reasons == "")
    return rows.iloc[right] if isinstance(rows, pd.DataFrame) else rows[right]


def _validate_file(model: TrainedModel, rows: Any) -> None:
    if isinstance(rows, np.ndarray):
        model.validate_file(np.nan_to_num(rows))


def answer_rows(
    model: TrainedModel, frame: pd.DataFrame | None, settings: TaskSettings, strict: bool = True
) -> pd.DataFrame:
    """Return a model's answer to raw rows; one that was drawn by chance has the seed as `attrs["seed"]`.

    Args:
        model: what is asked.
        frame: the rows; None or a frame without rows where the task does without.
        settings: what is asked of it.
        strict: whether a cell of a kind that training never had is an error.

    Raises:
        TaskError: the model does not do that.
        DataError: rows cannot be answered; the message names the first of them with their reasons.
    """
    task = find_task(model, settings)
    settings = task.with_seed(settings)
    if frame is None or (task.works_without_rows and len(frame) == 0):
        if not task.works_without_rows:
            raise DataError(f"the task {task.name} needs rows")
        found = task.answer(model, None, settings)
    else:
        rows = task.select(model, frame)
        _validate_file(model, rows)
        reasons = task.validate(model, rows, strict)
        found = _answer(model, task, rows, reasons, settings)
        if (reasons != "").any():
            raise DataError(describe_refused(reasons))
        found.index = frame.index if task.answers_each_row and len(found) == len(frame) else found.index
    if "seed" in task.uses:
        found.attrs["seed"] = settings.seed
    return found


def _answer(
    model: TrainedModel, task: Task, rows: Any, reasons: np.ndarray, settings: TaskSettings
) -> pd.DataFrame:
    """Return the answer to the rows without a reason, and add one for those whose answer is not finite."""
    import pandas as pd

    right = np.flatnonzero(reasons == "")
    if not len(right):
        return pd.DataFrame(columns=task.columns(model, settings), dtype=np.float64)
    found = task.answer(model, valid_rows(rows, reasons), settings).reset_index(drop=True)
    numbers = found.select_dtypes("float").to_numpy(dtype=np.float64)
    wrong = ~np.isfinite(numbers).all(1) if task.beside_rows else np.zeros(len(right), dtype=bool)
    reasons[right[wrong]] = NOT_FINITE
    return _with_shortest_decimals(found[~wrong] if wrong.any() else found)


def _with_shortest_decimals(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose float32 columns are float64 with the fewest digits: a file and JSON hold the same."""
    import pandas as pd

    names = frame.select_dtypes("float32").columns
    if not len(names):
        return frame
    values: dict[Any, Any] = dict(zip(names, shortest_decimals(frame[names].to_numpy().T), strict=True))
    return pd.DataFrame({name: values.get(name, frame[name]) for name in frame}, index=frame.index)
