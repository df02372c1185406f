"""Images and labels in idx files, as MNIST and its like come."""

import gzip
import struct

import numpy as np
import pytest

from layerwise.data.sources import idx_shape
from layerwise.datasets import ImageFiles, SourceImages
from layerwise.profiling import propose_problem

rng = np.random.default_rng(0)
FOUR = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def write(folder, name, packed=False):
    """Write 30 training or 12 test images of 4 x 5, or their labels."""
    n = 12 if name.startswith("t10k") else 30
    array = (
        np.arange(n, dtype=np.uint8) % 3 if "labels" in name else rng.integers(0, 256, (n, 4, 5), np.uint8)
    )
    text = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path = folder / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(text) if packed else text)
    return array


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("given", ["", "train-images-idx3-ubyte"])
def test_the_four_files_of_a_folder_are_training_and_test_images(tmp_path, packed, given):
    arrays = [write(tmp_path, name, packed) for name in FOUR]
    (tmp_path / "readme.txt").write_text("digits")
    file = tmp_path / given if not packed or not given else tmp_path / f"{given}.gz"
    new = propose_problem("mine", file, tmp_path / "project")
    assert new.proposal.value("problem.task") == "multiclass"
    entry = dict(new.proposal.entry)
    assert entry.pop("type") == "layerwise.datasets.SourceImages"
    images = SourceImages(**entry).load()
    np.testing.assert_array_equal(images.pixels, np.concatenate([arrays[0], arrays[2]]))
    np.testing.assert_array_equal(images.labels, np.concatenate([arrays[1], arrays[3]]))
    assert images.n_test == 12
    assert idx_shape(new.path) == (12, 4, 5)


def test_images_and_labels_without_test_images_are_a_problem_too(tmp_path):
    pixels, labels = (write(tmp_path, name) for name in FOUR[:2])
    entry = dict(propose_problem("mine", tmp_path, tmp_path / "project").proposal.entry)
    assert entry.pop("type") == "layerwise.datasets.ImageFiles"
    images = ImageFiles(**entry).load()
    np.testing.assert_array_equal(images.pixels.reshape(pixels.shape), pixels)
    assert images.labels.tolist() == labels.tolist()


def test_a_header_that_is_cut_off_is_named(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"\0\0\x08\x03\0\0")
    with pytest.raises(ValueError, match="its header is not whole"):
        idx_shape(path)
