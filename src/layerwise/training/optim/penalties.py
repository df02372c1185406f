"""What keeps weights small: terms in the cost, limits on weights and on gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def penalty(weights: Sequence[Tensor], l1: float, l2: float, n_rows: int) -> Tensor:
    """Return l1/(2m) sum |w| + l2/(2m) sum w^2, a number: the term that is added to the mean loss.

    Args:
        weights: the weight matrices; biases are not among them.
        l1: lambda of the sum of absolute values.
        l2: lambda of the sum of squares.
        n_rows: m, the number of training rows.
    """
    total = weights[0].new_zeros(())
    for weight in weights:
        if l1:
            total = total + l1 * weight.abs().sum()
        if l2:
            total = total + l2 * weight.square().sum()
    return total / (2 * n_rows)


def clip_gradients(
    parameters: Sequence[nn.Parameter], clip_norm: float | None, clip_value: float | None
) -> None:
    """Limit the gradients in place: each element to +-clip_value, then the norm of all to clip_norm.

    Clipping by norm keeps the direction (Pascanu et al. 2013); by value it does not.
    """
    if clip_value is not None:
        nn.utils.clip_grad_value_(parameters, clip_value, foreach=True)
    if clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, clip_norm, foreach=True)


def limit_norms(layers: Sequence[nn.Linear], limit: float) -> None:
    """Scale each unit's incoming weights to the limit where they are longer (Srivastava et al. 2014, 5.1)."""
    with torch.no_grad():
        for layer in layers:
            if layer.weight.requires_grad:
                layer.weight.renorm_(2, 0, limit)
