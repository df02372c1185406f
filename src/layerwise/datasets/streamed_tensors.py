"""Rows that come block by block, written into safetensors files without being in memory together."""

from __future__ import annotations

import json
import math
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import safe_open
from torch import Tensor

from layerwise.data import DataError, TensorData
from layerwise.data.out_of_core import StreamedRows
from layerwise.utils import atomic_write

# As the format names them (https://github.com/huggingface/safetensors, "Format").
DTYPES = {torch.float32: "F32", torch.int64: "I64"}
NAMES = ("targets", "inputs", "weights")


def write_streamed(rows: StreamedRows, path: Path, keep_others: bool = False) -> None:
    """Write rows as `TensorsDataset` would write them in memory; the file appears whole or not at all.

    Args:
        rows: of one part of a table.
        path: of the file.
        keep_others: whether the same pass over the table writes its other parts to files beside this one, which take
            their names when their rows are written.

    Raises:
        DataError: there are other rows than there should be, or all weights are 0.
    """
    with atomic_write(path) as own:
        there = rows.whole.written.pop(rows.part, None)
        if there is not None and there.exists():
            shutil.move(there, own)
        else:
            _write_in_one_pass(rows, own, path if keep_others else None)
        _divide_by_mean(own)


def _write_in_one_pass(rows: StreamedRows, own: Path, beside: Path | None) -> None:
    """Write rows to `own`, and those of the other parts that no file holds to files beside a path, if one is given."""
    whole, paths = rows.whole, {rows.part: own}
    if beside is not None:
        paths |= {part: beside.with_name(f".{beside.name}.{part}.part") for part in rows.others_unwritten}
    try:
        with ExitStack() as opened:
            writers = {
                part: _Writer(opened.enter_context(open(path, "wb")), whole.n_rows(part))
                for part, path in paths.items()
            }
            for block in whole.blocks(*paths):
                for part, tensors in block.items():
                    writers[part].add(tensors)
        if any(each.written != each.n_rows for each in writers.values()):
            raise DataError(f"{whole.table.path} has changed while it was read: start the run anew")
    except BaseException:
        for part, path in paths.items():
            if part != rows.part:
                path.unlink(missing_ok=True)
        raise
    whole.written.update({part: path for part, path in paths.items() if part != rows.part})


class _Writer:
    """Write a safetensors file block by block.

    The header comes first, as the number of rows is known before them, and each tensor has its place: a block's rows go
    to the ends of what is written of each.
    """

    def __init__(self, file: BinaryIO, n_rows: int) -> None:
        self.file, self.n_rows, self.written = file, n_rows, 0
        self._places: dict[str, int] = {}

    def add(self, block: TensorData) -> None:
        """Write the next rows."""
        tensors = _tensors(block)
        self._places = self._places or _write_header(self.file, tensors, self.n_rows)
        for name, values in tensors.items():
            self.file.seek(self._places[name])
            self._places[name] += self.file.write(values.contiguous().numpy().data)
        self.written += len(block)


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
    """Divide the weights of a file, if it has any, by their mean in place, as those of rows in memory are."""
    with safe_open(path, "pt") as tensors:
        names = set(tensors.keys())
        if "weights" not in names:
            return
        weights = tensors.get_tensor("weights")
    rows = TensorData(weights[:, None], weights=weights).with_mean_weight_1()
    assert rows.weights is not None
    values = rows.weights.numpy()
    with open(path, "r+b") as file:  # they stand last: nothing else has smaller items
        file.seek(-values.nbytes, 2)
        file.write(values.data)
