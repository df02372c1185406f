"""One vector for all parameters of a small network, so that an update is a handful of operations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Above this many numbers the arithmetic takes longer than the calls, and adding into a kept gradient costs more than
# it saves.
MAX_FLAT_NUMBERS = 50_000


def should_flatten(parameters: Sequence[Tensor]) -> bool:
    """Return whether an optimiser is faster over one vector: several parameters, few numbers, one dtype and device."""
    same_kind = len({(p.dtype, p.device) for p in parameters}) == 1
    return len(parameters) > 1 and same_kind and sum(p.numel() for p in parameters) <= MAX_FLAT_NUMBERS


def flatten_parameters(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    """Move the parameters and their gradients into one vector and return it.

    Each parameter stays what it was, a view of its part: a step of an element-wise optimiser over the vector is a
    step over all of them. Gradients must be zeroed in place (`vector.grad.zero_()`), never set to None.

    Args:
        parameters: of one dtype and device.

    Returns:
        A vector with as many entries as the parameters together, and its gradient of zeros.
    """
    vector = nn.Parameter(torch.cat([p.detach().reshape(-1) for p in parameters]))
    gradient = torch.zeros_like(vector)
    vector.grad = gradient
    start = 0
    for p in parameters:
        part = slice(start, start + p.numel())
        p.data = vector.data[part].view(p.shape)
        p.grad = gradient[part].view(p.shape)
        start += p.numel()
    return vector
