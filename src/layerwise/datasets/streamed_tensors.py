"""Rows that come block by block, written into one safetensors file without being in memory together."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors.torch import load_file
from torch import Tensor

from layerwise.data import DataError, TensorData
from layerwise.data.out_of_core import StreamedRows
from layerwise.utils import atomic_write

# As the format names them (https://github.com/huggingface/safetensors, "Format").
DTYPES = {torch.float32: "F32", torch.int64: "I64"}
NAMES = ("targets", "inputs", "weights")


def write_streamed(rows: StreamedRows, path: Path) -> None:
    """Write rows as `TensorsDataset` would write them in memory; the file appears whole or not at all.

    The header comes first, as the number of rows is known before them, and each tensor has its place: a block's rows go
    to the ends of what is written of each.

    Raises:
        DataError: there are other rows than there should be.
    """
    n_rows, written = len(rows), 0
    with atomic_write(path) as part:
        places: dict[str, int] = {}
        with open(part, "wb") as file:
            for block in rows.blocks():
                tensors = _tensors(block)
                if not places:
                    places = _write_header(file, tensors, n_rows)
                for name, values in tensors.items():
                    file.seek(places[name])
                    places[name] += file.write(values.contiguous().numpy().data)
                written += len(block)
        if written != n_rows:
            raise DataError(f"{rows.table.path} has changed while it was read: start the run anew")
        if "weights" in places:
            _divide_by_mean(part)


def _tensors(block: TensorData) -> dict[str, Tensor]:
    given = {name: getattr(block, name) for name in NAMES}
    found = {name: values for name, values in given.items() if values is not None}
    # The largest items first: each then stands at a multiple of its size.
    return dict(sorted(found.items(), key=lambda each: -each[1].element_size()))


def _write_header(file: BinaryIO, tensors: dict[str, Tensor], n_rows: int) -> dict[str, int]:
    """Write the length of the header and the header; return where each tensor begins."""
    header, starts, end = {}, {}, 0
    for name, values in tensors.items():
        starts[name], shape = end, (n_rows, *values.shape[1:])
        end += math.prod(shape) * values.element_size()
        header[name] = {"dtype": DTYPES[values.dtype], "shape": shape, "data_offsets": [starts[name], end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    return {name: 8 + len(text) + start for name, start in starts.items()}


def _divide_by_mean(path: Path) -> None:
    """Divide the weights of a file by their mean in place, as those of rows in memory are."""
    weights = load_file(path)["weights"]
    rows = TensorData(weights[:, None], weights=weights).with_mean_weight_1()
    assert rows.weights is not None
    values = rows.weights.numpy()
    with open(path, "r+b") as file:  # they stand last: nothing else has smaller items
        file.seek(-values.nbytes, 2)
        file.write(values.data)
