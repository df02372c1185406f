"""Rows that a GPU does not hold: they stay on the host and go to the GPU batch by batch, ahead of the steps."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from layerwise.data.rows.dense import TensorData
from layerwise.data.rows.sparse import SparseTensorData
from layerwise.utils import lack_of_memory

CPU = torch.device("cpu")
log = logging.getLogger(__name__)
# Rows of a block that goes to the device beside the batches.
AT_A_TIME = 2000
# Batches that are copied while a step is taken.
BATCHES_AHEAD = 2

Rows = TypeVar("Rows", TensorData, SparseTensorData)


@dataclass(frozen=True)
class HostTensorData(TensorData):
    """Rows in the host's memory, or in files; what an index takes of them goes to a device.

    Args:
        inputs: on the host, as `targets` and `weights` are.
        goes_to: where batches go.
    """

    goes_to: torch.device = CPU

    @property
    def device(self) -> torch.device:
        """The device of the batches."""
        return self.goes_to

    def __getitem__(self, index: Tensor | slice) -> TensorData:
        return super().__getitem__(index).to(self.goes_to)

    def subset(self, index: Tensor | slice) -> HostTensorData:
        """Return some rows where all of them lie, on the host."""
        found = super().__getitem__(index)
        return HostTensorData(found.inputs, found.targets, found.weights, self.goes_to)

    def map_inputs(self, function: Callable[[Tensor], Tensor]) -> TensorData:
        """Return the same rows with what a function makes of their inputs on the device, block by block.

        Products of blocks may differ from those of all rows in the last digit.
        """
        parts = [
            function(part.to(self.goes_to)).to(self.inputs.device) for part in self.inputs.split(AT_A_TIME)
        ]
        return rows_for_training(TensorData(torch.cat(parts), self.targets, self.weights), self.goes_to)

    def copied_ahead(self, indices: Iterator[Tensor]) -> Iterator[tuple[Tensor, TensorData]]:
        """Yield each index with its rows on the device, while a thread gathers and copies those of the next ones."""
        stream = torch.cuda.Stream(self.goes_to) if self.goes_to.type == "cuda" else None
        ahead: deque[tuple[Tensor, Future[TensorData]]] = deque()
        with ThreadPoolExecutor(1, thread_name_prefix="batches") as worker:
            for index in indices:
                ahead.append((index, worker.submit(self._copy, index, stream)))
                if len(ahead) > BATCHES_AHEAD:
                    yield _taken(*ahead.popleft(), stream)
            while ahead:
                yield _taken(*ahead.popleft(), stream)

    def _copy(self, index: Tensor, stream: torch.cuda.Stream | None) -> TensorData:
        taken = super().__getitem__(index)
        if stream is None:
            return taken.to(self.goes_to)
        with torch.cuda.stream(stream):
            copied = taken.each(lambda x: x.pin_memory().to(self.goes_to, non_blocking=True))
        # In this thread: the copy is whole before the batch is anyone's.
        stream.synchronize()
        return copied


def _taken(
    index: Tensor, copying: Future[TensorData], stream: torch.cuda.Stream | None
) -> tuple[Tensor, TensorData]:
    copied = copying.result()
    if stream is not None:
        # The memory is the other stream's, which must not give it away while steps of this one read it.
        present = torch.cuda.current_stream(stream.device)
        for values in (copied.inputs, copied.targets, copied.weights):
            if values is not None:
                values.record_stream(present)
    return index, copied


def rows_for_training(rows: Rows, device: torch.device) -> Rows:
    """Return rows to learn from on a device: there, or on the host if they take more than half of its free memory.

    Steps on both give the same bits; those on rows of the host are taken from Python.
    """
    if isinstance(rows, TensorData) and (lack := lack_of_memory(device, rows.n_bytes)):
        log.info("%s: they stay on the host, and go there batch by batch", lack)
        return HostTensorData(rows.inputs, rows.targets, rows.weights, device)
    return rows.to(device)
