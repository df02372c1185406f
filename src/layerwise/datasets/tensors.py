"""Prepared rows in the catalog: a safetensors file, so that a run can go on from any node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from safetensors.torch import load_file, save_file

from layerwise.data.tensors import Rows, SparseRows
from layerwise.utils.files import whole_file


class RowsDataset(AbstractDataset[Rows | SparseRows, Rows | SparseRows]):
    """Inputs and targets as tensors, or the three arrays of sparse rows; loaded to the CPU.

    Args:
        filepath: the safetensors file.
        metadata: for plugins; not used here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Rows | SparseRows:
        """Return the rows, as dense or as sparse as they were saved."""
        tensors = load_file(self._filepath)
        if "indptr" in tensors:
            return SparseRows.from_tensors(tensors)
        return Rows(tensors["inputs"], tensors.get("targets"))

    def save(self, data: Rows | SparseRows) -> None:
        """Write the rows; the file appears whole or not at all."""
        if isinstance(data, SparseRows):
            tensors = data.tensors()
        else:
            tensors = {"inputs": data.inputs.cpu().contiguous()}
            if data.targets is not None:
                tensors["targets"] = data.targets.cpu().contiguous()
        with whole_file(self._filepath) as part:
            save_file(tensors, part)

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
