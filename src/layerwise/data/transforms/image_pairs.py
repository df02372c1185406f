"""Pairs of images for translation: corrupted and whole, small and large, video frames and the next one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

Shape = tuple[int, int]
NOISE_STD = 0.5


def corrupt_images(rows: Tensor, image_shape: Shape, rng: torch.Generator) -> Tensor:
    """Cover the lower half of each image, or add noise of standard deviation 0.5 and clip, each with probability 1/2.

    Args:
        rows: (n, height * width) in [0, 1].
        image_shape: height and width.
        rng: draws the noise and which images are covered.

    Returns:
        (n, height * width) in [0, 1]
    """
    height, width = image_shape
    covered = rows.clone()
    covered[:, (height // 2) * width :] = 0
    noisy = (rows + NOISE_STD * torch.randn(rows.shape, generator=rng, device=rows.device)).clamp(0, 1)
    cover = torch.rand(len(rows), 1, generator=rng, device=rows.device) < 0.5
    return torch.where(cover, covered, noisy)


def downsample(rows: Tensor, image_shape: Shape, factor: int = 4) -> Tensor:
    """Return the means of squares of factor x factor pixels, (n, height * width / factor^2)."""
    images = rows.reshape(-1, 1, *image_shape)
    return functional.avg_pool2d(images, factor).flatten(1)


def upsample(rows: Tensor, small_shape: Shape, factor: int = 4) -> Tensor:
    """Return bilinear interpolations, (n, height * width * factor^2), the baseline of super-resolution."""
    images = rows.reshape(-1, 1, *small_shape)
    large = functional.interpolate(images, scale_factor=factor, mode="bilinear", align_corners=False)
    return large.flatten(1)


def bouncing_videos(rows: Tensor, image_shape: Shape, n_frames: int, rng: torch.Generator) -> Tensor:
    """Return videos (n, n_frames, height * width) of each image, at half its size, bouncing between the walls.

    An image starts at a random position with a velocity of 1 to 3 pixels a frame along either axis; at a wall the
    velocity along that axis changes its sign.
    """
    height, width = image_shape
    small = functional.avg_pool2d(rows.reshape(-1, 1, height, width), 2)[:, 0]
    room = torch.tensor([height - small.shape[1], width - small.shape[2]], device=rows.device)
    n = len(rows)
    start = torch.rand(n, 2, generator=rng, device=rows.device) * room
    velocity = 1 + 2 * torch.rand(n, 2, generator=rng, device=rows.device)
    velocity = torch.where(torch.rand(n, 2, generator=rng, device=rows.device) < 0.5, -velocity, velocity)
    videos = rows.new_zeros(n, n_frames, height, width)
    index = torch.arange(n, device=rows.device)[:, None, None]
    down, across = (torch.arange(size, device=rows.device) for size in small.shape[1:])
    for t in range(n_frames):
        corner = reflect(start + velocity * t, room).round().long()
        videos[index, t, corner[:, 0, None, None] + down[:, None], corner[:, 1, None, None] + across] = small
    return videos.flatten(2)


def reflect(position: Tensor, room: Tensor) -> Tensor:
    """Return the position of a point after its reflections at the walls 0 and `room`."""
    position = position.remainder(2 * room)
    return torch.where(position > room, 2 * room - position, position)
