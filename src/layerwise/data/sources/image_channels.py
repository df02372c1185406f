"""The channels of arrays of images: where they stand, whether they hold colors, and gray ones made of them."""

from __future__ import annotations

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.sources.images import ChannelsName, ImageReading, ImageSize

# Of red, green and blue (ITU-R 601).
LUMA = (0.299, 0.587, 0.114)
# Gray, red green and blue, and these with transparency, which arrays do not use.
CHANNELS = (1, 3, 4)
CHUNK = 1000


class ChannelsError(DataError):
    """The shape of an array does not tell where the colors stand; `likelier` is where most files have them."""

    def __init__(self, message: str, likelier: ChannelsName) -> None:
        super().__init__(message)
        self.likelier: ChannelsName = likelier


def images_of_arrays(pixels: np.ndarray, reading: ImageReading, n_test: int = 0) -> np.ndarray:
    """Return images as (n, height, width) or (n, height, width, 3), in the type of their pixels.

    Rows (n, d) that are no flat color images stay as they are, but where colors are wanted of them.

    Args:
        pixels: (n, height, width), (n, height, width, channels), (n, channels, height, width) or (n, d).
        reading: what is asked for.
        n_test: the last rows, which do not say whether there are colors.

    Raises:
        ChannelsError: the shape does not tell where the colors stand, and `channels` is not set.
        DataError: the shape is none of these.
    """
    pixels = _with_channels_last(_unflattened(pixels, reading), reading.channels)
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim < 4 and reading.color == "rgb":
        pixels = gray_images(pixels, reading.size)
        return pixels if pixels.ndim < 3 else np.repeat(pixels[..., None], 3, -1)
    if pixels.ndim < 4:
        return pixels
    pixels = pixels[..., :3]
    known = pixels[: len(pixels) - n_test]
    if reading.color == "rgb" or (reading.color == "auto" and has_colors(known)):
        return pixels
    gray = pixels.astype(np.float64) @ np.array(LUMA)
    return np.rint(gray).astype(pixels.dtype) if pixels.dtype.kind in "ui" else gray.astype(pixels.dtype)


def has_colors(pixels: np.ndarray) -> bool:
    """Return whether any of the pixels (..., 3) is not gray."""
    parts = (pixels[start : start + CHUNK] for start in range(0, len(pixels), CHUNK))
    return any(bool((part[..., :1] != part[..., 1:3]).any()) for part in parts)


def gray_images(pixels: np.ndarray, size: ImageSize | None) -> np.ndarray:
    """Return rows (n, height * width) of gray images as images: of this size where they have as many values, else
    square ones; all other arrays as they are.
    """
    if pixels.ndim != 2:
        return pixels
    side = round(pixels.shape[1] ** 0.5)
    height, width = size[:2] if size and size.height * size.width == pixels.shape[1] else (side, side)
    return pixels.reshape(-1, height, width) if height * width == pixels.shape[1] else pixels


def _unflattened(pixels: np.ndarray, reading: ImageReading) -> np.ndarray:
    """Return rows (n, 3 * height * width) of color images as images, square ones where no size is known; all other
    arrays as they are.
    """
    if pixels.ndim != 2:
        return pixels
    side = round((pixels.shape[1] / 3) ** 0.5)
    height, width = side, side
    if reading.size is not None:
        if pixels.shape[1] == reading.size.height * reading.size.width:
            return pixels
        if not reading.size.resize or pixels.shape[1] == 3 * reading.size.height * reading.size.width:
            height, width = reading.size[:2]
    if 3 * height * width != pixels.shape[1]:
        return pixels
    if reading.channels is None:
        raise ChannelsError(
            f"rows of {pixels.shape[1]} values may be images of {height} x {width} pixels in color; say where the "
            "colors stand: channels: first (all red values, then green, then blue, as CIFAR has it), or channels: last",
            likelier="first",
        )
    is_first = reading.channels == "first"
    return pixels.reshape(-1, *((3, height, width) if is_first else (height, width, 3)))


def _with_channels_last(pixels: np.ndarray, channels: ChannelsName | None) -> np.ndarray:
    if pixels.ndim < 4:
        return pixels
    first, last = (pixels.ndim == 4 and pixels.shape[axis] in CHANNELS for axis in (1, -1))
    if first and last and (pixels.shape[1] == 3) != (pixels.shape[-1] == 3):
        # Pictures of one or four pixels are rarer than three colors.
        first, last = pixels.shape[1] == 3, pixels.shape[-1] == 3
    if not (first or last):
        raise DataError(
            f"images of shape {pixels.shape[1:]} are neither (height, width) nor (height, width, channels)"
        )
    if first and last and channels is None:
        raise ChannelsError(
            f"images of shape {pixels.shape[1:]} may have their colors first or last; say which: channels: first, or "
            "channels: last",
            likelier="last",
        )
    is_first = first and (channels == "first" or not last)
    return np.moveaxis(pixels, 1, -1) if is_first else pixels
