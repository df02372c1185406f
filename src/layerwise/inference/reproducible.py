"""What gives a row the same bits whatever stands beside it, and however its answer is written.

A matrix product sums a row's terms in an order that depends on how many rows there are, on the row's place among them
and on where in memory it begins. So rows are computed in blocks of one size, the last one padded, and what is summed
over is padded to whole cache lines, so that every row begins at the boundary of one, and each block by one thread. It
holds on one machine with its versions of the packages; elsewhere answers differ in their last digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

# A multiple of 64, so that vector instructions leave no rest. Fewer make large files slower, more a single row.
BLOCK_ROWS = 256
COPIED_ROWS = 32 * BLOCK_ROWS
# Float32 numbers in 64 bytes.
ALIGNED_COLUMNS = 16
PRODUCTS = (torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm, Tensor.mm, torch.bmm, Tensor.bmm)
SUMS_OF_PRODUCTS = (torch.addmm, Tensor.addmm, torch.baddbmm, Tensor.baddbmm)


def apply_in_blocks(
    function: Callable[[Tensor], Tensor], inputs: Tensor, device: torch.device | str = "cpu"
) -> Tensor:
    """Return what a function of rows gives, the same bits for a row at any place among any others.

    Args:
        function: takes `BLOCK_ROWS` rows and returns a tensor with a result for each, the first dimension; each
            depends on its own row alone, as those of a network in evaluation mode do.
        inputs: (n, ...), on the CPU.
        device: of the network.

    Returns:
        (n, ...) on the CPU.
    """
    outputs = []
    with torch.no_grad(), AlignedProducts(), _one_thread():
        # Without rows, a block of padding still says what shape an answer has.
        for start in range(0, max(len(inputs), 1), COPIED_ROWS):
            rows = inputs[start : start + COPIED_ROWS]
            # A copy, because memory of others begins anywhere.
            copied = rows.new_zeros(-(-max(len(rows), 1) // BLOCK_ROWS) * BLOCK_ROWS, *rows.shape[1:])
            copied[: len(rows)] = rows
            parts = [function(block) for block in copied.to(device).split(BLOCK_ROWS)]
            outputs.append(torch.cat(parts)[: len(rows)].cpu())
    return torch.cat(outputs)


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
