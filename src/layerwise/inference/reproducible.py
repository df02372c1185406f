"""What gives a row the same bits whatever stands beside it, and however its answer is written.

A matrix product sums a row's terms in an order that depends on how many rows there are, on the row's place among them
and on where in memory it begins. So rows are computed in blocks of one size, the last one padded, and what is summed
over is padded to whole cache lines, so that every row begins at the boundary of one. One thread computes a block, and
several share the blocks. It holds on one machine with its versions of the packages; elsewhere answers differ in their
last digits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

# A multiple of 64, so that vector instructions leave no rest. Fewer make large files slower, more a single row.
BLOCK_ROWS = 256
MANY_ROWS = 4 * BLOCK_ROWS
COPIED_ROWS = 2 * MANY_ROWS
# From so many blocks on larger ones are tried, of rows of so many numbers at most.
MANY_BLOCKS, NARROW = 32, 128
# Seconds that 1,024 rows take which several threads are worth: of less, most is Python's, one thread at a time.
WORTH_THREADS = 0.002
# Float32 numbers in 64 bytes.
ALIGNED_COLUMNS = 16
PRODUCTS = {torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm, Tensor.mm, torch.bmm, Tensor.bmm}
SUMS_OF_PRODUCTS = {torch.addmm, Tensor.addmm, torch.baddbmm, Tensor.baddbmm}


RowFunction = Callable[[Tensor], Tensor]


class InBlocks:
    """A function of rows, by which a row has the same bits at any place among any others; asked once or many times.

    Args:
        function: takes `BLOCK_ROWS` or `MANY_ROWS` rows and returns a tensor with a result for each, the first
            dimension; each depends on its own row alone, as those of a network in evaluation mode do. Called by several
            threads at once where there are many rows.
        device: of the network.
    """

    def __init__(self, function: RowFunction, device: torch.device | str = "cpu") -> None:
        self.function, self.device = function, torch.device(device)
        self._for_many: int | None = None
        self._shares = True

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return what the function gives for rows (n, ...), (n, ...); both on the CPU."""
        threads = torch.get_num_threads() if self.device.type == "cpu" else 1
        # Without rows, a block of padding still says what shape an answer has.
        parts = [inputs[start : start + COPIED_ROWS] for start in range(0, max(len(inputs), 1), COPIED_ROWS)]
        with _one_thread():
            apply = partial(_apply_to_part, self.function, self._block_size(inputs), self.device)
            if min(threads, len(parts)) == 1 or not self._shares:
                return torch.cat([apply(part) for part in parts])
            pool = ThreadPoolExecutor(min(threads, len(parts)), "rows")
            try:
                return torch.cat(list(pool.map(apply, parts)))
            finally:
                pool.shutdown(cancel_futures=True)

    def _block_size(self, inputs: Tensor) -> int:
        """Return 1,024 for many rows of a few numbers each, where the function gives them the bits of blocks of 256.

        The order of a sum depends on the size of a block and on no number in it, so that the first many rows speak for
        all later ones. What larger blocks save is the cost of a call, which counts where rows are narrow.
        """
        if len(inputs) < COPIED_ROWS or inputs[0].numel() > NARROW or self.device.type != "cpu":
            return BLOCK_ROWS
        if self._for_many is None:
            # To ask both sizes takes as long as the rows themselves unless there are many.
            if len(inputs) < MANY_BLOCKS * BLOCK_ROWS:
                return BLOCK_ROWS
            rows = inputs[:MANY_ROWS]
            small = _apply_to_part(self.function, BLOCK_ROWS, self.device, rows)
            began = time.perf_counter()
            large = _apply_to_part(self.function, MANY_ROWS, self.device, rows)
            self._shares = time.perf_counter() - began > WORTH_THREADS
            self._for_many = MANY_ROWS if torch.equal(small, large) else BLOCK_ROWS
        return self._for_many


def apply_in_blocks(function: RowFunction, inputs: Tensor, device: torch.device | str = "cpu") -> Tensor:
    """Return what a function of rows (n, ...) gives, (n, ...), as `InBlocks` has it."""
    return InBlocks(function, device)(inputs)


def _apply_to_part(function: RowFunction, size: int, device: torch.device, rows: Tensor) -> Tensor:
    """Apply a function to blocks of rows; gradients and padding are a thread's own, and set here for this one."""
    with torch.no_grad(), AlignedProducts():
        # A copy, because memory of others begins anywhere.
        copied = rows.new_zeros(-(-max(len(rows), 1) // size) * size, *rows.shape[1:])
        copied[: len(rows)] = rows
        return torch.cat([function(block) for block in copied.to(device).split(size)])[: len(rows)].cpu()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread: several may share the terms of a sum, in another order than one has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class AlignedProducts(TorchFunctionMode):
    """While it is entered, matrix products sum over zeros too, up to a multiple of 16 terms.

    The rows of an operand of 50 columns begin at any multiple of 8 bytes, and kernels for few outputs sum a row that
    begins within a cache line in another order. A padded weight is kept for as long as the mode is entered.
    """

    def __init__(self) -> None:
        super().__init__()
        self._padded: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.linear and len(args) >= 2:
            args = (_pad(args[0], -1), self._pad_weight(args[1], -1), *args[2:])
        elif func in PRODUCTS and args[0].dim() > 1:
            args = (_pad(args[0], -1), self._pad_weight(args[1], -2))
        elif func in SUMS_OF_PRODUCTS:
            args = (args[0], _pad(args[1], -1), self._pad_weight(args[2], -2), *args[3:])
        return func(*args, **kwargs)

    def _pad_weight(self, weight: Tensor, dim: int) -> Tensor:
        if not isinstance(weight, torch.nn.Parameter):
            return _pad(weight, dim)
        # The weight itself is kept too: another one could get its id.
        if id(weight) not in self._padded:
            self._padded[id(weight)] = (weight, _pad(weight, dim))
        return self._padded[id(weight)][1]


def _pad(values: Tensor, dim: int) -> Tensor:
    """Return values with zeros after those of a dimension, up to a multiple of `ALIGNED_COLUMNS`."""
    dim = max(dim, -values.dim())
    rest = -values.shape[dim] % ALIGNED_COLUMNS
    return functional.pad(values, (0, 0) * (-dim - 1) + (0, rest)) if rest else values


def shortest_decimals(values: np.ndarray) -> np.ndarray:
    """Return float32 numbers as the float64 numbers with the fewest digits that round to them, (n, ...) as they are.

    0.1 as float32 is 0.10000000149011612 as float64. In this form a CSV file, JSON and a DataFrame hold one number.
    """
    import pyarrow as pa

    texts = pa.array(np.ascontiguousarray(values, np.float32).reshape(-1)).cast(pa.string())
    return texts.cast(pa.float64()).to_numpy(zero_copy_only=False).reshape(values.shape)


def decimal_texts(values: np.ndarray) -> list[str]:
    """Return float64 numbers (n,) as texts, with the fewest digits that read back."""
    import pyarrow as pa

    return pa.array(values).cast(pa.string()).to_pylist()
