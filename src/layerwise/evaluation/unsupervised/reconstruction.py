"""Reconstruction errors of each row, and for images the peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def reconstruction_sse(original: Tensor, reconstruction: Tensor) -> Tensor:
    """Return the squared error of each row, summed over its columns: (n, d), (n, d) -> (n,)."""
    _same_shape(original, reconstruction)
    return (original - reconstruction).square().sum(1)


def reconstruction_mse(original: Tensor, reconstruction: Tensor) -> Tensor:
    """Return the squared error of each row per column (pixel): (n, d), (n, d) -> (n,)."""
    return reconstruction_sse(original, reconstruction) / original.shape[1]


def reconstruction_cross_entropy(original: Tensor, reconstruction: Tensor) -> Tensor:
    """Return the cross-entropy of each row in nats, -sum x log r + (1 - x) log(1 - r): (n, d), (n, d) -> (n,).

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


def reconstruction_metrics(original: Tensor, reconstruction: Tensor, bounded: bool) -> dict[str, float]:
    """Return means over rows: the squared errors and, for bounded rows, the cross-entropy."""
    metrics = {
        "reconstruction_mse": float(reconstruction_mse(original, reconstruction).mean()),
        "reconstruction_sse": float(reconstruction_sse(original, reconstruction).mean()),
    }
    if bounded:
        metrics["reconstruction_cross_entropy"] = float(
            reconstruction_cross_entropy(original, reconstruction).mean()
        )
    return metrics


def _same_shape(original: Tensor, reconstruction: Tensor) -> None:
    if original.ndim != 2 or original.shape != reconstruction.shape:
        raise ValueError(
            f"rows {tuple(original.shape)} do not fit reconstructions {tuple(reconstruction.shape)}"
        )


# The paper's window and constants of the structural similarity, for values in [0, 1].
WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def peak_signal_to_noise_ratio(original: Tensor, other: Tensor) -> Tensor:
    """Return 10 log10(1 / mean squared error) of each image in [0, 1], decibels: (n, d), (n, d) -> (n,)."""
    return -10 * (original - other).square().mean(1).clamp_min(1e-12).log10()


def structural_similarity(original: Tensor, other: Tensor, image_shape: tuple[int, int]) -> Tensor:
    """Return the mean SSIM of each image in [0, 1], at most 1 (Wang, Bovik, Sheikh & Simoncelli 2004).

    Means, variances and the covariance are of an 11 x 11 window with Gaussian weights of standard deviation 1.5, at
    every place where the window fits; smaller images get a window of their own size.

    Args:
        original, other: (n, height * width).
        image_shape: height and width.

    Returns:
        (n,)
    """
    x, y = (part.reshape(-1, 1, *image_shape) for part in (original, other))
    size = min(WINDOW, *image_shape)
    offsets = torch.arange(size, dtype=x.dtype, device=x.device) - (size - 1) / 2
    gaussian = (-offsets.square() / (2 * SIGMA**2)).exp()
    window = torch.outer(gaussian, gaussian)
    window = (window / window.sum())[None, None]

    def window_mean(values: Tensor) -> Tensor:
        return functional.conv2d(values, window)

    mean_x, mean_y = window_mean(x), window_mean(y)
    variance_x = window_mean(x * x) - mean_x.square()
    variance_y = window_mean(y * y) - mean_y.square()
    covariance = window_mean(x * y) - mean_x * mean_y
    similarity = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    similarity /= (mean_x.square() + mean_y.square() + C1) * (variance_x + variance_y + C2)
    return similarity.flatten(1).mean(1)
