"""How far reconstructions are from their rows; one figure per row, so that any average is exact."""

from __future__ import annotations

import torch
from torch import Tensor


def reconstruction_sse(original: Tensor, reconstruction: Tensor) -> Tensor:
    """Squared error of each row, summed over its columns: (n, d), (n, d) -> (n,)."""
    _same_shape(original, reconstruction)
    return (original - reconstruction).square().sum(1)


def reconstruction_mse(original: Tensor, reconstruction: Tensor) -> Tensor:
    """Squared error of each row per column (pixel): (n, d), (n, d) -> (n,)."""
    return reconstruction_sse(original, reconstruction) / original.shape[1]


def reconstruction_cross_entropy(original: Tensor, reconstruction: Tensor) -> Tensor:
    """Cross-entropy of each row in nats, -sum x log r + (1 - x) log(1 - r): (n, d), (n, d) -> (n,).

    It is least, but not 0, where r = x: grey pixels keep their own entropy. Logarithms stop at -100.

    Raises:
        ValueError: values outside [0, 1], for which it means nothing.
    """
    _same_shape(original, reconstruction)
    for name, values in (("rows", original), ("reconstructions", reconstruction)):
        if bool((values < 0).any()) or bool((values > 1).any()):
            raise ValueError(
                f"cross-entropy needs {name} in [0, 1]; use the squared error for standardised columns"
            )
    losses = torch.nn.functional.binary_cross_entropy(reconstruction, original, reduction="none")
    return losses.sum(1)


def reconstruction_measures(original: Tensor, reconstruction: Tensor, bounded: bool) -> dict[str, float]:
    """Return means over rows: the squared errors and, for bounded rows, the cross-entropy."""
    figures = {
        "reconstruction_mse": float(reconstruction_mse(original, reconstruction).mean()),
        "reconstruction_sse": float(reconstruction_sse(original, reconstruction).mean()),
    }
    if bounded:
        figures["reconstruction_cross_entropy"] = float(
            reconstruction_cross_entropy(original, reconstruction).mean()
        )
    return figures


def _same_shape(original: Tensor, reconstruction: Tensor) -> None:
    if original.ndim != 2 or original.shape != reconstruction.shape:
        raise ValueError(
            f"rows {tuple(original.shape)} do not fit reconstructions {tuple(reconstruction.shape)}"
        )
