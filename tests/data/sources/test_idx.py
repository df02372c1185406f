import gzip
import struct

import numpy as np
import pytest

from layerwise.data.sources import read_idx


def idx_bytes(array, kind=8):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gz"])
def test_an_idx_file_is_read_plain_or_compressed_whatever_its_name(tmp_path, images, wrap):
    path = tmp_path / "images.bin"
    path.write_bytes(wrap(idx_bytes(images)))
    np.testing.assert_array_equal(read_idx(path), images)


def test_labels_come_as_one_dimension(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(idx_bytes(np.array([3, 1, 4], dtype=np.uint8)))
    np.testing.assert_array_equal(read_idx(path), [3, 1, 4])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: b"", "it begins with nothing"),
        (lambda raw: b"<html>", "it begins with 3c 68 74 6d"),
        (lambda raw: b"\0\0\x0d" + raw[3:], "it begins with 00 00 0d 03"),
        (lambda raw: raw[:7], "truncated: 7 bytes, where the header alone takes 16"),
        (lambda raw: raw[:-1], r"truncated: 5 x 4 x 3 takes 60 bytes, it holds 59"),
        (lambda raw: raw + b"\0", "too long: 5 x 4 x 3 takes 60 bytes, it holds 61"),
        (lambda raw: gzip.compress(raw)[:-9], "broken gz file"),
    ],
    ids=["empty", "web page", "floats", "half a header", "short", "long", "short gz"],
)
def test_a_file_that_is_no_whole_idx_file_is_refused_by_name(tmp_path, images, spoil, message):
    path = tmp_path / "images-idx3"
    path.write_bytes(spoil(idx_bytes(images)))
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
