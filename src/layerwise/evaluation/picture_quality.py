"""How near a picture is to the original: peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def peak_signal_to_noise(original: Tensor, other: Tensor) -> Tensor:
    """Return 10 log10(1 / mean squared error) of each picture in [0, 1], decibels: (n, d), (n, d) -> (n,)."""
    return -10 * (original - other).square().mean(1).clamp_min(1e-12).log10()


def structural_similarity(original: Tensor, other: Tensor, image_shape: tuple[int, int]) -> Tensor:
    """Return the mean SSIM of each picture in [0, 1], at most 1 (Wang, Bovik, Sheikh & Simoncelli 2004).

    Means, variances and the covariance are of an 11 x 11 window with Gaussian weights of deviation 1.5, at every
    place where the window fits; smaller pictures get a window of their own size.

    Args:
        original, other: (n, height * width).
        image_shape: height and width.

    Returns:
        (n,)
    """
    x, y = (part.reshape(-1, 1, *image_shape) for part in (original, other))
    size = min(WINDOW, *image_shape)
    places = torch.arange(size, dtype=x.dtype) - (size - 1) / 2
    line = (-places.square() / (2 * SIGMA**2)).exp()
    window = torch.outer(line, line)
    window = (window / window.sum())[None, None]

    def local(values: Tensor) -> Tensor:
        return functional.conv2d(values, window)

    mean_x, mean_y = local(x), local(y)
    variance_x = local(x * x) - mean_x.square()
    variance_y = local(y * y) - mean_y.square()
    covariance = local(x * y) - mean_x * mean_y
    similarity = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    similarity /= (mean_x.square() + mean_y.square() + C1) * (variance_x + variance_y + C2)
    return similarity.flatten(1).mean(1)
