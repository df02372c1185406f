"""Images as arrays in npz, npy and idx files, with their labels where the file has some."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.sources.idx import read_idx
from layerwise.data.sources.image_channels import gray_images, images_of_arrays
from layerwise.data.sources.images import AS_THEY_ARE, ImageReading, ImageSize, image_form

LABEL_NAMES = ("labels", "label", "y", "targets", "target", "arr_1")
IMAGE_ARRAY_NAMES = ("images", "pixels", "x", "inputs", "data", "arr_0")
# Names by which published archives (Keras, MedMNIST) hold their parts: training rows first, test rows last.
PARTS = (
    (("x_train", "y_train"), ("x_test", "y_test")),
    (("train_images", "train_labels"), ("val_images", "val_labels"), ("test_images", "test_labels")),
)


@dataclass
class LabelledArrays:
    """Images of one file as arrays: pixels (n, height, width) or (n, height, width, 3), labels (n,) or None, official
    test rows last.
    """

    pixels: np.ndarray
    labels: np.ndarray | None = None
    n_test: int = 0


def read_image_arrays(path: str | Path, reading: ImageReading = AS_THEY_ARE) -> LabelledArrays:
    """Return the images of an npz, npy or idx file, and the labels where the file has some.

    Arrays are (n, height, width), (n, height, width, channels), (n, channels, height, width) or (n, d): an image of the
    size that is asked for, or a square one, a row. One image may stand alone in the size that is asked for.

    Args:
        path: the file.
        reading: their size, colors and channels.

    Raises:
        DataError: the file is none of the known kinds, or holds no images, or the shape does not tell where the colors
            stand; arrays of objects are never read.
    """
    path, form = Path(path), image_form(path)
    try:
        if form == "npz" or path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                found = _from_archive(path, {name.lower(): archive[name] for name in archive.files})
        elif form == "npy" or path.suffix == ".npy":
            found = LabelledArrays(np.load(path, mmap_mode="r", allow_pickle=False))
        else:
            found = LabelledArrays(read_idx(path))
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise error if isinstance(error, DataError) else DataError(f"{path}: {error}") from error
    if found.pixels.ndim < 2 or found.pixels.dtype.kind not in "uif":
        raise DataError(
            f"{path} holds {found.pixels.dtype} of shape {found.pixels.shape}, and no images (n, height, width)"
        )
    if found.labels is None and _is_one_image(found.pixels, reading):
        found.pixels = found.pixels[None]
    found.pixels = _resized(images_of_arrays(found.pixels, reading, found.n_test), reading.size)
    return found


def _is_one_image(pixels: np.ndarray, reading: ImageReading) -> bool:
    """Return whether an array is one image of the size that is asked for, and no set of them."""
    if reading.size is None:
        return False
    height, width, resize = reading.size
    # Lines of 16 numbers are images of 4 x 4 too, where others are resized; one line is an image's row.
    are_rows = height == 1 or (resize and math.isqrt(width) ** 2 == width)
    if reading.color == "rgb":
        return pixels.shape == (height, width, 3)
    return not are_rows and pixels.shape == (height, width)


def _from_archive(path: Path, arrays: dict[str, np.ndarray]) -> LabelledArrays:
    for parts in PARTS:
        there = [(arrays[x], arrays[y]) for x, y in parts if x in arrays and y in arrays]
        if len(there) == len(parts) or (len(there) > 1 and parts[-1][0] in arrays):
            pixels, labels = (np.concatenate(each) for each in zip(*there, strict=True))
            n_test = len(arrays[parts[-1][0]])
            return LabelledArrays(pixels, labels.reshape(-1), n_test)
    image = next((name for name in IMAGE_ARRAY_NAMES if name in arrays), None)
    solid = [name for name, array in arrays.items() if array.ndim > 2]
    if image is None and len(solid) == 1:
        image = solid[0]
    if image is None:
        raise DataError(f"{path} has no array named {' or '.join(IMAGE_ARRAY_NAMES)}: it has {list(arrays)}")
    label = next((name for name in LABEL_NAMES if name in arrays), None)
    return LabelledArrays(arrays[image], None if label is None else _one_dimensional(arrays[label], path))


def read_label_array(path: str | Path) -> np.ndarray:
    """Return the labels (n,) of an npy or idx file.

    Raises:
        DataError: it is neither, or holds no labels.
    """
    path = Path(path)
    try:
        found = (
            np.load(path, allow_pickle=False)
            if image_form(path) == "npy" or path.suffix == ".npy"
            else read_idx(path)
        )
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: {error}") from error
    return _one_dimensional(found, path)


def _one_dimensional(labels: np.ndarray, path: Path) -> np.ndarray:
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if labels.ndim != 1:
        raise DataError(
            f"{path} holds an array of shape {labels.shape}, and labels are one for each image: a number or a name"
        )
    return labels


def _resized(pixels: np.ndarray, size: ImageSize | None) -> np.ndarray:
    if size is None or not size.resize:
        return pixels
    pixels = gray_images(pixels, size)
    if pixels.ndim == 2 or pixels.shape[1:3] == size[:2]:
        return pixels
    from PIL import Image

    to, bilinear = (size.width, size.height), Image.Resampling.BILINEAR
    kind = np.uint8 if pixels.dtype == np.uint8 else np.float32
    if pixels.ndim == 4:
        # Pillow resizes color images of bytes alone.
        planes = [_resized(pixels[..., k], size) for k in range(pixels.shape[-1])]
        return np.stack(planes, axis=-1)
    rows = [np.asarray(Image.fromarray(row).resize(to, bilinear)) for row in pixels.astype(kind)]
    return np.stack(rows)
