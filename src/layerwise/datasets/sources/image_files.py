"""Catalog entry for one's own images: a folder of pictures, or arrays in npz, npy and idx files. It is only read."""

from __future__ import annotations

import csv
import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from kedro.io import DatasetError

from layerwise.data import DataError
from layerwise.data.reading.cells import plain_text
from layerwise.data.sources import (
    LABEL_NAMES,
    ChannelsName,
    ColorName,
    ImageReading,
    Images,
    ImageSize,
    LabelledArrays,
    Pictures,
    SourceFile,
    gray_images,
    image_form,
    list_pictures,
    picture_sizes,
    read_image_arrays,
    read_label_array,
    read_pictures,
    sha256_of,
    shown_names,
)
from layerwise.datasets.sources.base import SourceDataset, source_file
from layerwise.utils import address_of, parameter

log = logging.getLogger(__name__)
MAX_REASONS = 3
COLOR_NAMES, CHANNELS_NAMES = get_args(ColorName), (*get_args(ChannelsName), None)


class ImageFiles(SourceDataset):
    """Labelled images in the form that they are kept in, which is told by content.

    A folder holds `class/picture.png`, or `train/class/picture.png` and `test/class/picture.png`, or any pictures with
    a CSV file of their names and labels, or with their labels in their names. An npz file holds `images` and `labels`,
    or `x_train`, `y_train`, `x_test` and `y_test`; npy and idx files have their labels in a second file. Arrays are
    (n, height, width), with the colors, if any, after the width or before the height.

    Args:
        images: the fields of a `layerwise.data.sources.files.SourceFile`; its `name` may be that of a folder.
        labels: the same of the labels: an npy or idx file, or a CSV file with a column of file names and one of labels.
        test_images, test_labels: the same of official test images.
        size: height and width that all images are resized to (bilinear); null where they have one size.
        color: gray (luma), rgb, or auto: rgb if any image but the official test ones has a color.
        channels: first or last, where arrays hold their colors; where their shape does not tell.
        labels_in_names: whether the labels of pictures stand before a number in their names, as in cat.0.jpg.
        label_column: of a CSV file of labels; null: the one named label, class, target or y, or the one that is left.
        where: what `SourceDataset` takes.
    """

    ROWS = "images"

    def __init__(
        self,
        *,
        images: dict[str, Any],
        labels: dict[str, Any] | None = None,
        test_images: dict[str, Any] | None = None,
        test_labels: dict[str, Any] | None = None,
        size: Sequence[int] | None = None,
        color: ColorName = "auto",
        channels: ChannelsName | None = None,
        labels_in_names: bool = False,
        label_column: str | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self._label_column, self._in_names = label_column, labels_in_names
        if labels and labels_in_names:
            raise DatasetError(
                "labels names a file of labels, and labels_in_names takes them from the pictures' names"
            )
        parts = [(images, labels), *([(test_images, test_labels)] if test_images else [])]
        self._parts = [(source_file(part), source_file(its) if its else None) for part, its in parts]
        if size is not None and (
            len(size) != 2 or not all(isinstance(side, int) and 0 < side <= 4096 for side in size)
        ):
            raise DatasetError(f"size is [height, width] in pixels, not {list(size)}")
        wanted = ImageSize(size[0], size[1], resize=True) if size else None
        for name, value, known in (("color", color, COLOR_NAMES), ("channels", channels, CHANNELS_NAMES)):
            if value not in known:
                raise DatasetError(f"{name} is one of {', '.join(filter(None, known))}, not {value!r}")
        self._reading = ImageReading(wanted, color, channels)

    def load(self) -> Images:
        """Return the images: pixels (n, height, width) or (n, height, width, 3), labels (n,).

        Raises:
            DatasetError: a file is absent or broken, images differ in size and `size` is not set, or one has no label.
        """
        try:
            read = [self._read(*self._parts[0], self._reading)]
            # The test images are read as the training images were.
            found = self._reading._replace(color="rgb" if read[0][0].pixels.ndim == 4 else "gray")
            read += [self._read(images, labels, found) for images, labels in self._parts[1:]]
        except DataError as error:
            raise DatasetError(str(error)) from error
        arrays, sources, hashes = zip(*read, strict=True)
        shapes = {part.pixels.shape[1:3] for part in arrays}
        if len(shapes) > 1:
            raise DatasetError(
                f"The images have two sizes: {' and '.join(map(str, shapes))}; add size: [height, width] to the entry"
            )
        first = arrays[0]
        n_test = first.n_test if len(arrays) == 1 else len(arrays[1].pixels)
        return Images(
            pixels=np.concatenate([part.pixels for part in arrays]) if len(arrays) > 1 else first.pixels,
            labels=_labels(np.concatenate([part.labels for part in arrays])),
            n_test=n_test,
            source=sources[0],
            sha256=hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
            resized=self._reading.size is not None,
            channels=self._reading.channels,
        )

    def _read(
        self, images: SourceFile, labels: SourceFile | None, reading: ImageReading
    ) -> tuple[LabelledArrays, str, str]:
        """Return the images of one part with where they are and their hash."""
        folder = self._locate_folder(images)
        path = folder or self._locate(images)
        named = None if labels is None else self._locate(labels)
        if folder is not None:
            pictures = list_pictures(folder, in_names=self._in_names)
            if named is not None:
                every = len(pictures.names)
                pictures = _with_labels(pictures, named, self._label_column)
                if left := every - len(pictures.names):
                    self._say(
                        log, logging.WARNING, f"{left} pictures have no line in {named} and are left out"
                    )
            found, sha256 = self._read_pictures(pictures, reading), pictures.sha256()
            if images.sha256 not in (None, sha256):
                raise DataError(f"{path} holds other pictures than were asked for: sha256 {sha256}")
        elif image_form(path) == "picture":
            raise DataError(f"{path} is one picture; name the folder that holds all of them")
        else:
            found, sha256 = read_image_arrays(path, reading), images.sha256 or sha256_of(path)
            if named is not None:
                found.labels, found.n_test = read_label_array(named), 0
        found.pixels = gray_images(found.pixels, reading.size)
        if found.pixels.ndim == 2:
            raise DataError(
                f"{path} holds rows of {found.pixels.shape[1]} values, which is no square image; "
                "store (n, height, width)"
            )
        if found.labels is None:
            raise DataError(
                f"{path} has no labels; name their file under labels in the entry"
                + (
                    ""
                    if folder is None
                    else ", put the pictures into a folder for each class, or say labels_in_names"
                )
            )
        if len(found.labels) != len(found.pixels):
            raise DataError(f"{len(found.labels)} labels do not fit {len(found.pixels)} images in {path}")
        if not len(found.pixels):
            raise DataError(f"{path} holds no images")
        return found, address_of(path), sha256

    def _read_pictures(self, pictures: Pictures, reading: ImageReading) -> LabelledArrays:
        if pictures.n_others:
            note = f"{pictures.folder}: {pictures.n_others} file(s) are no pictures and are left out"
            self._say(log, logging.INFO, note)
        paths = [pictures.folder / name for name in pictures.names]
        if reading.size is None:
            _require_one_size(pictures, picture_sizes(paths))
        pixels, wrong = read_pictures(paths, reading, pictures.n_test)
        if wrong:
            reasons = "; ".join([*wrong.values()][:MAX_REASONS])
            found = f"{len(wrong)} of {len(paths)} pictures cannot be read"
            if parameter("problem.reading.bad_rows") != "drop":
                raise DataError(
                    f"{found}; take them out, or add bad_rows: drop to problem.reading: {reasons}"
                )
            self._say(log, logging.WARNING, f"{found} and are left out: {reasons}")
            pictures = pictures.without(wrong)
            pixels = np.delete(pixels, list(wrong), axis=0)
        return _labelled(pictures, pixels)

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "images": [images.name for images, _ in self._parts]}


def _labelled(pictures: Pictures, pixels: np.ndarray) -> LabelledArrays:
    without = [name for name, label in zip(pictures.names, pictures.labels, strict=True) if not label]
    if len(without) == len(pixels):
        return LabelledArrays(pixels)
    if without:
        raise DataError(
            f"{len(without)} pictures lie beside the folders of the classes: {shown_names(without)}"
        )
    return LabelledArrays(pixels, np.array(pictures.labels), pictures.n_test)


def _labels(labels: np.ndarray) -> np.ndarray:
    return labels.astype(np.int64) if labels.dtype.kind in "iub" else labels.astype(str)


def _require_one_size(pictures: Pictures, sizes: list[tuple[int, int]]) -> None:
    counts = Counter(size for size in sizes if size != (0, 0))
    if len(counts) < 2:
        return
    (common, _), (other, _) = counts.most_common(2)
    heights, widths = zip(*counts.elements(), strict=True)
    middle = f"[{int(np.median(heights))}, {int(np.median(widths))}]"
    raise DataError(
        f"the pictures in {pictures.folder} have {len(counts)} sizes, such as {common[0]} x {common[1]} and "
        f"{other[0]} x {other[1]} ({pictures.names[sizes.index(other)]}); add the one to resize them to: size: {middle}"
    )


def _with_labels(pictures: Pictures, path: Path, label_column: str | None) -> Pictures:
    """Return the pictures that a CSV file names, with their labels, in the order of the folder."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = file.read()
    header = text.splitlines()[0] if text.strip() else ""
    mark = max(",;\t", key=header.count)
    names, *rows = [row for row in csv.reader(text.splitlines(), delimiter=mark) if row] or [[]]
    known = _positions(pictures.names)
    files = max(
        range(len(names)), key=lambda j: sum(row[j] in known for row in rows if j < len(row)), default=0
    )
    if not rows or len(names) < 2 or not any(row[files] in known for row in rows):
        raise DataError(f"no column of {path} names the pictures in {pictures.folder}")
    column = _label_column(names, files, label_column, path)
    short = next((k for k, row in enumerate(rows) if len(row) != len(names)), None)
    if short is not None:
        raise DataError(f"{path}, row {short + 1}: {len(rows[short])} cells, and the header has {len(names)}")
    missing = [row[files] for row in rows if row[files] not in known]
    if missing:
        raise DataError(f"{len(missing)} pictures of {path} are not there: {shown_names(missing)}")
    labels = {known[row[files]]: plain_text(row[column]) for row in rows}
    if len(labels) < len(rows):
        raise DataError(f"{path} names a picture twice")
    empty = [row[files] for row in rows if not plain_text(row[column])]
    if empty:
        raise DataError(f"{len(empty)} pictures of {path} have no label: {shown_names(empty)}")
    kept = sorted(labels)
    return Pictures(pictures.folder, [pictures.names[k] for k in kept], [labels[k] for k in kept])


def _positions(names: Sequence[str]) -> dict[str, int]:
    """Return the position of each name, and of each without its suffix where that is one picture's alone."""
    stems = Counter(name.rpartition(".")[0] for name in names)
    short = {stem: k for k, name in enumerate(names) if stems[stem := name.rpartition(".")[0]] == 1}
    return short | {name: k for k, name in enumerate(names)}


def _label_column(names: list[str], files: int, asked: str | None, path: Path) -> int:
    if asked is not None:
        if asked not in names:
            raise DataError(f"{path} has no column '{asked}': it has {', '.join(names)}")
        return names.index(asked)
    others = [k for k in range(len(names)) if k != files]
    named = [k for k in others if names[k].strip().lower() in (*LABEL_NAMES, "class", "target")]
    if len(named) == 1 or len(others) == 1:
        return (named or others)[0]
    raise DataError(
        f"{path} has several columns that may be the label; name it: label_column: {names[others[-1]]}"
    )
