"""The order in which an epoch takes its rows: a uniform permutation, or of many rows in files one that reads in blocks.

Rows that lie in a file larger than the memory are read page by page, and in a uniform order nearly every row waits for
a page of its own. `block_orders` permutes blocks of neighboring rows uniformly, takes `WINDOW_BLOCKS` of them after
each other as a window, and permutes the rows of each window uniformly. Each row comes once an epoch. Two rows of one
block are always in one window; otherwise which blocks share a window is uniform, so that the rows of a batch are those
of some thousand places of the file.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from layerwise.data import SparseTensorData, TensorData
from layerwise.training.plan import TrainingPlan
from layerwise.utils import keeps_rows_in_files

# 40 kB of 20 numbers: some pages of a file.
BLOCK_ROWS = 500
WINDOW_BLOCKS = 2000
# Fewer rows than this are in the system's cache once they were read.
SHUFFLED_IN_BLOCKS = 4_000_000


def epoch_batches(
    plan: TrainingPlan, rows: TensorData | SparseTensorData, batch_size: int, rng: torch.Generator
) -> Iterator[Tensor]:
    """Yield the numbers of each batch's rows, (batch,) or (members, batch), on the rows' device.

    They are drawn where the generator is, the CPU, and go to the device once: no batch waits for its own.
    """
    order = plan.epoch_order(len(rows))
    if order is not None:
        orders: Iterator[Tensor] = iter([order])
    elif keeps_rows_in_files() and len(rows) >= SHUFFLED_IN_BLOCKS:
        orders = block_orders(len(rows), batch_size, rng)
    else:
        orders = iter([torch.randperm(len(rows), generator=rng, device=rng.device)])
    for part in orders:
        here = part.to(rows.inputs.device) if isinstance(rows, TensorData) else part
        yield from here.split(batch_size, -1)


def block_orders(
    n_rows: int,
    batch_size: int,
    rng: torch.Generator,
    block_rows: int = BLOCK_ROWS,
    window_blocks: int = WINDOW_BLOCKS,
) -> Iterator[Tensor]:
    """Yield the order of an epoch in windows, each (rows,) of a multiple of the batch's size but for the last one.

    What is left of a window goes into the next one, and is permuted with it.
    """
    blocks = torch.randperm(-(-n_rows // block_rows), generator=rng, device=rng.device)
    within = torch.arange(block_rows, device=rng.device)
    left = torch.empty(0, dtype=torch.int64, device=rng.device)
    for chosen in blocks.split(window_blocks):
        rows = (chosen[:, None] * block_rows + within).reshape(-1)
        rows = torch.cat([left, rows[rows < n_rows]])
        rows = rows[torch.randperm(len(rows), generator=rng, device=rng.device)]
        whole = len(rows) - len(rows) % batch_size
        left = rows[whole:]
        if whole:
            yield rows[:whole]
    if len(left):
        yield left
