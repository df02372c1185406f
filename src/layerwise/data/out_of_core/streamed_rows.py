"""The preprocessed rows of one part of a table, block by block: what is written to a file and never whole in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing import LabelledPreprocessor, tensors_of
from layerwise.data.reading import TableBlocks
from layerwise.data.tensors import TensorData


@dataclass(frozen=True)
class StreamedRows:
    """The rows of a part as tensors, in the order of the table; each iteration reads the files anew.

    The tensors are those that `preprocess_rows` makes of the same rows in memory, but for the weights: these are as
    they stand, and whoever has them all divides them by their mean.

    Args:
        table: all rows.
        parts: (rows of the table,) uint8, as `divide_rows` returns them.
        part: which of them.
        preprocessor: fitted.
    """

    table: TableBlocks
    parts: np.ndarray = field(repr=False)
    part: int
    preprocessor: LabelledPreprocessor = field(repr=False)

    def __len__(self) -> int:
        return int((self.parts == self.part).sum())

    def blocks(self) -> Iterator[TensorData]:
        """Yield the rows.

        Raises:
            DataError: the files have other rows than when they were divided.
        """
        start = 0
        for block in self.table.blocks():
            rows = np.flatnonzero(self.parts[start : start + len(block)] == self.part)
            start += len(block)
            if start <= len(self.parts) and len(rows):
                yield self._tensors(block.iloc[rows])
        if start != len(self.parts):
            raise DataError(f"{self.table.path} has changed while it was read: start the run anew")

    def _tensors(self, rows: object) -> TensorData:
        read = self.preprocessor.read(rows)  # type: ignore[attr-defined]
        return tensors_of(self.preprocessor, read, self.preprocessor.inputs(read))
