"""Pairs of images for translation: corrupted and whole, small and large, video frames and the next one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.data.image_layout import ImageShape, images_to_rows, rows_to_images, values_of

NOISE_STD = 0.5
# Pixels that a video's image moves at most between two frames, along either axis.
MAX_VELOCITY = 3


def corrupt_images(rows: Tensor, image_shape: ImageShape, rng: torch.Generator) -> Tensor:
    """Cover the lower half of each image, or add noise of standard deviation 0.5 and clip, each with probability 1/2.

    Args:
        rows: (n, values) in [0, 1].
        image_shape: of the images.
        rng: draws the noise and which images are covered.

    Returns:
        (n, values) in [0, 1]
    """
    height = image_shape[0]
    covered = rows.clone()
    covered[:, (height // 2) * (values_of(image_shape) // height) :] = 0
    noisy = (rows + NOISE_STD * torch.randn(rows.shape, generator=rng, device=rows.device)).clamp(0, 1)
    cover = torch.rand(len(rows), 1, generator=rng, device=rows.device) < 0.5
    return torch.where(cover, covered, noisy)


def downsample(rows: Tensor, image_shape: ImageShape, factor: int = 4) -> Tensor:
    """Return the means of squares of factor x factor pixels, (n, values / factor^2)."""
    return images_to_rows(functional.avg_pool2d(rows_to_images(rows, image_shape), factor))


def upsample(rows: Tensor, small_shape: ImageShape, factor: int = 4) -> Tensor:
    """Return bilinear interpolations, (n, values * factor^2), the baseline of super-resolution."""
    images = rows_to_images(rows, small_shape)
    large = functional.interpolate(images, scale_factor=factor, mode="bilinear", align_corners=False)
    return images_to_rows(large)


def bouncing_videos(rows: Tensor, image_shape: ImageShape, n_frames: int, rng: torch.Generator) -> Tensor:
    """Return videos (n, n_frames, values) of each image, at half its size, bouncing between the walls.

    An image starts at a random position with a velocity of 1 to 3 pixels a frame along either axis; at a wall the
    velocity along that axis changes its sign.
    """
    height, width = image_shape[:2]
    # Channels last, as rows have them: one frame's values lie side by side.
    small = functional.avg_pool2d(rows_to_images(rows, image_shape), 2).permute(0, 2, 3, 1)
    room = torch.tensor([height - small.shape[1], width - small.shape[2]], device=rows.device)
    n = len(rows)
    start = torch.rand(n, 2, generator=rng, device=rows.device) * room
    velocity = 1 + (MAX_VELOCITY - 1) * torch.rand(n, 2, generator=rng, device=rows.device)
    velocity = torch.where(torch.rand(n, 2, generator=rng, device=rows.device) < 0.5, -velocity, velocity)
    videos = rows.new_zeros(n, n_frames, height, width, small.shape[3])
    index = torch.arange(n, device=rows.device)[:, None, None]
    down, across = (torch.arange(size, device=rows.device) for size in small.shape[1:3])
    for t in range(n_frames):
        corner = reflect(start + velocity * t, room).round().long()
        videos[index, t, corner[:, 0, None, None] + down[:, None], corner[:, 1, None, None] + across] = small
    return videos.flatten(2)


def reflect(position: Tensor, room: Tensor) -> Tensor:
    """Return the position of a point after its reflections at the walls 0 and `room`."""
    position = position.remainder(2 * room)
    return torch.where(position > room, 2 * room - position, position)
