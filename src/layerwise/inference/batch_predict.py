"""A trained network's predictions, or what else it answers, beside the rows of a file, made in chunks."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data import DataError
from layerwise.data.reading import Chunk, ChunkedReader, format_csv_cells, format_csv_line
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.inference.answer_tables import answer_table, cells_of_lines, one_schema
from layerwise.inference.model import TrainedModel
from layerwise.inference.reproducible import decimal_texts
from layerwise.inference.tasks import answer_chunk, find_task
from layerwise.parameters import TaskSettings
from layerwise.utils import ProgressLines, address_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ERROR_COLUMN = "error"
# Reasons name columns: a body of names could hold any number of them, each of any length.
MAX_KINDS, MAX_LENGTH = 500, 300
# A quoted cell, or a number that is no part of a name.
VALUE = re.compile(r"""'[^']*'|"[^"]*"|(?<![\w.])-?\d[\d.]*(?:e[+-]?\d+)?(?!\w)""")
log = logging.getLogger(__name__)


def count_reasons(counts: Counter[str], reasons: np.ndarray) -> None:
    """Count rejected rows by the first reason of each, without the values that are in it.

    Args:
        counts: so far; it stays small whatever the rows hold.
        reasons: (n,) text.
    """
    for reason in reasons:
        kind = VALUE.sub("...", reason).split(";")[0][:MAX_LENGTH]
        counts[kind if kind in counts or len(counts) < MAX_KINDS else "other reasons"] += 1


class StreamedPredictions:
    """The lines of a CSV file, or tables: every row as it was, what the model answers, and why it was rejected.

    Images have their position in place of their pixels, pictures the name of their file. The counts of rows
    are logged at the end.

    Args:
        model: answers.
        reader: the rows.
        strict: reject what training never had, as `validate_rows` says.
        settings: what is asked; by default what the model does unasked, predictions of a supervised network.
        watch: is shown each chunk with the answers to its valid rows and the reasons of the others; None for nobody.
    """

    def __init__(
        self,
        model: TrainedModel,
        reader: ChunkedReader,
        strict: bool = True,
        settings: TaskSettings | None = None,
        watch: Callable[[Chunk, pd.DataFrame, np.ndarray], None] | None = None,
    ) -> None:
        if reader.has_image_inputs and not model.has_image_inputs:
            raise DataError(f"{reader.path} holds images, and the model reads the rows of a table")
        self.model, self.reader, self.strict, self._watch = model, reader, strict, watch
        if model.has_image_inputs:
            reader.image_reading = model.preprocessor.image_reading
        self.task = find_task(model, settings or TaskSettings())
        self.settings = self.task.with_seed(settings or TaskSettings())
        # A row has what stood in its file before its answer, a picture its file's name, an array its position.
        self.copies_rows = reader.has_pictures or (not model.has_image_inputs and self.task.beside_rows)
        self.n_rows = self.n_rejected = 0
        # Whether all rows have been answered.
        self.is_complete = False
        self.seconds = 0.0
        self.reasons: Counter[str] = Counter()
        own = [*self.task.columns(model, self.settings), ERROR_COLUMN]
        there = (
            ["file"]
            if reader.has_pictures
            else ["row"]
            if model.has_image_inputs
            else reader.header(model.file_format)
        )
        if not self.task.beside_rows:
            there = [name for name in there if name not in own]
        self.others = there
        twice = sorted(set(own) & set(there))
        if twice:
            raise DataError(
                f"{reader.path} has the column(s) {', '.join(twice)} already; rename or leave them out"
            )
        self.header = [*there, *own]
        exempt = self.task.exempt_columns
        self.exempt_columns = set(self.header) if exempt is None else set(exempt)

    def __iter__(self) -> Iterator[str]:
        """Yield the lines in pieces of many, the header first."""
        yield format_csv_line(self.header) + "\n"
        for chunk, answers, reasons in self._answers():
            texts = [*self._before(chunk), *_format_columns(answers, reasons)]
            yield "\n".join(map(",".join, zip(*texts, strict=True))) + "\n"

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows as Arrow tables of one schema: what stood in the file as text, the answers in their types."""
        yield from one_schema(
            (answer_table(self._cells_before(chunk), answers, reasons, ERROR_COLUMN), len(answers) > 0)
            for chunk, answers, reasons in self._answers()
        )

    def _answers(self) -> Iterator[tuple[Chunk, pd.DataFrame, np.ndarray]]:
        """Yield each chunk with the answers to its valid rows and the reasons of the others, and count them."""
        began, lines = time.perf_counter(), ProgressLines(log)
        self.n_rows = self.n_rejected = 0
        self.is_complete = False
        self.reasons.clear()
        for chunk in self.reader.chunks(self.model.file_format, self.model.plain_numbers):
            answers, reasons = answer_chunk(self.model, self.task, chunk, self.settings, self.strict)
            self._count(reasons)
            if self._watch is not None:
                self._watch(chunk, answers, reasons)
            yield chunk, answers, reasons
            lines.say("%s rows predicted so far, %s rejected", f"{self.n_rows:,}", f"{self.n_rejected:,}")
        self.seconds = time.perf_counter() - began
        self._log_counts()
        self.is_complete = True

    def _before(self, chunk: Chunk) -> list[Iterable[str]]:
        """Return what stands before the answer: a chunk's lines, or cells of the columns that it does not hold."""
        if self.copies_rows:
            return [chunk.lines]
        columns = self._cells_before(chunk).values()
        return [[format_csv_line([cell]) if cell else "" for cell in cells] for cells in columns]

    def _cells_before(self, chunk: Chunk) -> dict[str, list[str | None]]:
        """Return the cells of what stands before the answer, by column."""
        if self.copies_rows:
            return cells_of_lines(chunk.lines, self.others)
        if self.model.has_image_inputs:
            return {self.others[0]: [str(chunk.start + k) for k in range(len(chunk))]}
        return {
            str(name): [
                str(cell) if there and cell != "" else None
                for cell, there in zip(column, column.notna(), strict=True)
            ]
            for name, column in chunk.rows[self.others].items()
        }

    def _count(self, reasons: np.ndarray) -> None:
        bad = reasons[reasons != ""]
        self.n_rows += len(reasons)
        self.n_rejected += len(bad)
        count_reasons(self.reasons, bad)

    def run_tags(self) -> dict[str, str]:
        """Return what a run says of the model and of the rows."""
        drawn = {"predict.seed": str(self.settings.seed)} if "seed" in self.task.uses else {}
        return self.model.run_tags() | {"predict.input": address_of(self.reader.path)} | drawn

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
        for reason, count in self.reasons.most_common():
            log.warning("Rejected %s row(s): %s", f"{count:,}", reason)


def _format_columns(answers: pd.DataFrame, reasons: np.ndarray) -> list[list[str]]:
    """Return the cells of each column as text, empty where the row was rejected, and the reasons.

    Args:
        answers: to the rows that were not rejected, (m, columns).
        reasons: of all rows, (n,) text.
    """
    found = [_format_column(answers[name]) for name in answers]
    right = np.flatnonzero(reasons == "")
    if len(right) < len(reasons):
        for k, texts in enumerate(found):
            cells = np.full(len(reasons), "", dtype=object)
            cells[right] = texts
            found[k] = cells.tolist()
    found.append([reason and format_csv_line([reason]) for reason in reasons])
    return found


def _format_column(column: pd.Series) -> list[str]:
    if column.dtype.kind == "f":
        return decimal_texts(column.to_numpy())
    return format_csv_cells(list(map(str, column.tolist())))
