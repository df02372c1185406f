"""A log of the rows that a model was asked about, with its answers: JSON lines that `evaluate` reads as any file.

It holds the columns that the model reads and those that were named, and nothing else of a request: no address, no
header, no further cell. Its files are readable by their owner alone.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from layerwise.data import DataError
from layerwise.data.reading.cells import trim
from layerwise.inference.model import TrainedModel
from layerwise.inference.serving.settings import ServerSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.data.reading import Chunk

# The bytes that are allowed are kept in so many files, of which the oldest is removed when a new one is begun.
FILES = 8
log = logging.getLogger(__name__)


class RowLog:
    """Writes a line for each row of a request.

    Args:
        model: a supervised network.
        settings: the folder, its bytes, and the columns beside those that the model reads.

    Raises:
        DataError: the model predicts nothing, or the folder cannot be written.
    """

    def __init__(self, model: TrainedModel, settings: ServerSettings) -> None:
        if not model.is_supervised:
            raise DataError(f"--row-log is for models that predict, and this one is a {model.kind}")
        self.folder, self.file_bytes = Path(settings.row_log), settings.row_log_bytes // FILES
        self.names = list(dict.fromkeys([*model.raw_names, *settings.row_log_columns]))
        self._lock, self._file, self._written = threading.Lock(), None, 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._begin()
        except OSError as error:
            raise DataError(f"--row-log {self.folder} cannot be written: {error.strerror}") from None

    def note(self, chunk: Chunk, answer: pd.DataFrame, reasons: np.ndarray) -> None:
        """Write the rows of a request.

        Args:
            chunk: the rows as they were sent; images as a column for each pixel.
            answer: to those that were not refused.
            reasons: why each row was refused, (n,) text.
        """
        frame = chunk.rows.rename(columns=lambda name: trim(str(name)))
        cells = frame.reindex(columns=self.names).astype(object)
        rows = cells.where(cells.notna(), None).to_numpy().tolist()
        given = iter(answer.astype(object).where(answer.notna(), None).to_dict(orient="records"))
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines = []
        for row, why in zip(rows, reasons.tolist(), strict=True):
            found: dict[str, Any] = {"served_at": now} | dict(zip(self.names, row, strict=True))
            found |= {"answer.error": why} if why else {f"answer.{k}": v for k, v in next(given).items()}
            lines.append(json.dumps(found, default=str) + "\n")
        with self._lock, suppress(OSError, ValueError):  # a full disk ends no request
            for line in lines:
                self._write(line)

    def _write(self, line: str) -> None:
        n_bytes = len(line)  # JSON of the standard library is ASCII
        if self._file is None or self._written + n_bytes > self.file_bytes:
            if self._file is not None:
                self._file.close()
            self._file = self._begin()
        self._file.write(line)
        self._written += n_bytes

    def _begin(self) -> IO[str]:
        """Open a file that is not there yet, and remove the oldest ones."""
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        there = sorted(self.folder.glob("rows_*.jsonl"))
        for path in there[: max(len(there) - FILES + 1, 0)]:
            path.unlink(missing_ok=True)
        name = next(
            path for k in range(10_000) if not (path := self.folder / f"rows_{stamp}_{k:04}.jsonl").exists()
        )
        self._written = 0
        # A line is on its way to the disk as soon as it is written.
        return os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", buffering=1)
