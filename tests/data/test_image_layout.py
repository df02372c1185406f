"""Color images through every function of images: three gray images whose values lie side by side."""

import numpy as np
import pytest
import torch

from layerwise.data import describe_shape, images_to_rows, rows_to_images, values_of, with_size
from layerwise.data.image_layout import pixel_names
from layerwise.data.sources.captions import stroke_slant
from layerwise.data.transforms import (
    AugmentationSettings,
    bouncing_videos,
    downsample,
    make_augmentation,
    upsample,
)
from layerwise.evaluation.unsupervised import structural_similarity
from layerwise.models.autoencoder.convolutional import ConvolutionalAutoencoder, ConvolutionalConfig
from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.utils import torch_rng

GRAY, COLOR = (8, 4), (8, 4, 3)


def rows(n=5, seed=0):
    return torch.rand(n, values_of(COLOR), generator=torch_rng(seed, "rows"))


def planes(values):
    """Return the rows of each color as gray images (3, n, 32)."""
    return [values[:, k::3] for k in range(3)]


def test_rows_and_images_are_each_others_inverse_and_names_follow_the_rows():
    images = rows_to_images(rows(), COLOR)
    assert images.shape == (5, 3, 8, 4)
    assert torch.equal(images_to_rows(images), rows())
    names = pixel_names(COLOR)
    assert len(names) == len(set(names)) == 96
    assert images[2, 1, 7, 3] == rows()[2, names.index("pixel_7_3_green")]
    gray = rows()[:, :32]
    assert torch.equal(images_to_rows(rows_to_images(gray, GRAY)), gray)
    assert (describe_shape(GRAY), describe_shape(COLOR)) == ("8 x 4 pixels", "8 x 4 pixels in color")
    assert (with_size(GRAY, 2, 1), with_size(COLOR, 2, 1)) == ((2, 1), (2, 1, 3))


@pytest.mark.parametrize(
    "change",
    [
        lambda values, shape: downsample(values, shape, 2),
        lambda values, shape: upsample(values, shape, 2),
        lambda values, shape: bouncing_videos(values, shape, 4, torch_rng(1, "videos"))[:, 2],
        lambda values, shape: make_augmentation(
            AugmentationSettings(rotate=20, shift=0.2), shape, 0, "cpu", "here"
        )(values),
    ],
)
def test_a_change_of_color_images_is_that_of_each_color(change):
    together = planes(change(rows(), COLOR))
    for k, alone in enumerate(planes(rows())):
        torch.testing.assert_close(together[k], change(alone, GRAY))


def test_similarity_of_color_images_is_the_mean_over_colors():
    first, second = rows(), rows(seed=1)
    alone = [structural_similarity(a, b, GRAY) for a, b in zip(planes(first), planes(second), strict=True)]
    torch.testing.assert_close(structural_similarity(first, second, COLOR), torch.stack(alone).mean(0))


def test_a_slant_is_that_of_all_colors_together():
    gray = planes(rows())[0]
    same = torch.stack([gray, gray, gray], 2).flatten(1)
    torch.testing.assert_close(stroke_slant(same, COLOR), stroke_slant(gray, GRAY))


def test_a_convolution_sees_each_pixels_colors_where_they_are():
    config = ConvolutionalConfig(image_shape=COLOR, channels=(4, 6), latent_size=5)
    network = ConvolutionalAutoencoder(config, torch_rng(0, "w"))
    assert network.down[0].weight.shape[1] == 3
    assert network.reconstruct(rows()).shape == (5, 96)
    # Moved by the stride of the first layer, an image has its activations moved by one.
    image = torch.zeros(1, 8, 4, 3)
    image[0, 3, 1] = torch.tensor([0.2, 0.5, 0.9])
    first, moved = (
        network.down[0](rows_to_images(each.reshape(1, -1), COLOR)) for each in (image, image.roll(2, 1))
    )
    bias = network.down[0].bias[:, None, None]
    torch.testing.assert_close((first - bias).roll(1, 2), moved - bias)
    with torch.no_grad():
        found = network.decode_pre_activation(torch.rand(2, 5, generator=torch_rng(2, "z")))
    assert found.shape == (2, 96)


def test_dcgan_makes_and_scores_color_images():
    shape = {"image_shape": COLOR, "network": "dcgan", "channels": 4}
    generator = Generator(GeneratorConfig(latent_size=3, n_outputs=96, **shape), torch_rng(0, "g"))
    made = generator.sample(6, torch_rng(1, "z"))
    assert made.shape == (6, 96)
    critic = Discriminator(DiscriminatorConfig(n_inputs=96, **shape), torch_rng(0, "d"))
    score = critic(made.requires_grad_())
    assert score.shape == (6,)
    score.sum().backward()
    assert all(bool(plane.abs().sum() > 0) for plane in planes(made.grad))


def test_names_of_gray_pixels_stay_as_they_were():
    assert pixel_names((2, 2)) == ("pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_1")
    assert np.prod(GRAY) == values_of(GRAY)
