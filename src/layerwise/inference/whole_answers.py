"""Answers that are made at once: rows that are drawn without any given, items for the users of a file."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data import DataError
from layerwise.data.reading import Chunk, ChunkedReader, describe_refused
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.inference.batch_predict import ERROR_COLUMN, count_reasons
from layerwise.inference.model import TrainedModel
from layerwise.inference.tasks import answer_chunk, answer_rows, find_task
from layerwise.parameters import TaskSettings
from layerwise.utils import address_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

log = logging.getLogger(__name__)


class WholeAnswer:
    """The lines of a CSV file of an answer that has lines of its own; a run says how many, and the seed of drawn ones.

    Args:
        model: answers.
        settings: what is asked: the number of rows, the seed, ...
        reader: the rows that are asked with; None for none. One that cannot be used is a line with its `error`.

    Raises:
        TaskError: the model does not do it.
    """

    def __init__(
        self, model: TrainedModel, settings: TaskSettings, reader: ChunkedReader | None = None
    ) -> None:
        self.model, self.reader = model, reader
        self.task = find_task(model, settings)
        self.settings = self.task.with_seed(settings)
        exempt, own = self.task.exempt_columns, self.task.columns(model, self.settings)
        self.exempt_columns = set(own if exempt is None else exempt)
        self.n_rows = self.n_rejected = 0

    def __iter__(self) -> Iterator[str]:
        """Yield the lines in one piece."""
        yield self._answer().to_csv(index=False)

    def tables(self) -> Iterator[pa.Table]:
        """Yield the answer as one Arrow table."""
        import pyarrow as pa

        yield pa.Table.from_pandas(self._answer(), preserve_index=False)

    def _answer(self) -> pd.DataFrame:
        if self.reader is None:
            found = answer_rows(self.model, None, self.settings)
        else:
            rows = self.task.read_file(self.reader)
            found, reasons = answer_chunk(self.model, self.task, Chunk(0, rows), self.settings, strict=True)
            if not len(found):
                raise DataError(f"{self.reader.path}: {describe_refused(reasons)}")
            found = self._with_errors(found.assign(**{ERROR_COLUMN: None}), reasons)
        self.n_rows = len(found) - self.n_rejected
        return found

    def _with_errors(self, found: pd.DataFrame, reasons: np.ndarray) -> pd.DataFrame:
        """Return the answer, and a line for each row that could not be used."""
        import pandas as pd

        wrong = [f"row {k}: {why}" for k, why in enumerate(reasons) if why]
        self.n_rejected = len(wrong)
        counts: Counter[str] = Counter()
        count_reasons(counts, reasons[reasons != ""])
        for reason, count in counts.most_common():
            log.warning("Rejected %s row(s): %s", f"{count:,}", reason)
        return pd.concat([found.astype(object), pd.DataFrame({ERROR_COLUMN: wrong})]) if wrong else found

    def run_tags(self) -> dict[str, str]:
        """Return what a run says of the model, of the rows and of the seed."""
        given = {} if self.reader is None else {"predict.input": address_of(self.reader.path)}
        drawn = {"predict.seed": str(self.settings.seed)} if "seed" in self.task.uses else {}
        return self.model.run_tags() | given | drawn

    @property
    def logged_metrics(self) -> LoggedMetrics:
        """How many rows the answer has, and how many given ones were refused; once they are written."""
        refused = {} if self.reader is None else {"refused": self.n_rejected}
        return LoggedMetrics.of({"rows": self.n_rows} | refused, prefix="predict/")
