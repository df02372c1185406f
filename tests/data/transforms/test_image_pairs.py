import torch

from layerwise.data.transforms import bouncing_videos, corrupt_images, downsample, upsample
from layerwise.data.transforms.image_pairs import reflect

SHAPE = (8, 8)


def rows(n=6):
    return torch.rand(n, 64, generator=torch.Generator().manual_seed(0))


def test_corruption_covers_the_lower_half_or_adds_noise():
    whole = 0.2 + 0.6 * rows(400)
    found = corrupt_images(whole, SHAPE, torch.Generator().manual_seed(1))
    covered = (found[:, 32:] == 0).all(1)
    assert 0.4 < float(covered.float().mean()) < 0.6
    assert torch.equal(found[covered][:, :32], whole[covered][:, :32])
    noisy = found[~covered] - whole[~covered]
    assert float(noisy.abs().mean()) > 0.1
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


def test_downsampling_takes_means_and_upsampling_keeps_flat_images():
    image = torch.arange(64.0).reshape(1, 64)
    assert downsample(image, SHAPE, 4)[0, 0] == image.reshape(8, 8)[:4, :4].mean()
    flat = torch.full((2, 4), 0.3)
    torch.testing.assert_close(upsample(flat, (2, 2), 4), torch.full((2, 64), 0.3))


def test_a_point_is_reflected_at_a_wall():
    position = reflect(torch.tensor([-1.0, 3.0, 5.0, 9.0, 13.0]), torch.tensor(4.0))
    assert position.tolist() == [1, 3, 3, 1, 3]


def test_videos_keep_their_intensity_and_move_at_most_three_pixels():
    videos = bouncing_videos(rows(), SHAPE, 12, torch.Generator().manual_seed(2))
    assert videos.shape == (6, 12, 64)
    intensity = videos.sum(2)
    torch.testing.assert_close(intensity, intensity[:, :1].expand(6, 12))  # nothing leaves the frame
    line = torch.arange(8.0).repeat_interleave(8)
    center = (videos * line).sum(2) / intensity
    steps = center.diff(dim=1).abs()
    assert float(steps.max()) <= 4  # three, and rounding
    assert float(steps.max()) >= 1
