"""Pictures in pairs: damaged and whole, small and large, the frames before and the one after."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

Shape = tuple[int, int]
NOISE_STD = 0.5


def corrupt_images(rows: Tensor, image_shape: Shape, rng: torch.Generator) -> Tensor:
    """Cover the lower half of each picture, or add noise of deviation 0.5 and clip it, each with probability 1/2.

    Args:
        rows: (n, height * width) in [0, 1].

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
    """Return bilinear enlargements, (n, height * width * factor^2): what a picture's pixels alone can tell."""
    images = rows.reshape(-1, 1, *small_shape)
    made = functional.interpolate(images, scale_factor=factor, mode="bilinear", align_corners=False)
    return made.flatten(1)


def bouncing_videos(rows: Tensor, image_shape: Shape, n_frames: int, rng: torch.Generator) -> Tensor:
    """Return films (n, frames, height * width) of each picture, at half its size, bouncing between the walls.

    A picture starts at a random place with a velocity of 1 to 3 pixels a frame along either axis; at a wall the
    velocity along that axis turns round, as a billiard ball's does.
    """
    height, width = image_shape
    small = functional.avg_pool2d(rows.reshape(-1, 1, height, width), 2)[:, 0]
    room = torch.tensor([height - small.shape[1], width - small.shape[2]], device=rows.device)
    n = len(rows)
    start = torch.rand(n, 2, generator=rng, device=rows.device) * room
    speed = 1 + 2 * torch.rand(n, 2, generator=rng, device=rows.device)
    speed = torch.where(torch.rand(n, 2, generator=rng, device=rows.device) < 0.5, -speed, speed)
    videos = rows.new_zeros(n, n_frames, height, width)
    lines = torch.arange(n, device=rows.device)[:, None, None]
    down, across = (torch.arange(size, device=rows.device) for size in small.shape[1:])
    for t in range(n_frames):
        place = reflected(start + speed * t, room).round().long()
        videos[lines, t, place[:, 0, None, None] + down[:, None], place[:, 1, None, None] + across] = small
    return videos.flatten(2)


def reflected(place: Tensor, room: Tensor) -> Tensor:
    """Return where a point is that was reflected at the walls 0 and `room`."""
    place = place.remainder(2 * room)
    return torch.where(place > room, 2 * room - place, place)
