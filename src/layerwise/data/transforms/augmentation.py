"""Data augmentation: images rotated, shifted, scaled, sheared, flipped and made noisy, batch by batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.data.image_layout import ImageShape, images_to_rows, rows_to_images
from layerwise.data.transforms.binarization import RandomTransform
from layerwise.utils import Config, setting, torch_rng

AUGMENTATIONS = ("rotate", "shift", "scale", "shear", "flip_horizontal", "flip_vertical", "noise")


class AugmentationSettings(Config):
    """How far each image of a batch is changed at most; each change is sampled anew for each row and batch."""

    rotate: float = setting(
        0.0, "rotated by up to this many degrees either way", "10 for digits", "tables", ge=0, le=180
    )
    shift: float = setting(
        0.0, "shifted by up to this fraction of width and height either way", "0.1", "tables", ge=0, lt=1
    )
    scale: float = setting(0.0, "scaled up or down by up to this fraction", "0.1", "tables", ge=0, lt=1)
    shear: float = setting(0.0, "sheared by up to this many degrees", "10", "tables", ge=0, lt=90)
    flip_horizontal: bool = setting(
        False, "mirrored left to right, half of the time", "things, never digits or letters", "tables"
    )
    flip_vertical: bool = setting(
        False, "mirrored top to bottom, half of the time", "images from above", "tables"
    )
    noise: float = setting(
        0.0,
        "standard deviation of normal noise on pixels in [0, 1], cut off at 0 and 1",
        "0.1",
        "tables",
        ge=0,
    )

    @property
    def chosen(self) -> tuple[str, ...]:
        """The changes that are switched on."""
        return tuple(name for name in AUGMENTATIONS if getattr(self, name))


def affine_matrices(
    degrees: Tensor, shear: Tensor, scale: Tensor, shift: Tensor, flip: Tensor, image_shape: ImageShape
) -> Tensor:
    """Return the affine maps from a point in the new image to one in the old, (n, 2, 3), in `affine_grid`'s units.

    The old image is flipped, sheared, scaled, rotated (counter-clockwise as seen) about its centre, then shifted.

    Args:
        degrees, shear: (n,) in degrees.
        scale: (n,) factors.
        shift: (n, 2) to the right and down, as fractions of width and height.
        flip: (n, 2) +1 or -1 for left-right and top-bottom.
        image_shape: of the images; pixels are square.
    """
    height, width = image_shape[:2]
    angle, slant = degrees * (math.pi / 180), torch.tan(shear * (math.pi / 180))
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    # In pixels, y down: a rotation that looks counter-clockwise has its sine above the diagonal.
    rotation = torch.stack([cos, sin, -sin, cos], 1).reshape(-1, 2, 2)
    sheared = torch.stack([one, slant, zero, one], 1).reshape(-1, 2, 2)
    forward = rotation @ (scale[:, None, None] * sheared) @ torch.diag_embed(flip)
    inverse = torch.linalg.inv_ex(forward)[0]  # inv would wait to see whether a matrix is singular
    # affine_grid counts from -1 to 1 along each side. Filled on the device: nothing is copied there.
    sides = torch.cat([inverse.new_full((1,), float(width)), inverse.new_full((1,), float(height))])
    linear = inverse * sides[None, None, :] / sides[None, :, None]
    return torch.cat([linear, -(linear @ (2 * shift)[:, :, None])], 2)


def warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Return images (n, channels, height, width) warped by affine maps (n, 2, 3): bilinear, black outside."""
    grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


class Augmentation(RandomTransform):
    """Change a batch of image vectors at random, all rows at once.

    Args:
        settings: how far.
        image_shape: of the images.
        rng: random generator on the device of the batches.
    """

    def __init__(self, settings: AugmentationSettings, image_shape: ImageShape, rng: torch.Generator) -> None:
        self.settings, self.image_shape, self.rng = settings, image_shape, rng

    def _sample_uniform(self, like: Tensor, *shape: int) -> Tensor:
        draws = torch.rand(shape, generator=self.rng, device=like.device, dtype=like.dtype)
        return 2 * draws - 1

    def _allowed(self, flip: Tensor) -> Tensor:
        """Return the signs (n, 2), 1 where the settings flip nothing; no number is copied to the device for it."""
        for k, flips in enumerate((self.settings.flip_horizontal, self.settings.flip_vertical)):
            if not flips:
                flip[:, k] = 1.0
        return flip

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return images (n, values) in [0, 1]; the inputs are left as they are. An image's colors move together."""
        s, n = self.settings, len(inputs)
        result = inputs
        if any(name != "noise" for name in s.chosen):
            flip = torch.where(self._sample_uniform(inputs, n, 2) < 0, -1.0, 1.0).to(inputs.dtype)
            matrices = affine_matrices(
                s.rotate * self._sample_uniform(inputs, n),
                s.shear * self._sample_uniform(inputs, n),
                1 + s.scale * self._sample_uniform(inputs, n),
                s.shift * self._sample_uniform(inputs, n, 2),
                self._allowed(flip),
                self.image_shape,
            )
            result = images_to_rows(warp(rows_to_images(inputs, self.image_shape), matrices))
        if s.noise:
            noise = torch.randn(result.shape, generator=self.rng, device=inputs.device, dtype=inputs.dtype)
            result = (result + s.noise * noise).clamp(0, 1)
        return result


def make_augmentation(
    settings: AugmentationSettings,
    image_shape: ImageShape,
    seed: int,
    device: torch.device | str,
    consumer: str,
) -> Augmentation:
    """Return an augmentation with a random stream of its own for the named consumer."""
    return Augmentation(settings, image_shape, torch_rng(seed, consumer, "augmentation", device=device))
