"""Rows as a network takes them: dense tensors on one device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from layerwise.data.errors import DataError


@dataclass(frozen=True)
class TensorData:
    """Rows on one device; a batch is an index into it.

    Args:
        inputs: (n, d) float.
        targets: (n,) int64 for multiclass, (n, 1) float in {0, 1} for binary, (n, k) float otherwise; or None.
        weights: (n,) how much each row counts in a loss that has targets, and in a metric; None: all the same.
    """

    inputs: Tensor
    targets: Tensor | None = None
    weights: Tensor | None = None

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def device(self) -> torch.device:
        """Where batches are."""
        return self.inputs.device

    @property
    def n_bytes(self) -> int:
        """The memory that the rows take."""
        return sum(x.nbytes for x in (self.inputs, self.targets, self.weights) if x is not None)

    def __getitem__(self, index: Tensor | slice) -> TensorData:
        return TensorData(
            _select_rows(self.inputs, index),
            None if self.targets is None else _select_rows(self.targets, index),
            None if self.weights is None else _select_rows(self.weights, index),
        )

    def with_inputs(self, inputs: Tensor) -> TensorData:
        """Return the same rows with other inputs: the activations of a layer, or a corrupted copy."""
        return replace(self, inputs=inputs)

    def without_targets(self) -> TensorData:
        """Return the same inputs alone."""
        return replace(self, targets=None, weights=None)

    def with_mean_weight_1(self) -> TensorData:
        """Return the same rows with weights whose mean is 1: of losses, weighted means. A DataError: all are 0."""
        if self.weights is None or not len(self):
            return self
        if not self.weights.any():
            raise DataError(
                f"problem.weights: all {len(self):,} rows of a part of the split have the weight 0"
            )
        return replace(self, weights=self.weights / self.weights.mean())

    def weighted(self, losses: Tensor) -> Tensor:
        """Return losses of these rows, each times its row's weight, in the losses' shape.

        Args:
            losses: (rows,), or (members, rows) of the same rows or of a batch that has a line for each member.
        """
        return losses if self.weights is None else losses * self.weights

    def subset(self, index: Tensor | slice) -> TensorData:
        """Return some rows, where all of them are."""
        return self[index]

    def map_inputs(self, function: Callable[[Tensor], Tensor]) -> TensorData:
        """Return the same rows with what a function makes of their inputs: the activations of a layer."""
        return self.with_inputs(function(self.inputs))

    def to(self, device: torch.device | str) -> TensorData:
        """Return the rows on a device."""
        return self.each(lambda values: values.to(device))

    def each(self, function: Callable[[Tensor], Tensor]) -> TensorData:
        """Return the rows with what a function makes of their inputs, their targets and their weights."""
        return TensorData(
            function(self.inputs),
            None if self.targets is None else function(self.targets),
            None if self.weights is None else function(self.weights),
        )


def _select_rows(values: Tensor, index: Tensor | slice) -> Tensor:
    """Return some rows, in the shape of the index; for row numbers, index_select takes a third of the time."""
    if isinstance(index, Tensor) and index.dtype == torch.int64:
        # The order of rows is drawn on the CPU, wherever they are.
        index = index.to(values.device)
        if index.dim() == 1:
            return values.index_select(0, index)
        return values.index_select(0, index.reshape(-1)).view(*index.shape, *values.shape[1:])
    return values[index]
