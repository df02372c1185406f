"""Rows that were loaded as a whole, in the chunks in which a model answers: what a catalog entry gives."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.data.errors import DataError
from layerwise.data.reading.chunks import Chunk, ChunkedReader
from layerwise.data.sources import ImageReading, Images, images_of_arrays

if TYPE_CHECKING:
    import pandas as pd


class LoadedRows(ChunkedReader):
    """A table or images in memory, which stand in for a file.

    Args:
        rows: a DataFrame, or Images.
        name: what the rows are called in messages.
        chunk_rows: rows of a chunk.

    Raises:
        DataError: the rows are neither a table nor images.
    """

    has_pictures = False

    def __init__(self, rows: pd.DataFrame | Images, name: str, chunk_rows: int = 20_000) -> None:
        import pandas as pd

        if not isinstance(rows, pd.DataFrame | Images):
            raise DataError(f"{name} gives {type(rows).__name__}, and a model answers for tables and images")
        self.rows, self.path, self.chunk_rows = rows, Path(name), chunk_rows
        self.labels, self.image_reading = None, ImageReading()

    @property
    def has_image_inputs(self) -> bool:
        """Whether the rows are images."""
        return isinstance(self.rows, Images)

    def header(self, *_: Any) -> list[str]:
        """Return the names of a table's columns."""
        assert not isinstance(self.rows, Images)
        return [str(name) for name in self.rows]

    def chunks(self, *_: Any) -> Iterator[Chunk]:
        """Yield the rows: those of a table with their cells as lines of a CSV file."""
        for start in range(0, len(self.rows), self.chunk_rows):
            part = slice(start, start + self.chunk_rows)
            if isinstance(self.rows, Images):
                pixels = images_of_arrays(self.rows.pixels[part], self.image_reading)
                yield Chunk(start, pixels, labels=self.rows.labels[part])
            else:
                frame = self.rows.iloc[part].reset_index(drop=True)
                yield Chunk(start, frame, _csv_lines(frame))


def _csv_lines(frame: pd.DataFrame) -> list[str]:
    """Return the rows as lines of a CSV file; a cell with a line break stays one row."""
    columns = [frame[name].astype(object).where(frame[name].notna(), "").tolist() for name in frame]
    lines = []
    for cells in zip(*columns, strict=True):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(cells)
        lines.append(line.getvalue())
    return lines
