"""The preprocessed rows of a table, block by block: what is written to files and never whole in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from layerwise.data.errors import DataError
from layerwise.data.preprocessing import LabelledPreprocessor, tensors_of
from layerwise.data.reading import TableBlocks
from layerwise.data.row_hashes import TEST, TRAINING, VALIDATION
from layerwise.data.rows import TensorData


@dataclass(frozen=True)
class StreamedTable:
    """All rows of a table as tensors, each with its part; each iteration reads the files anew.

    The tensors are those that `preprocess_rows` makes of the same rows in memory, but for the weights: these are as
    they stand, and whoever has those of a part divides them by their mean.

    Args:
        table: all rows.
        parts: (rows of the table,) uint8, as `divide_rows` returns them.
        preprocessor: fitted.
        written: files that already hold the rows of a part, written when those of another part were: one pass over
            the table is enough for all of them.
    """

    table: TableBlocks
    parts: np.ndarray = field(repr=False)
    preprocessor: LabelledPreprocessor = field(repr=False)
    written: dict[int, Path] = field(default_factory=dict, repr=False)

    def part(self, part: int) -> StreamedRows:
        """Return the rows of a part: TRAINING, VALIDATION or TEST."""
        return StreamedRows(self, part)

    def n_rows(self, part: int) -> int:
        """Return how many rows a part has."""
        return int((self.parts == part).sum())

    def blocks(self, *wanted: int) -> Iterator[dict[int, TensorData]]:
        """Yield the rows of some parts by part, in the order of the table.

        Raises:
            DataError: the files have other rows than when they were divided.
        """
        start = 0
        for block in self.table.blocks():
            parts = self.parts[start : start + len(block)]
            start += len(block)
            rows = np.flatnonzero(np.isin(parts, wanted))
            if start <= len(self.parts) and len(rows):
                tensors, parts = self._tensors(block.iloc[rows]), parts[rows]
                places = {part: np.flatnonzero(parts == part) for part in wanted}
                yield {part: tensors[torch.from_numpy(each)] for part, each in places.items() if len(each)}
        if start != len(self.parts):
            raise DataError(f"{self.table.path} has changed while it was read: start the run anew")

    def _tensors(self, rows: object) -> TensorData:
        read = self.preprocessor.read(rows)  # type: ignore[attr-defined]
        return tensors_of(self.preprocessor, read, self.preprocessor.inputs(read), are_all_rows=False)


@dataclass(frozen=True)
class StreamedRows:
    """The rows of one part of a table.

    Args:
        whole: the table.
        part: TRAINING, VALIDATION or TEST.
    """

    whole: StreamedTable
    part: int

    def __len__(self) -> int:
        return self.whole.n_rows(self.part)

    @property
    def others_unwritten(self) -> list[int]:
        """The other parts that no file holds yet."""
        return [p for p in (TRAINING, VALIDATION, TEST) if p != self.part and p not in self.whole.written]
