"""Reconstruction errors of each row, and for images the peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor
from torch.nn import functional

from layerwise.data import ImageShape, rows_to_images
from layerwise.utils import Config


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


def structural_similarity(original: Tensor, other: Tensor, image_shape: ImageShape) -> Tensor:
    """Return the mean SSIM of each image in [0, 1], at most 1 (Wang, Bovik, Sheikh & Simoncelli 2004).

    Means, variances and the covariance are of an 11 x 11 window with Gaussian weights of standard deviation 1.5, at
    every place where the window fits; smaller images get a window of their own size.

    Args:
        original, other: (n, values).
        image_shape: of the images; of color images each color counts alike.

    Returns:
        (n,)
    """
    height, width = image_shape[:2]
    # Each color is an image of its own.
    x, y = (rows_to_images(part, image_shape).reshape(-1, 1, height, width) for part in (original, other))
    size = min(WINDOW, height, width)
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
    return similarity.flatten(1).mean(1).reshape(len(original), -1).mean(1)


class ImageQuality(Config):
    """Peak signal-to-noise ratio in decibels and structural similarity, means over images."""

    psnr: float
    ssim: float


class DenoisingReport(RootModel[dict[str, dict[Literal["before", "after"], ImageQuality]]]):
    """The quality of corrupted images before and after their reconstruction, by the kind of noise."""

    model_config = ConfigDict(frozen=True)

    def metrics(self) -> dict[str, float]:
        """Return the numbers after the reconstruction, by kind and name."""
        return {
            f"{kind}/{name}": value
            for kind, each in self.root.items()
            for name, value in each["after"].model_dump().items()
        }

    def __str__(self) -> str:
        return "\n".join(
            f"Denoising, {kind}: PSNR {each['before'].psnr:.1f} -> {each['after'].psnr:.1f} dB, SSIM "
            f"{each['before'].ssim:.3f} -> {each['after'].ssim:.3f}"
            for kind, each in self.root.items()
        )


def evaluate_denoising(
    reconstruct: Callable[[Tensor], Tensor],
    rows: Tensor,
    corrupted: Mapping[str, Tensor],
    image_shape: ImageShape,
) -> DenoisingReport:
    """Return the quality of corrupted images and of their reconstructions.

    Args:
        reconstruct: maps images (n, d) to their reconstructions.
        rows: (n, d) clean images in [0, 1].
        corrupted: the same with noise, by its kind.
        image_shape: of the images.
    """

    def quality(images: Tensor) -> ImageQuality:
        return ImageQuality(
            psnr=float(peak_signal_to_noise_ratio(rows, images).mean()),
            ssim=float(structural_similarity(rows, images, image_shape).mean()),
        )

    return DenoisingReport(
        {
            kind: {"before": quality(images), "after": quality(reconstruct(images).clamp(0, 1))}
            for kind, images in corrupted.items()
        }
    )
