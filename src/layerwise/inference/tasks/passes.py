"""Passes of rows through a network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

BLOCK = 8192


def in_blocks(function: Callable[[Tensor], Tensor], inputs: Tensor, device: torch.device) -> Tensor:
    """Return what a function makes of rows (n, d), block by block and without gradients, on the CPU."""
    with torch.no_grad():
        # One empty block for no rows: the answer has its columns.
        return torch.cat([function(part.to(device)).cpu() for part in inputs.split(BLOCK)])
