"""Rows read from a file in chunks of some thousands, so that a file may be larger than the memory.

A table is text, Parquet or Excel, told by its bytes, or the .txt files of a folder; images come as a CSV file of
pixels, as idx (also gz), npy or npz, as a picture or a folder of pictures. Each chunk keeps its lines, so that a
prediction can be written beside its row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from layerwise.data.data_spec import DataSpec
from layerwise.data.errors import DataError
from layerwise.data.reading.files import (
    FileFormat,
    NumberColumns,
    format_csv_line,
    iter_text_tables,
    resolve_file_format,
    validate_file_exists,
)
from layerwise.data.reading.image_chunks import array_chunks, picture_chunks
from layerwise.data.reading.settings import ReadingSettings
from layerwise.data.sources import (
    LABEL_NAMES,
    ImageForm,
    ImageReading,
    holds_texts,
    image_form,
    read_labelled_texts,
)

if TYPE_CHECKING:
    import pandas as pd

IMAGE_SUFFIXES = (".npy", ".npz", ".idx", "ubyte")


@dataclass
class Chunk:
    """Some neighbouring rows of a file.

    Args:
        start: position of the first one among the file's rows.
        rows: a DataFrame of cells, or pixels (n, height, width), (n, height, width, 3) or (n, d).
        lines: the rows as lines of a CSV file, without their ends; the file names of pictures; empty for
            arrays of images.
        malformed: what is wrong with a row of another length than the header or with a broken picture, by its
            position in the chunk.
        labels: (n,) for images that have them.
        line_numbers: (n,) of a table's rows in the file.
    """

    start: int
    rows: Any
    lines: list[str] = field(default_factory=list)
    malformed: dict[int, str] = field(default_factory=dict)
    labels: np.ndarray | None = None
    line_numbers: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)


class ChunkedReader:
    """The rows of a file, in chunks; they can be iterated over any number of times.

    Args:
        path: the file.
        chunk_rows: rows of a chunk.
        labels: an idx or npy file with the images' labels.

    Raises:
        DataError: there is no such file, or it is empty.
    """

    def __init__(self, path: str | Path, chunk_rows: int = 20_000, labels: str | Path | None = None) -> None:
        self.path, self.chunk_rows = Path(path), chunk_rows
        self.labels = Path(labels) if labels else None
        # How images are read: as those were that the network was trained on.
        self.image_reading = ImageReading()
        self._form: ImageForm | Literal["texts"] | None = image_form(self.path)
        if self._form == "folder" and holds_texts(self.path):
            self._form = "texts"
        if self._form not in ("folder", "texts"):
            validate_file_exists(self.path)
        if self.labels:
            validate_file_exists(self.labels)

    @property
    def has_pictures(self) -> bool:
        """Whether the rows are pictures, each a file with a name."""
        return self._form in ("folder", "picture")

    @property
    def has_image_inputs(self) -> bool:
        """Whether the rows are images rather than lines of text."""
        if self._form == "texts":
            return False
        return self._form is not None or self.path.name.removesuffix(".gz").endswith(IMAGE_SUFFIXES)

    def header(self, file_format: FileFormat | None = None) -> list[str]:
        """Return the names of the cells of a table's lines, "" for a column without a name.

        Args:
            file_format: that of the file which the model was trained on; None to find that of this file.
        """
        if self._form == "texts":
            return ["file"]
        return list(next(iter_text_tables(self.path, self._format(file_format), 1)).header)

    def chunks(self, file_format: FileFormat | None = None, numbers: Collection[str] = ()) -> Iterator[Chunk]:
        """Yield the rows; those of a table are cells that nothing is made of yet.

        Args:
            file_format: that of the file which the model was trained on; None to find that of this file.
            numbers: columns that may come as numbers where all of their cells in a chunk are.
        """
        if self.has_image_inputs:
            yield from self._image_chunks()
        elif self._form == "texts":
            yield from self._text_chunks()
        else:
            yield from self._table_chunks(self._format(file_format), NumberColumns(frozenset(numbers)))

    def _table_chunks(self, file_format: FileFormat, numbers: NumberColumns) -> Iterator[Chunk]:
        start = 0
        for table in iter_text_tables(self.path, file_format, self.chunk_rows, numbers):
            if len(table):
                yield Chunk(start, table.cells, table.lines, table.malformed, line_numbers=table.line_numbers)
                start += len(table)

    def _text_chunks(self) -> Iterator[Chunk]:
        """Yield the texts of a folder as rows of a table: `text`, and `label` where they lie in folders."""
        import pandas as pd

        found = read_labelled_texts(self.path)
        frame = pd.DataFrame(found.columns())
        lines = [format_csv_line([name]) for name in found.names]
        for start in range(0, len(frame), self.chunk_rows):
            part = slice(start, start + self.chunk_rows)
            yield Chunk(start, frame[part].reset_index(drop=True), lines[part])

    def _format(self, file_format: FileFormat | None) -> FileFormat:
        return file_format or resolve_file_format(self.path, ReadingSettings())

    def _image_chunks(self) -> Iterator[Chunk]:
        read = picture_chunks if self.has_pictures else array_chunks
        for start, pixels, names, wrong, labels in read(
            self.path, self.chunk_rows, self.labels, self.image_reading
        ):
            yield Chunk(start, pixels, [format_csv_line([name]) for name in names], wrong, labels)


def extract_pixels(frame: pd.DataFrame, data_spec: DataSpec) -> np.ndarray:
    """Return the pixels (n, d) of a table that has a column for each: by their names, or in order beside a label.

    Raises:
        DataError: there is another number of pixel columns.
    """
    import pandas as pd

    names = [str(name) for name in frame]
    if set(data_spec.feature_names) <= set(names):
        taken = list(data_spec.feature_names)
    else:
        taken = [name for name in names if name.lower() not in (*LABEL_NAMES, *data_spec.target_names)]
        if len(taken) != data_spec.n_inputs:
            raise DataError(
                f"the table has {len(taken)} pixel columns, and the network reads {data_spec.n_inputs}: name them "
                f"{data_spec.feature_names[0]} ... {data_spec.feature_names[-1]}, or leave out what is no pixel"
            )
    pixels = frame.set_axis(names, axis=1)[taken]  # numbers may be names, too
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in pixels.dtypes):
        pixels = pixels.apply(pd.to_numeric, errors="coerce")
    return pixels.to_numpy(dtype=np.float64, na_value=np.nan)
