"""A trained network's predictions beside the rows of a file, made in chunks."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data import DataError
from layerwise.data.reading import Chunk, ChunkedReader, format_csv_line
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.inference.model import TrainedModel
from layerwise.inference.reproducible import decimal_texts

if TYPE_CHECKING:
    import pandas as pd

ERROR_COLUMN = "error"
MAX_SHOWN, MAX_KINDS = 5, 500
# A quoted cell, or a number that is no part of a name.
VALUE = re.compile(r"""'[^']*'|"[^"]*"|(?<![\w.])-?\d[\d.]*(?:e[+-]?\d+)?(?!\w)""")
log = logging.getLogger(__name__)


def predict_chunk(model: TrainedModel, chunk: Chunk, strict: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return a chunk's scores (n, k), NaN for rejected rows, and why each row was rejected, (n,) text."""
    import pandas as pd

    rows = model.select_inputs(chunk.rows) if isinstance(chunk.rows, pd.DataFrame) else chunk.rows
    # Pictures, which alone of all images have names, say in themselves what white is.
    if chunk.start == 0 and (isinstance(chunk.rows, pd.DataFrame) or not chunk.lines):
        model.validate_file(rows)
    reasons = model.validate(rows, strict)
    for row, reason in chunk.malformed.items():
        reasons[row] = reason
    right = np.flatnonzero(reasons == "")
    scores = np.full((len(reasons), model.columns.n_outputs), np.nan, dtype=np.float32)
    if len(right):
        scores[right] = model.scores(rows.iloc[right] if isinstance(rows, pd.DataFrame) else rows[right])
    not_finite = right[~np.isfinite(scores[right]).all(1)]
    reasons[not_finite] = "the network's output is not a finite number: values too far from training"
    return scores, reasons


def count_reasons(counts: Counter[str], reasons: np.ndarray) -> None:
    """Count rejected rows by the first reason of each, without the values that are in it.

    Args:
        counts: so far; it stays small whatever the rows hold.
        reasons: (n,) text.
    """
    for reason in reasons:
        kind = VALUE.sub("...", reason).split(";")[0][:120]
        counts[kind if kind in counts or len(counts) < MAX_KINDS else "other reasons"] += 1


class StreamedPredictions:
    """The lines of a CSV file: every row as it was, its predictions, and why it was rejected.

    Images have their position in place of their pixels, pictures the name of their file. The counts of rows
    are logged at the end.

    Args:
        model: predicts.
        reader: the rows.
        strict: reject what training never had, as `validate_rows` says.
    """

    def __init__(self, model: TrainedModel, reader: ChunkedReader, strict: bool = True) -> None:
        if reader.has_image_inputs and not model.has_image_inputs:
            raise DataError(f"{reader.path} holds images, and the model reads the rows of a table")
        self.model, self.reader, self.strict = model, reader, strict
        reader.image_size = model.preprocessor.image_size if model.has_image_inputs else None
        # A row has what stood in its file before its predictions, a picture its file's name, an array its position.
        self.copies_rows = reader.has_pictures or not model.has_image_inputs
        self.n_rows = self.n_rejected = 0
        self.seconds = 0.0
        self.reasons: Counter[str] = Counter()
        own = [*model.interpret_scores(np.zeros((0, model.columns.n_outputs), np.float32)), ERROR_COLUMN]
        there = (
            ["file"]
            if reader.has_pictures
            else reader.header(model.file_format)
            if self.copies_rows
            else ["row"]
        )
        twice = sorted(set(own) & set(there))
        if twice:
            raise DataError(
                f"{reader.path} has the column(s) {', '.join(twice)} already; rename or leave them out"
            )
        self.header = [*there, *own]

    def __iter__(self) -> Iterator[str]:
        """Yield the lines in pieces of many, the header first."""
        began = time.perf_counter()
        self.n_rows = self.n_rejected = 0
        self.reasons.clear()
        yield format_csv_line(self.header) + "\n"
        for chunk in self.reader.chunks(self.model.file_format, self.model.plain_numbers):
            scores, reasons = predict_chunk(self.model, chunk, self.strict)
            self._count(reasons)
            first = (
                chunk.lines if self.copies_rows else map(str, range(chunk.start, chunk.start + len(chunk)))
            )
            texts = _format_columns(self.model.interpret_scores(np.nan_to_num(scores)), reasons)
            yield "\n".join(map(",".join, zip(first, *texts, strict=True))) + "\n"
        self.seconds = time.perf_counter() - began
        self._log_counts()

    def _count(self, reasons: np.ndarray) -> None:
        bad = reasons[reasons != ""]
        self.n_rows += len(reasons)
        self.n_rejected += len(bad)
        count_reasons(self.reasons, bad)

    def run_tags(self) -> dict[str, str]:
        """Return what a run says of the model and of the rows."""
        return self.model.run_tags() | {"predict.input": str(self.reader.path)}

    @property
    def logged_metrics(self) -> LoggedMetrics:
        """How many rows there were, how many of them were refused, and how long it took; once all are written."""
        counts = {"rows": self.n_rows, "refused": self.n_rejected, "seconds": self.seconds}
        return LoggedMetrics.of(counts, prefix="predict/")

    def _log_counts(self) -> None:
        if self.n_rows == 0:
            raise DataError(f"{self.reader.path} has a header but no rows")
        log.info(
            "%s rows predicted, %s rejected, %s rows/s",
            f"{self.n_rows - self.n_rejected:,}",
            f"{self.n_rejected:,}",
            f"{self.n_rows / max(self.seconds, 1e-9):,.0f}",
        )
        for reason, count in self.reasons.most_common(MAX_SHOWN):
            log.warning("Rejected %s row(s): %s", f"{count:,}", reason)


def _format_columns(predictions: pd.DataFrame, reasons: np.ndarray) -> list[list[str]]:
    """Return the cells of each prediction column as text, empty where the row was rejected, and the reasons."""
    found = [_format_column(predictions[name]) for name in predictions]
    bad = np.flatnonzero(reasons != "")
    shown = [""] * len(reasons)
    for row in bad.tolist():
        for cells in found:
            cells[row] = ""
        shown[row] = format_csv_line([reasons[row]])
    return [*found, shown]


def _format_column(column: pd.Series) -> list[str]:
    if column.dtype.kind == "f":
        return decimal_texts(column.to_numpy())
    shown: dict[Any, str] = {value: format_csv_line([str(value)]) for value in column.unique()}
    return [shown[value] for value in column.tolist()]
