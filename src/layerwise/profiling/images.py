"""Images' proposal: where the labels are, the size, and the range of the pixels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.data import DataError
from layerwise.data.preprocessing import class_text
from layerwise.data.sources import (
    PART_FOLDERS,
    ChannelsError,
    ImageReading,
    Pictures,
    have_colors,
    idx_shape,
    image_form,
    labels_in_names,
    list_pictures,
    picture_sizes,
    read_idx,
    read_image_arrays,
    shown_names,
)
from layerwise.profiling.proposal import Choice, choose_positive

# What a fully connected network can still take, of gray pictures and of those in color.
MAX_SIDE, MAX_COLOR_SIDE = 64, 36
MOST_NAMED = 20
# Names of the files that MNIST and its like come in: t10k-images-idx3-ubyte.gz.
TEST_NAMES = ("test", "t10k")
IDX_PARTS = ("training_images", "training_labels", "test_images", "test_labels")
GRAY_INSTEAD = "set color: gray in catalog.yml where it says nothing"


def propose_images(path: Path) -> tuple[dict[str, Any], list[Choice], list[str]]:
    """Return the fields of an `ImageFiles` entry, the settings and what was found.

    Raises:
        DataError: the images have no labels, or one class.
    """
    if path.is_dir():
        return _of_pictures(path)
    if image_form(path) == "picture":
        raise DataError(
            f"{path} is one picture; give the folder that holds all of them, one folder for each class"
        )
    fields: dict[str, Any] = {"type": "layerwise.datasets.ImageFiles"}
    try:
        found = read_image_arrays(path)
    except ChannelsError as error:
        fields["channels"] = error.likelier
        found = read_image_arrays(path, ImageReading(channels=error.likelier))
    if found.labels is None:
        raise DataError(
            f"{path} has no labels; save them with the images: numpy.savez(name, images=..., labels=...)"
        )
    shape = " x ".join(map(str, found.pixels.shape[1:3]))
    findings = [f"{len(found.pixels):,} images of {shape}, stored as {found.pixels.dtype}"]
    if "channels" in fields:
        findings.append(
            f"their shape does not tell where the colors stand; they are read as channels: {fields['channels']}"
        )
    if found.pixels.ndim == 4:
        fields["color"] = "rgb"
        findings.append(f"they have colors, which are kept; {GRAY_INSTEAD}")
    if found.n_test:
        findings.append(f"{found.n_test:,} of them are the archive's own test rows, and stay so")
    choices = _classes(found.labels)
    findings.insert(1, _counted(found.labels))
    largest = float(np.nanmax(found.pixels))
    if 0 < largest <= 1:
        reason = f"the largest pixel is {largest:g}: the images are scaled to [0, 1] already"
        choices.append(Choice("problem.reading.pixel_range", [0, 1], reason, "[0, 255]"))
    elif largest > 255 or float(np.nanmin(found.pixels)) < 0:
        raise DataError(
            f"the pixels of {path} lie from {np.nanmin(found.pixels):g} to {largest:g}; save them as 0 to 255 or 0 to 1"
        )
    return fields, choices, findings


def find_idx_files(path: Path) -> dict[str, Path]:
    """Return the files of images and labels in which MNIST and its like come: of a folder, or beside one of them.

    They are told by their dimensions and names.

    Returns:
        The files by `IDX_PARTS`, or by `images` and `labels` where there are no test images; empty where a file lacks.
    """
    if not (path.is_dir() or image_form(path) == "idx"):
        return {}
    found: dict[str, dict[str, Path]] = {}
    for file in sorted((path if path.is_dir() else path.parent).iterdir()):
        if file.is_file() and image_form(file) == "idx":
            part = "test" if any(name in file.name.lower() for name in TEST_NAMES) else "training"
            what = "labels" if len(idx_shape(file)) == 1 else "images"
            # Unpacked beside its archive, a file is there twice.
            found.setdefault(f"{part}_{what}", {})[file.name.removesuffix(".gz")] = file
    if any(len(files) > 1 for files in found.values()) or {*found} not in ({*IDX_PARTS}, {*IDX_PARTS[:2]}):
        return {}
    files = {part: next(iter(found[part].values())) for part in IDX_PARTS if part in found}
    return files if len(files) == 4 else {part.removeprefix("training_"): files[part] for part in files}


def propose_idx(files: dict[str, Path]) -> tuple[dict[str, Any], list[Choice], list[str]]:
    """Return the fields of the images' entry without its files, the settings and what was found."""
    is_split = "test_images" in files
    labels = [read_idx(file).astype(np.int64) for part, file in files.items() if part.endswith("labels")]
    n, *size = idx_shape(files["training_images" if is_split else "images"])
    more = f", and {len(labels[1]):,} test images, which stay so" if is_split else ""
    findings = [f"{n:,} images of {' x '.join(map(str, size))}{more}", _counted(labels[0])]
    if is_split:
        findings.append(
            "the classes are called by their numbers; class_names: [...] in catalog.yml names them"
        )
    source = "SourceImages" if is_split else "ImageFiles"
    return {"type": f"layerwise.datasets.{source}"}, _classes(np.concatenate(labels)), findings


def _of_pictures(folder: Path) -> tuple[dict[str, Any], list[Choice], list[str]]:
    pictures = list_pictures(folder)
    are_parts = {label.lower() for label in pictures.labels} <= {"", *PART_FOLDERS}
    in_names = are_parts and labels_in_names(pictures.names) is not None
    if in_names:
        pictures = list_pictures(folder, in_names=True)
    elif are_parts or not all(pictures.labels):
        raise DataError(
            f"{folder} holds pictures that lie in no folder of their class, and their names tell none (cat.0.jpg, "
            "cat.1.jpg, dog.0.jpg ...): put each class into a folder of its own, or name a CSV file of their names and "
            "labels under labels in catalog.yml"
        )
    read = picture_sizes([folder / name for name in pictures.names], to_their_end=True)
    broken = [k for k, size in enumerate(read) if size == (0, 0)]
    choices = _leaving_out(pictures, broken)
    pictures = pictures.without(broken)
    paths = [folder / name for name in pictures.names]
    sizes = Counter(size for size in read if size != (0, 0))
    held = "with their labels in their names" if in_names else f"in {len(set(pictures.labels))} folders"
    findings = [
        f"{len(pictures.names):,} pictures {held}",
        _counted(np.array(pictures.labels)),
    ]
    findings += [each.reason for each in choices]
    in_color = have_colors(paths)
    if in_color:
        findings.append(f"they have colors, which are kept; {GRAY_INSTEAD}")
    if pictures.n_others:
        findings.append(f"{pictures.n_others} file(s) are no pictures and are left out")
    if pictures.n_test:
        findings.append(f"{pictures.n_test:,} pictures below test/ are the official test rows")
    fields: dict[str, Any] = {"type": "layerwise.datasets.ImageFiles"}
    if in_names:
        fields["labels_in_names"] = True
    height, width = (int(np.median(side)) for side in zip(*sizes.elements(), strict=True))
    most = MAX_COLOR_SIDE if in_color else MAX_SIDE
    shrink = max(height, width) / most
    if len(sizes) > 1 or shrink > 1:
        size = [max(1, round(side / max(1.0, shrink))) for side in (height, width)]
        fields["size"] = size
        common = ", ".join(f"{h} x {w}" for (h, w), _ in sizes.most_common(3))
        findings.append(
            f"the pictures have {len(sizes)} size(s), such as {common}; all are resized to {size[0]} x {size[1]}, the "
            "middle one" + (f", with no side above {most} pixels" if shrink > 1 else "")
        )
    if in_color:
        fields["color"] = "rgb"
    return fields, [*_classes(np.array(pictures.labels)), *choices], findings


def _leaving_out(pictures: Pictures, broken: list[int]) -> list[Choice]:
    """Return the setting that leaves out the pictures at some positions, which cannot be read; a DataError: all."""
    if not broken:
        return []
    names = pictures.names
    reason = (
        f"{len(broken)} of {len(names)} pictures cannot be read: {shown_names([names[k] for k in broken])}"
    )
    if len(broken) == len(names):
        raise DataError(f"{pictures.folder}: {reason}")
    return [Choice("problem.reading.bad_rows", "drop", f"{reason}; they are left out", "refuse")]


def _counted(labels: np.ndarray) -> str:
    """Return the classes with how many images each has."""
    counts = sorted(Counter(class_text(value) for value in labels.tolist()).items())
    shown = ", ".join(f"{name} ({n:,})" for name, n in counts[:MOST_NAMED])
    more = f", and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
    return f"its classes are {shown}{more}"


def _classes(labels: np.ndarray) -> list[Choice]:
    counts = Counter(class_text(value) for value in labels.tolist())
    if len(counts) < 2:
        raise DataError("all images have one label: there is nothing to learn")
    if len(counts) > 2:
        return [Choice("problem.task", "multiclass", f"{len(counts)} classes")]
    return [Choice("problem.task", "binary", "two classes"), choose_positive(labels, "images")]
