"""The idx format of the MNIST files: a magic number, the sizes, then the bytes.

The magic number is 0, 0, the type of the entries (8 for unsigned bytes) and the number of dimensions; each
size is a big-endian 32-bit integer (LeCun, Cortes and Burges, "The MNIST database of handwritten digits").
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from layerwise.data.sources.files import GZIP_MAGIC

UNSIGNED_BYTE = 8


def read_idx(path: str | Path) -> np.ndarray:
    """Return the array of an idx file of unsigned bytes, plain or gz.

    Returns:
        uint8 array: (n, height, width) for images, (n,) for labels.

    Raises:
        ValueError: the file is not an idx file of unsigned bytes, is truncated, or has bytes to spare.
    """
    raw = Path(path).read_bytes()
    if raw[:2] == GZIP_MAGIC:
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a broken gz file: {error}") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE or raw[3] == 0:
        raise ValueError(
            f"{path} is not an idx file of unsigned bytes: it begins with {raw[:4].hex(' ') or 'nothing'}, "
            f"not with 00 00 08 and the number of dimensions"
        )
    start = 4 + 4 * raw[3]
    if len(raw) < start:
        raise ValueError(f"{path} is truncated: {len(raw)} bytes, where the header alone takes {start}")
    sizes = struct.unpack(f">{raw[3]}I", raw[4:start])
    expected, found = math.prod(sizes), len(raw) - start
    if found != expected:
        state = "truncated" if found < expected else "too long"
        shape = " x ".join(str(size) for size in sizes)
        raise ValueError(f"{path} is {state}: {shape} takes {expected} bytes, it holds {found}")
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(sizes)


def idx_shape(path: str | Path) -> tuple[int, ...]:
    """Return the sizes that the header of an idx file names; its entries are not read.

    Raises:
        ValueError: the header is cut off.
    """
    with Path(path).open("rb") as file:
        is_packed = file.read(2) == GZIP_MAGIC
    with gzip.open(path) if is_packed else Path(path).open("rb") as file:
        head = file.read(4)
        sizes = file.read(4 * head[3]) if len(head) == 4 else b""
    if not sizes or len(sizes) < 4 * head[3]:
        raise ValueError(f"{path} is truncated: its header is not whole")
    return struct.unpack(f">{head[3]}I", sizes)
