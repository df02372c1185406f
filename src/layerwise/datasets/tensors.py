"""Preprocessed rows in the catalog: a safetensors file, so that a run can go on from any node."""

from __future__ import annotations

from pathlib import Path

import torch
from kedro.io import DatasetError
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from layerwise.data import DataError, SparseTensorData, TensorData
from layerwise.data.out_of_core import StreamedRows
from layerwise.datasets.previews import COLUMNS, DIGITS, ROWS, TablePreview, table_preview
from layerwise.datasets.stored import StoredDataset
from layerwise.datasets.streamed_tensors import write_streamed
from layerwise.utils import atomic_write


class TensorsDataset(StoredDataset[TensorData | SparseTensorData]):
    """Inputs and targets as tensors, or the three arrays of sparse rows; loaded to the CPU, as dense as they were.

    What is loaded is mapped from the file, so that it takes no memory of its own. `StreamedRows` are written block by
    block.
    """

    def _read(self, path: Path) -> TensorData | SparseTensorData:
        tensors = load_file(path)
        if "indptr" in tensors:
            return SparseTensorData.from_tensors(tensors)
        return TensorData(tensors["inputs"], tensors.get("targets"), tensors.get("weights"))

    def _write(self, data: TensorData | SparseTensorData | StreamedRows, path: Path) -> None:
        if isinstance(data, StreamedRows):
            try:
                write_streamed(data, path, keep_others=not self._location.is_remote)
            except DataError as error:
                raise DatasetError(f"{error}.") from error
            return
        if isinstance(data, SparseTensorData):
            tensors = data.tensors()
        else:
            tensors = {"inputs": data.inputs.cpu().contiguous()}
            for name in ("targets", "weights"):
                values = getattr(data, name)
                if values is not None:
                    tensors[name] = values.cpu().contiguous()
        with atomic_write(path) as part:
            save_file(tensors, part)

    def preview(self) -> TablePreview:
        """Return the first rows and columns, for Kedro-Viz; of sparse rows how many there are."""
        with safe_open(self._local_path(), "pt") as file:
            names = set(file.keys())
            if "inputs" not in names:
                return table_preview(("rows",), [(file.get_slice("indptr").get_shape()[0] - 1,)])
            inputs = file.get_slice("inputs")[:ROWS]
            shown = inputs[:, :COLUMNS]
            columns = [f"input {k + 1} of {inputs.shape[1]}" for k in range(shown.shape[1])]
            if "targets" in names:
                targets = file.get_slice("targets")[:ROWS].reshape(len(shown), -1)[:, :COLUMNS]
                shown = torch.cat([shown, targets.to(shown)], 1)
                columns += [f"target {k + 1}" for k in range(targets.shape[1])]
        return table_preview(columns, [[round(value, DIGITS) for value in row] for row in shown.tolist()])
