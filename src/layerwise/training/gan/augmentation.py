"""Differentiable augmentation of a GAN's images, for few training rows (Zhao et al. 2020, arXiv:2006.10738).

The discriminator sees real and generated images through the same random changes, and the generator learns through them,
so that few images are not learnt by heart and the changes do not show in what is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.data import ImageShape, images_to_rows, rows_to_images
from layerwise.utils import ranks

AugmentationName = Literal["color", "translation", "cutout"]
# Rows (n, d) with the changes of the random generator.
RowAugmentation = Callable[[Tensor, torch.Generator], Tensor]

# The paper's: images are moved by at most an eighth of their sides, and squares of half of them are cut out. Its
# brightness changes by at most 1/2 where pixels lie in [-1, 1], so by 1/4 in [0, 1].
TRANSLATION, CUTOUT, BRIGHTNESS = 1 / 8, 1 / 2, 1 / 4


def make_row_augmentation(names: Sequence[AugmentationName], shape: ImageShape) -> RowAugmentation:
    """Return the function that changes rows of pixels (n, d); what is moved in or cut out is 0, black.

    Args:
        names: of the changes, made in the order of `CHANGES`.
        shape: of the images.
    """
    chosen = [change for name, change in CHANGES.items() if name in names]

    def augment(rows: Tensor, rng: torch.Generator) -> Tensor:
        images = rows_to_images(rows, shape)
        for change in chosen:
            images = change(images, rng)
        return images_to_rows(images)

    return augment


def change_colors(images: Tensor, rng: torch.Generator) -> Tensor:
    """Return images (n, channels, height, width) of another brightness, saturation and contrast, each its own.

    Brightness moves by up to 1/4; colors are stretched by 0 to 2 about their pixel's mean; pixels by 1/2 to 3/2 about
    their image's mean.
    """
    images = images + 2 * BRIGHTNESS * (_uniform(images, rng) - 0.5)
    if images.shape[1] > 1:
        gray = images.mean(1, keepdim=True)
        images = gray + 2 * _uniform(images, rng) * (images - gray)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (0.5 + _uniform(images, rng)) * (images - mean)


def translate(images: Tensor, rng: torch.Generator) -> Tensor:
    """Return images (n, channels, height, width) moved by whole pixels, up to an eighth of each side either way."""
    for axis in (2, 3):
        n, side = images.shape[0], images.shape[axis]
        most = int(side * TRANSLATION + 0.5)
        shift = _integers(images, -most, most + 1, rng)
        padded = functional.pad(images, (0, 0, most, most) if axis == 2 else (most, most))
        source = torch.arange(side, device=images.device) + most - shift
        index = source.view(n, 1, *((side, 1) if axis == 2 else (1, side))).expand(images.shape)
        images = padded.gather(axis, index)
    return images


def cut_out(images: Tensor, rng: torch.Generator) -> Tensor:
    """Return images (n, channels, height, width) without a rectangle of half of each side, about any pixel."""
    inside = []
    for side in images.shape[2:]:
        size = int(side * CUTOUT + 0.5)
        # Of an even number of pixels the middle lies between two of them.
        middle = _integers(images, 0, side + 1 - size % 2, rng)
        start = middle - size // 2
        pixel = torch.arange(side, device=images.device)
        inside.append((pixel >= start) & (pixel < start + size))
    down, across = inside
    covered = down[:, None, :, None] & across[:, None, None, :]
    return images.masked_fill(covered, 0)


CHANGES: dict[AugmentationName, Callable[[Tensor, torch.Generator], Tensor]] = {
    "color": change_colors,
    "translation": translate,
    "cutout": cut_out,
}


def _uniform(images: Tensor, rng: torch.Generator) -> Tensor:
    """Return a number from 0 to 1 for each image, (n, 1, 1, 1)."""
    return ranks.uniform_(images.new_empty(len(images), 1, 1, 1), rng)


def _integers(images: Tensor, low: int, high: int, rng: torch.Generator) -> Tensor:
    """Return a whole number from low to below high for each image, (n, 1)."""
    return ranks.draw_rows(
        lambda shape: torch.randint(low, high, shape, generator=rng, device=images.device), (len(images), 1)
    )
