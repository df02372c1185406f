"""Rows that were loaded as a whole, in the chunks in which a model answers: what a catalog entry gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.data.errors import DataError
from layerwise.data.reading.chunks import Chunk, ChunkedReader
from layerwise.data.reading.files import typed_lines
from layerwise.data.sources import Documents, ImageReading, Images, Ratings, Texts, images_of_arrays

if TYPE_CHECKING:
    import pandas as pd


class LoadedRows(ChunkedReader):
    """A table, images, ratings or documents in memory, which stand in for a file.

    Args:
        rows: a DataFrame, Images, Ratings, Texts or Documents.
        name: what the rows are called in messages.
        chunk_rows: rows of a chunk.

    Raises:
        DataError: the rows are none of these.
    """

    has_pictures = False

    def __init__(self, rows: Any, name: str, chunk_rows: int = 20_000) -> None:
        import pandas as pd

        if isinstance(rows, Ratings | Texts):
            rows = rows.frame()
        if not isinstance(rows, pd.DataFrame | Images | Documents):
            raise DataError(
                f"{name} gives {type(rows).__name__}, and a model answers for tables, images, ratings and documents"
            )
        self.rows, self.path, self.chunk_rows = rows, Path(name), chunk_rows
        self.labels, self.image_reading = None, ImageReading()

    @property
    def has_image_inputs(self) -> bool:
        """Whether the rows are images."""
        return isinstance(self.rows, Images)

    def frame(self) -> pd.DataFrame:
        """Return a table, or ratings line by line, as a whole."""
        import pandas as pd

        if not isinstance(self.rows, pd.DataFrame):
            raise DataError(f"{self.path} gives {type(self.rows).__name__}, and no table")
        return self.rows

    def header(self, *_: Any) -> list[str]:
        """Return the names of a table's columns; counts of words have their documents' numbers alone."""
        return ["row"] if isinstance(self.rows, Documents) else [str(name) for name in self.frame()]

    def chunks(self, *_: Any) -> Iterator[Chunk]:
        """Yield the rows: those of a table with their cells as lines of a CSV file."""
        for start in range(0, len(self.rows), self.chunk_rows):
            yield self._chunk(start, slice(start, start + self.chunk_rows))

    def _chunk(self, start: int, part: slice) -> Chunk:
        import pandas as pd

        if isinstance(self.rows, Images):
            pixels = images_of_arrays(self.rows.pixels[part], self.image_reading)
            return Chunk(start, pixels, labels=self.rows.labels[part])
        if isinstance(self.rows, Documents):
            counts = pd.DataFrame(self.rows.counts[part].toarray(), columns=list(self.rows.words))
            return Chunk(start, counts, [str(start + k) for k in range(len(counts))])
        frame = self.frame().iloc[part].reset_index(drop=True)
        return Chunk(start, frame, typed_lines(frame))
