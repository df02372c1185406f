import pytest
import torch
from helpers.seeded import seeded as rng
from pydantic import ValidationError

from layerwise.data import TensorData, rows_to_images
from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.training.gan import GANSettings
from layerwise.training.gan.adversarial import AdversarialPlan
from layerwise.training.gan.augmentation import (
    CHANGES,
    change_colors,
    cut_out,
    make_row_augmentation,
    translate,
)


def test_a_translation_moves_whole_pixels_by_at_most_an_eighth_all_shifts_alike():
    n, side = 4000, 16
    images = torch.zeros(n, 1, side, side)
    images[:, :, 7, 5] = 1.0
    moved = translate(images, rng())
    assert torch.equal(moved.sum((1, 2, 3)), torch.ones(n))
    where = moved.flatten(1).argmax(1)
    for found, start in ((where // side, 7), (where % side, 5)):
        counts = torch.bincount(found - start + 2, minlength=5)
        # Five shifts of probability 1/5: four standard errors.
        assert (counts / n - 0.2).abs().max() < 4 * (0.2 * 0.8 / n) ** 0.5


def test_what_leaves_the_image_is_gone_and_black_moves_in():
    images = torch.ones(200, 3, 8, 16)
    moved = translate(images, rng())
    rows, columns = moved[:, 0].amax(2).sum(1), moved[:, 0].amax(1).sum(1)
    assert set(rows.tolist()) == {7.0, 8.0}
    assert set(columns.tolist()) == {14.0, 15.0, 16.0}
    assert torch.equal(moved[:, 0], moved[:, 2])


def test_a_cutout_is_one_rectangle_of_half_of_each_side_where_it_fits():
    images = torch.ones(500, 1, 8, 6)
    cut = cut_out(images, rng())
    holes = (1 - cut)[:, 0]
    assert holes.sum((1, 2)).max() == 4 * 3
    down, across = holes.amax(2).sum(1), holes.amax(1).sum(1)
    assert torch.equal(down * across, holes.sum((1, 2)))
    # Squares that begin at every pixel from half of one above to half of one below the image.
    assert set(down.tolist()) == {2.0, 3.0, 4.0}
    # Each side's middle pixel is covered more often than its first one.
    assert holes[:, 4].mean() > holes[:, 0].mean()


def test_colors_change_by_brightness_saturation_and_contrast_within_their_bounds():
    pixel = torch.tensor([0.2, 0.4, 0.9])
    images = pixel.view(1, 3, 1, 1).expand(2000, 3, 4, 4)
    changed = change_colors(images, rng())[:, :, 0, 0]
    # Contrast and saturation keep the mean of an image of one color: what is left is the brightness.
    moved = changed.mean(1) - pixel.mean()
    assert moved.abs().max() <= 0.25 + 1e-6
    assert moved.abs().max() > 0.24
    stretched = (changed - changed.mean(1, keepdim=True)) / (pixel - pixel.mean())
    assert torch.allclose(stretched[:, 0], stretched[:, 2], atol=1e-4)
    # Saturation from 0 to 2, contrast about the mean of all channels from 1/2 to 3/2.
    assert stretched.min() >= -1e-4
    assert 2.5 < stretched.max() <= 3 + 1e-4


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3)])
def test_the_gradient_flows_through_each_change_as_finite_differences_say(name, shape):
    size = 64 * (3 if len(shape) == 3 else 1)
    rows = torch.rand(2, size, dtype=torch.float64, generator=rng(1), requires_grad=True)
    augment = make_row_augmentation([name], shape)
    weights = torch.rand(2, size, dtype=torch.float64, generator=rng(2))

    def score(values):
        return (weights * augment(values, rng(3)).square()).sum()

    assert torch.autograd.gradcheck(score, (rows,))
    assert augment(rows, rng(3)).shape == rows.shape


def test_rows_in_color_are_changed_as_their_images_are():
    rows = torch.rand(3, 8 * 8 * 3, generator=rng(1))
    augment = make_row_augmentation(["translation"], (8, 8, 3))
    expected = translate(rows_to_images(rows, (8, 8, 3)), rng(2))
    assert torch.equal(rows_to_images(augment(rows, rng(2)), (8, 8, 3)), expected)


def build(augmentation):
    init = rng(1)
    generator = Generator(GeneratorConfig(latent_size=3, n_outputs=64, hidden_sizes=(8,)), init)
    discriminator = Discriminator(DiscriminatorConfig(n_inputs=64, hidden_sizes=(8,)), init)
    settings = GANSettings(batch_size=10, r1=0.0, ema_decay=0.0)
    return AdversarialPlan(generator, discriminator, settings, rng(2), augmentation=augmentation)


def steps(augmentation):
    plan = build(augmentation)
    plan.update(TensorData(torch.rand(10, 64, generator=rng(5))))
    return plan.state_dict()


def test_without_augmentation_training_keeps_its_numbers_and_with_it_both_networks_learn_otherwise():
    plain, same = steps(None), steps(lambda rows, _: rows)
    assert all(torch.equal(plain[name], same[name]) for name in plain)
    other = steps(make_row_augmentation(["cutout"], (8, 8)))
    for name in ("generator.body.0.weight", "discriminator.body.0.weight"):
        assert not torch.equal(plain[name], other[name]), name


def test_real_and_generated_rows_are_augmented_in_both_steps():
    seen = []

    def record(rows, _):
        seen.append(rows.requires_grad)
        return rows

    plan = build(record)
    plan.update(TensorData(torch.rand(10, 64, generator=rng(5))))
    # Real and generated rows for the discriminator, generated ones for the generator, whose gradient flows through.
    assert seen == [False, False, True]


def test_a_change_that_there_is_not_is_refused():
    assert GANSettings().augmentation == ()
    with pytest.raises(ValidationError, match="augmentation"):
        GANSettings(augmentation=("rotation",))
