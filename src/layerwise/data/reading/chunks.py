"""Rows read from a file in chunks of some thousands, so that a file may be larger than the memory.

A table is a CSV file, also gz; images come as a CSV file of pixels, as idx (also gz), npy or npz, as a picture or a
folder of pictures. Each chunk keeps its lines unchanged, so that a prediction can be written beside its row.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.data.reading.files import format_csv_line, validate_file_exists
from layerwise.data.reading.image_chunks import array_chunks, picture_chunks
from layerwise.data.sources import LABEL_NAMES, ImageSize, image_form
from layerwise.data.tensors import DataSpec

if TYPE_CHECKING:
    import pandas as pd

IMAGE_SUFFIXES = (".npy", ".npz", ".idx", "ubyte")


@dataclass
class Chunk:
    """Some neighbouring rows of a file.

    Args:
        start: position of the first one among the file's rows.
        rows: a DataFrame, or pixels (n, height, width) or (n, d).
        lines: the rows as they stand in the file, without their line ends; the file names of pictures; empty for
            arrays of images.
        malformed: what is wrong with a row of another length than the header or with a broken picture, by its
            position in the chunk.
        labels: (n,) for images that have them.
    """

    start: int
    rows: Any
    lines: list[str] = field(default_factory=list)
    malformed: dict[int, str] = field(default_factory=dict)
    labels: np.ndarray | None = None

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
        # What images are read in: the size of those that the network was trained on.
        self.image_size: ImageSize | None = None
        self._form = image_form(self.path)
        if self._form != "folder":
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
        return self._form is not None or self.path.name.removesuffix(".gz").endswith(IMAGE_SUFFIXES)

    def header(self) -> list[str]:
        """Return the names of a table's columns."""
        with open_text(self.path) as file:
            names = next(csv.reader(file), [])
        if not names:
            raise DataError(f"{self.path} is empty: a table needs a header")
        other = next((mark for mark in ";\t|" if len(names) == 1 and mark in names[0]), None)
        if other:
            raise DataError(
                f"{self.path} has one column, {names[0][:60]!r}: write it with commas, not {other!r}"
            )
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise DataError(f"{self.path} has the column '{twice}' twice")
        return names

    def chunks(self, text_types: dict[str, Any] | None = None) -> Iterator[Chunk]:
        """Yield the rows.

        Args:
            text_types: the type of each column that is text, whatever its cells look like.
        """
        yield from self._image_chunks() if self.has_image_inputs else self._table_chunks(text_types or {})

    def _table_chunks(self, text_types: dict[str, Any]) -> Iterator[Chunk]:
        names = self.header()
        n, start = len(names), 0
        with open_text(self.path) as file:
            source = _LineRecorder(file)
            reader = csv.reader(source)
            next(reader)
            source.take()
            lines: list[str] = []
            malformed: dict[int, str] = {}
            try:
                for cells in reader:
                    line = source.take()
                    if not cells:
                        continue
                    if len(cells) != n:
                        malformed[len(lines)] = f"the row has {len(cells)} cells, and the header {n}"
                        line = format_csv_line((cells + [""] * n)[:n])
                    lines.append(line)
                    if len(lines) == self.chunk_rows:
                        yield Chunk(start, _parse_lines(names, lines, text_types), lines, malformed)
                        start, lines, malformed = start + len(lines), [], {}
            except csv.Error as error:
                raise DataError(f"{self.path}, line {reader.line_num}: {error}") from error
            if lines:
                yield Chunk(start, _parse_lines(names, lines, text_types), lines, malformed)

    def _image_chunks(self) -> Iterator[Chunk]:
        read = picture_chunks if self.has_pictures else array_chunks
        for start, pixels, names, wrong, labels in read(
            self.path, self.chunk_rows, self.labels, self.image_size
        ):
            yield Chunk(start, pixels, [format_csv_line([name]) for name in names], wrong, labels)


class _LineRecorder:
    """Lines of a file that are kept until they are taken: a quoted cell may span several."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._read = iter(file), ""

    def __iter__(self) -> _LineRecorder:
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self._read += line
        return line

    def take(self) -> str:
        """Return what was read since the last time, without the line's end."""
        read, self._read = self._read, ""
        return read.rstrip("\r\n")


def _parse_lines(names: list[str], lines: list[str], text_types: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    whole = "\n".join([format_csv_line(names), *lines, ""])
    types = {name: text_types[name.strip()] for name in names if name.strip() in text_types}
    return pd.read_csv(
        io.StringIO(whole), dtype=types, skip_blank_lines=False, low_memory=False, keep_default_na=not types
    )


def open_text(path: Path) -> IO[str]:
    """Open a text file, also gz; a byte that is no UTF-8 reads as the replacement character."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    return opener(path, "rt", encoding="utf-8-sig", errors="replace", newline="")


def text_columns(preprocessor: LabelledPreprocessor) -> list[str]:
    """Return the columns of a table that a model reads: their cells stay text until the model's own reading."""
    state = preprocessor.state
    return list(state["reading"]["columns"]) if state["kind"] == "table" else []


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
    pixels = frame[taken]
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in pixels.dtypes):
        pixels = pixels.apply(pd.to_numeric, errors="coerce")
    return pixels.to_numpy(dtype=np.float64, na_value=np.nan)
