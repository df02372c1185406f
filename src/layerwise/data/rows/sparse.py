"""Rows with few cells that are not 0, which become dense tensors batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerwise.data.rows.dense import TensorData

# What a CSR matrix consists of, in the order in which SciPy takes them.
CSR_ARRAYS = ("data", "indices", "indptr")


@dataclass(frozen=True)
class SparseTensorData:
    """A SciPy CSR matrix (n, d) that stands in for `TensorData`: an index gives dense rows.

    Args:
        matrix: the rows.
        device: where batches go.
        dtype: of the batches.
    """

    matrix: Any
    device: torch.device | str = "cpu"
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        if getattr(self.matrix, "format", "") != "csr":
            raise ValueError("sparse rows are a SciPy CSR matrix; call its tocsr() first")

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, index: Tensor | slice) -> TensorData:
        chosen = index.cpu().numpy() if isinstance(index, Tensor) else index
        dense = torch.from_numpy(self.matrix[chosen].toarray())
        return TensorData(dense.to(device=self.device, dtype=self.dtype))

    def to(self, device: torch.device | str) -> SparseTensorData:
        """Return the same rows; their batches go to the device."""
        return replace(self, device=device)

    def tensors(self) -> dict[str, Tensor]:
        """Return the matrix as plain tensors: its three arrays, and its number of columns."""
        arrays = {name: torch.from_numpy(getattr(self.matrix, name)) for name in CSR_ARRAYS}
        return arrays | {"columns": torch.tensor([self.matrix.shape[1]])}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> SparseTensorData:
        """Return the rows that `tensors()` was called on."""
        from scipy.sparse import csr_matrix

        arrays = tuple(tensors[name].numpy() for name in CSR_ARRAYS)
        return cls(csr_matrix(arrays, shape=(len(arrays[2]) - 1, int(tensors["columns"]))))

    def column_sums(self) -> Tensor:
        """Return the sum of all rows, shape (1, d): enough to initialize the biases of count units."""
        # In float64: SciPy adds float32 cells up in float32, where a sum of ones ends at 2^24.
        sums = np.bincount(self.matrix.indices, self.matrix.data, self.matrix.shape[1])[None]
        return torch.from_numpy(sums).to(device=self.device, dtype=self.dtype)
