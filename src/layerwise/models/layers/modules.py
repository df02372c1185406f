"""Layers without a start of their own, a layer that standardizes, and the ways between rows and images."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from layerwise.data import ImageShape, images_to_rows, rows_to_images
from layerwise.models.layers.batch_norm import BatchNorm1d

Normalization = Literal["none", "batch", "layer"]


class RowsToImages(nn.Module):
    """Rows (n, values) as images (n, channels, height, width)."""

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, rows: Tensor) -> Tensor:
        """Return the images."""
        return rows_to_images(rows, self.shape)


class ImagesToRows(nn.Module):
    """Images (n, channels, height, width) as rows (n, values)."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the rows."""
        return images_to_rows(images)


class Linear(nn.Linear):
    """A linear layer whose weights are yet to be initialized or loaded: torch's global random numbers are not used."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are; `torch.nn.utils.skip_init` needs the meta device, half a second to import."""


class Conv2d(nn.Conv2d):
    """A convolution whose weights are yet to be initialized or loaded."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution whose weights are yet to be initialized or loaded."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


def normalization(name: Normalization, units: int) -> nn.Module:
    """Return a layer that standardises the pre-activations of a hidden layer.

    `batch` over the rows of a batch, with running means in evaluation (Ioffe & Szegedy 2015); `layer` over
    the units of each row (Ba et al. 2016).
    """
    if name == "batch":
        return BatchNorm1d(units)
    return nn.LayerNorm(units) if name == "layer" else nn.Identity()
