import math

import pytest
import torch

from layerwise.data.transforms import AugmentationSettings, make_augmentation
from layerwise.data.transforms.augmentation import AUGMENTATIONS, affine_matrices, warp

SIDE = 9


def make_image():
    """An L whose corner is off the centre, so that every change shows."""
    image = torch.zeros(SIDE, SIDE)
    image[2:6, 3] = 1.0
    image[5, 3:6] = 0.5
    return image


def warped(image=None, degrees=0.0, shear=0.0, scale=1.0, shift=(0.0, 0.0), flip=(1.0, 1.0)):
    image = make_image() if image is None else image
    matrices = affine_matrices(
        torch.tensor([degrees]),
        torch.tensor([shear]),
        torch.tensor([scale]),
        torch.tensor([shift]),
        torch.tensor([flip]),
        image.shape,
    )
    return warp(image[None, None], matrices)[0, 0]


def same(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_nothing_changes_nothing():
    same(warped(), make_image())


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_rotation_by_a_quarter_is_counter_clockwise(quarters):
    same(warped(degrees=90.0 * quarters), torch.rot90(make_image(), quarters))


def test_a_rotation_of_a_wide_image_keeps_its_pixels_square():
    wide = torch.zeros(6, 10)
    wide[2:4, 3:7] = torch.tensor([[1.0, 0.2, 0.4, 0.6], [0.1, 0.3, 0.5, 0.9]])
    same(warped(wide, degrees=90.0)[:, 2:8], torch.rot90(wide[:, 2:8]))


def test_a_shift_moves_right_and_down_by_whole_pixels():
    same(warped(shift=(2 / SIDE, 1 / SIDE)), make_image().roll((1, 2), (0, 1)))


def test_flips_mirror():
    same(warped(flip=(-1.0, 1.0)), make_image().flip(1))
    same(warped(flip=(1.0, -1.0)), make_image().flip(0))


def test_a_scale_of_two_doubles_lengths_about_the_center():
    point = torch.zeros(SIDE, SIDE)
    point[4, 4] = 1.0
    found = warped(point, scale=2.0)
    weights = torch.tensor([0.5, 1.0, 0.5])
    same(found[3:6, 3:6], weights[:, None] * weights)
    assert float(found.sum()) == pytest.approx(4.0, abs=1e-5)


def test_a_shear_moves_each_line_by_its_distance_from_the_center():
    column = torch.zeros(SIDE, SIDE)
    column[:, 4] = 1.0
    found = warped(column, shear=45.0)
    same(found, torch.eye(SIDE))


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_each_change_alone_is_sampled_anew_for_each_row_and_stays_in_range(kind):
    settings = AugmentationSettings(
        **{kind: True if kind.startswith("flip") else 0.3 if kind != "rotate" else 30}
    )
    settings = settings if kind != "shear" else AugmentationSettings(shear=30)
    inputs = make_image().reshape(1, -1).expand(64, -1).contiguous()
    change = make_augmentation(settings, (SIDE, SIDE), 0, "cpu", "here")
    before = inputs.clone()
    found = change(inputs)
    assert torch.equal(inputs, before)
    assert found.shape == inputs.shape
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert len(found.unique(dim=0)) == (2 if kind.startswith("flip") else 64)
    assert not torch.equal(found, change(inputs))
    again = make_augmentation(settings, (SIDE, SIDE), 0, "cpu", "here")(inputs)
    assert torch.equal(found, again)


def test_the_rotation_is_uniform_between_its_limits():
    # The bright end of a stick tells its angle.
    far = torch.zeros(41, 41)
    far[20, 38] = 1.0
    change = make_augmentation(AugmentationSettings(rotate=40), (41, 41), 0, "cpu", "here")
    found = change(far.reshape(1, -1).expand(2000, -1)).reshape(-1, 41, 41)
    total = found.sum((1, 2))
    at = torch.arange(41) - 20.0
    angle = torch.atan2(-(found.sum(2) @ at) / total, (found.sum(1) @ at) / total) * 180 / math.pi
    assert float(angle.abs().max()) < 41
    assert float(angle.std()) == pytest.approx(80 / math.sqrt(12), rel=0.05)


def test_the_rows_are_changed_together_faster_than_one_by_one():
    settings = AugmentationSettings(rotate=10, shift=0.1, noise=0.1)
    change = make_augmentation(settings, (28, 28), 0, "cpu", "here")
    assert change(torch.rand(100, 784)).shape == (100, 784)
    assert settings.chosen == ("rotate", "shift", "noise")
