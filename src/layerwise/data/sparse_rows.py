"""Rows that stay sparse until a batch of them is needed: word counts, mostly zeros."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerwise.data.rows import Rows

# What a CSR matrix consists of, in the order in which SciPy takes them.
ARRAYS = ("data", "indices", "indptr")


@dataclass(frozen=True)
class SparseRows:
    """A SciPy CSR matrix (n, d) in the place of `Rows`: each index gives dense rows.

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

    def __getitem__(self, index: Tensor | slice) -> Rows:
        chosen = index.cpu().numpy() if isinstance(index, Tensor) else index
        dense = torch.from_numpy(self.matrix[chosen].toarray())
        return Rows(dense.to(device=self.device, dtype=self.dtype))

    def to(self, device: torch.device | str) -> SparseRows:
        """Return the same rows; their batches go to the device."""
        return replace(self, device=device)

    def tensors(self) -> dict[str, Tensor]:
        """Return the matrix as plain tensors: its three arrays, and its number of columns."""
        arrays = {name: torch.from_numpy(getattr(self.matrix, name)) for name in ARRAYS}
        return arrays | {"columns": torch.tensor([self.matrix.shape[1]])}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> SparseRows:
        """Return the rows that `tensors` were made of."""
        from scipy.sparse import csr_matrix

        arrays = tuple(tensors[name].numpy() for name in ARRAYS)
        return cls(csr_matrix(arrays, shape=(len(arrays[2]) - 1, int(tensors["columns"]))))

    def column_sums(self) -> Tensor:
        """Return the sum of all rows, shape (1, d): enough to start count units from."""
        sums = np.asarray(self.matrix.sum(0)).reshape(1, -1)
        return torch.from_numpy(sums).to(device=self.device, dtype=self.dtype)
