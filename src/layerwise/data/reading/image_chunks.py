"""New images in chunks: of arrays in one file, of a folder of pictures, or one picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.sources import (
    ImageReading,
    labels_in_names,
    list_pictures,
    read_image_arrays,
    read_label_array,
    read_pictures,
)


class ImageChunk(NamedTuple):
    """Some neighbouring images of a file or folder.

    Args:
        start: position of the first one.
        pixels: (n, height, width), (n, height, width, 3) or (n, d).
        names: the file names of pictures; empty for arrays.
        wrong: what is wrong with a picture, by its position in the chunk.
        labels: (n,) of those that have them.
    """

    start: int
    pixels: np.ndarray
    names: list[str]
    wrong: dict[int, str]
    labels: np.ndarray | None


def array_chunks(
    path: Path, chunk_rows: int, labels: Path | None, reading: ImageReading
) -> Iterator[ImageChunk]:
    """Yield the images of an npz, npy or idx file, with its labels or those of another file."""
    found = read_image_arrays(path, reading)
    given = found.labels if labels is None else read_label_array(labels)
    for part in _parts(path, len(found.pixels), chunk_rows, given):
        yield ImageChunk(part.start, found.pixels[part], [], {}, None if given is None else given[part])


def picture_chunks(
    path: Path, chunk_rows: int, labels: Path | None, reading: ImageReading
) -> Iterator[ImageChunk]:
    """Yield a picture, or those of a folder, whose label is the folder that each lies in, or else in its name."""
    folder, names, given = path.parent, [path.name], None
    if path.is_dir():
        found = list_pictures(path)
        folder, names = found.folder, found.names
        named = found.labels if any(found.labels) else labels_in_names(names, classes_are_known=True)
        given = None if named is None else np.asarray(named, dtype=object)
    given = given if labels is None else read_label_array(labels)
    for part in _parts(path, len(names), chunk_rows, given):
        pixels, wrong = read_pictures([folder / name for name in names[part]], reading)
        yield ImageChunk(part.start, pixels, names[part], wrong, None if given is None else given[part])


def _parts(path: Path, n: int, chunk_rows: int, labels: np.ndarray | None) -> list[slice]:
    if labels is not None and len(labels) != n:
        raise DataError(f"{len(labels)} labels do not fit {n} images in {path}")
    return [slice(start, min(start + chunk_rows, n)) for start in range(0, n, chunk_rows)]
