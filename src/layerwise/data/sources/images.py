"""A set of labelled images, how they are read, and the form in which a file holds them: told by its first bytes."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.sources.files import GZIP_MAGIC, parquet_parts
from layerwise.data.sources.idx import UNSIGNED_BYTE

ImageForm = Literal["folder", "picture", "npz", "npy", "idx"]
ColorName = Literal["auto", "gray", "rgb"]
ChannelsName = Literal["first", "last"]

PICTURE_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
NPY_MAGIC, ZIP_MAGIC = b"\x93NUMPY", b"PK"


@dataclass(frozen=True)
class Images:
    """Labelled images with their origin.

    Args:
        pixels: (n, height, width) numbers of gray images, (n, height, width, 3) of red, green and blue; 0 black to 255
            white unless `problem.reading.pixel_range` says otherwise.
        labels: (n,) int64 or text.
        n_test: the last `n_test` rows are the official test set; 0 when there is none.
        source: where the files were found or downloaded from.
        sha256: of the file, or of the files' joined hashes.
        resized: they had other sizes, and new images are resized alike.
        class_names: the name of each label, for labels 0, 1, ...; empty where labels are shown as they are.
        channels: where the colors stand in arrays whose shape does not tell.
    """

    pixels: np.ndarray
    labels: np.ndarray
    n_test: int = 0
    source: str = ""
    sha256: str = ""
    resized: bool = False
    class_names: tuple[str, ...] = ()
    channels: ChannelsName | None = None

    def __len__(self) -> int:
        return len(self.labels)


class ImageSize(NamedTuple):
    """The size that images are read in; `resize` says whether others are resized to it or refused."""

    height: int
    width: int
    resize: bool = False


class ImageReading(NamedTuple):
    """How images are read.

    Args:
        size: that all of them have; None: of pictures that of the first one, of arrays their own.
        color: `gray` or `rgb` for all of them; `auto`: rgb if any of them has a color.
        channels: of arrays, whether the colors stand before height and width or after them, where the shape does not
            tell.
    """

    size: ImageSize | None = None
    color: ColorName = "auto"
    channels: ChannelsName | None = None


AS_THEY_ARE = ImageReading()


def image_form(path: str | Path) -> ImageForm | None:
    """Return in which form a path holds images, None for a file that is none of them."""
    path = Path(path)
    if path.is_dir():
        return None if parquet_parts(path) else "folder"
    try:
        with path.open("rb") as file:
            head = file.read(16)
        if head.startswith(GZIP_MAGIC):
            with gzip.open(path) as inside:
                return "idx" if _is_idx(inside.read(4)) else None
        if head.startswith(ZIP_MAGIC):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
            return "npz" if names and all(name.endswith(".npy") for name in names) else None
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return None
    if head.startswith(NPY_MAGIC):
        return "npy"
    return "picture" if is_picture(head) else "idx" if _is_idx(head) else None


def _is_idx(head: bytes) -> bool:
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] == UNSIGNED_BYTE and 0 < head[3] < 9


def is_picture(head: bytes) -> bool:
    """Return whether a file that begins with these 16 bytes is a picture."""
    webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    bitmap = head.startswith(b"BM") and head[6:10] == b"\0\0\0\0"
    return head.startswith(PICTURE_MAGIC) or webp or bitmap


def validate_pixel_range(pixels: np.ndarray, white: int) -> None:
    """Refuse a whole set of images that looks as if it had been scaled to [0, 1] already.

    One image may be dark; all of them together reach more than 1 of 255.

    Args:
        pixels: of all images, or of many of them.
        white: the largest value that pixels may have.

    Raises:
        DataError: the largest is above 0 and at most 1, where white is 255.
    """
    largest = float(np.nanmax(pixels)) if pixels.size and not np.isnan(pixels).all() else 0.0
    if white == 255 and 0 < largest <= 1:
        raise DataError(
            f"the largest pixel of all images is {largest:g}: they are scaled to [0, 1] already, and pixels are read "
            "as 0 to 255; give the unscaled images, or train with problem.reading.pixel_range: [0, 1]"
        )
