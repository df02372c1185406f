"""Images' proposal: where the labels are, the size, and the range of the pixels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.data import DataError
from layerwise.data.preprocessing import class_text, positive_class
from layerwise.data.sources import (
    image_form,
    list_pictures,
    picture_sizes,
    read_image_arrays,
)
from layerwise.profiling.proposal import Choice

# What a fully connected network can still take.
MAX_SIDE = 64


def propose_images(path: Path) -> tuple[dict[str, Any], list[Choice], list[str], np.ndarray]:
    """Return the fields of an `ImageFiles` entry, the settings, what was found, and the labels (n,).

    Raises:
        DataError: the images have no labels, or one class.
    """
    if path.is_dir():
        return _of_pictures(path)
    if image_form(path) == "picture":
        raise DataError(
            f"{path} is one picture; give the folder that holds all of them, one folder for each class"
        )
    found = read_image_arrays(path)
    if found.labels is None:
        raise DataError(
            f"{path} has no labels; save them with the images: numpy.savez(name, images=..., labels=...)"
        )
    shape = " x ".join(map(str, found.pixels.shape[1:]))
    findings = [f"{len(found.pixels):,} images of {shape}, stored as {found.pixels.dtype}"]
    if found.n_test:
        findings.append(f"{found.n_test:,} of them are the archive's own test rows, and stay so")
    choices = _classes(found.labels)
    largest = float(np.nanmax(found.pixels))
    if 0 < largest <= 1:
        reason = f"the largest pixel is {largest:g}: the images are scaled to [0, 1] already"
        choices.append(Choice("problem.reading.pixel_range", [0, 1], reason, "[0, 255]"))
    elif largest > 255 or float(np.nanmin(found.pixels)) < 0:
        raise DataError(
            f"the pixels of {path} lie from {np.nanmin(found.pixels):g} to {largest:g}; save them as 0 to 255 or 0 to 1"
        )
    return {}, choices, findings, found.labels


def _of_pictures(folder: Path) -> tuple[dict[str, Any], list[Choice], list[str], np.ndarray]:
    pictures = list_pictures(folder)
    if not all(pictures.labels):
        raise DataError(
            f"{folder} holds pictures that lie in no folder of their class: put each class into a folder of its own"
        )
    sizes = Counter(picture_sizes([folder / name for name in pictures.names]))
    broken = sizes.pop((0, 0), 0)
    if broken:
        raise DataError(
            f"{broken} of {len(pictures.names)} pictures in {folder} cannot be read; take them out"
        )
    findings = [
        f"{len(pictures.names):,} pictures in {len(set(pictures.labels))} folders; colors become gray"
    ]
    if pictures.n_others:
        findings.append(f"{pictures.n_others} files are no pictures and are left out")
    if pictures.n_test:
        findings.append(f"{pictures.n_test:,} pictures below test/ are the official test rows")
    fields: dict[str, Any] = {}
    height, width = (int(np.median(side)) for side in zip(*sizes.elements(), strict=True))
    shrink = max(height, width) / MAX_SIDE
    if len(sizes) > 1 or shrink > 1:
        size = [max(1, round(side / max(1.0, shrink))) for side in (height, width)]
        fields["size"] = size
        common = ", ".join(f"{h} x {w}" for (h, w), _ in sizes.most_common(3))
        findings.append(
            f"the pictures have {len(sizes)} size(s), such as {common}; all are resized to {size[0]} x {size[1]}, the "
            "middle one" + (f", with no side above {MAX_SIDE} pixels" if shrink > 1 else "")
        )
    labels = np.array(pictures.labels)
    return fields, _classes(labels), findings, labels


def _classes(labels: np.ndarray) -> list[Choice]:
    counts = Counter(class_text(value) for value in labels.tolist())
    if len(counts) < 2:
        raise DataError("all images have one label: there is nothing to learn")
    if len(counts) > 2:
        return [Choice("problem.task", "multiclass", f"{len(counts)} classes")]
    classes = sorted(counts)
    chosen = positive_class(classes, labels)
    other = next(each for each in classes if each != chosen)
    reason = f"{counts[chosen]} of {len(labels)} images; answers, F1 and thresholds are of it"
    return [
        Choice("problem.task", "binary", "two classes"),
        Choice("problem.positive", chosen, reason, other),
    ]
