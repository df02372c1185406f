"""Bodies of generators that make an image from given ones: a U-Net, and one that moves the last of some frames."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.data import ImageShape, channels_of, images_to_rows, rows_to_images, values_of
from layerwise.models.layers import BatchNorm1d, BatchNorm2d, Conv2d, ConvTranspose2d, Linear

NEGATIVE_SLOPE = 0.2
# Units of the U-Net's narrowest layer, which sees the whole image and the noise.
NARROWEST = 128


class UNet(nn.Module):
    """Map rows (n, latent + given) of noise beside a given image to pre-activations of an image (Isola et al. 2017).

    The image is halved twice, passes a dense layer that also reads the noise, and is doubled twice, each time beside
    the features of its size on the way down. A given image of a quarter of each side (super-resolution) starts at
    the smallest size.

    Args:
        latent_size: numbers of the noise.
        given: the shape of the given image: that of the new one, or a quarter of each side.
        shape: of the new image; both sides can be halved twice.
        channels: of the larger layers; the smaller ones have twice as many.
    """

    def __init__(self, latent_size: int, given: ImageShape, shape: ImageShape, channels: int) -> None:
        super().__init__()
        self.given, few, many = given, channels, 2 * channels
        self.halves = given[:2] == shape[:2]
        colors, small = channels_of(given), (shape[0] // 4, shape[1] // 4)
        # A larger image keeps its own pixels beside its first features, for the way up.
        first = Conv2d(colors, few, 4, 2, 1) if self.halves else Conv2d(colors, many, 3, 1, 1)
        second = Conv2d(few, many, 4, 2, 1) if self.halves else Conv2d(many, many, 3, 1, 1)
        self.down_1 = nn.Sequential(first, nn.LeakyReLU(NEGATIVE_SLOPE))
        self.down_2 = nn.Sequential(second, BatchNorm2d(many), nn.LeakyReLU(NEGATIVE_SLOPE))
        n_features = many * small[0] * small[1]
        self.middle = nn.Sequential(
            Linear(latent_size + n_features, NARROWEST, bias=False),
            BatchNorm1d(NARROWEST),
            nn.ReLU(),
            Linear(NARROWEST, n_features, bias=False),
            nn.Unflatten(1, (many, *small)),
            BatchNorm2d(many),
            nn.ReLU(),
        )
        self.up_1 = nn.Sequential(
            ConvTranspose2d(2 * many, few, 4, 2, 1, bias=False), BatchNorm2d(few), nn.ReLU()
        )
        self.up_2 = ConvTranspose2d(2 * few if self.halves else few, channels_of(shape), 4, 2, 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Return pre-activations (n, values of the new image)."""
        z, given = rows.tensor_split([rows.shape[1] - values_of(self.given)], dim=1)
        first = self.down_1(rows_to_images(given, self.given))
        second = self.down_2(first)
        middle = self.middle(torch.cat([z, second.flatten(1)], 1))
        up = self.up_1(torch.cat([middle, second], 1))
        return images_to_rows(self.up_2(torch.cat([up, first], 1) if self.halves else up))


class Motion(nn.Module):
    """Move the last of the given frames by what a network says (after Finn et al. 2016, arXiv:1605.07157).

    The network gives logits of whole pixels, -m to m, down and across. In training the new frame is the mean over the
    displacements' probabilities, which has a gradient; in evaluation the most probable one is made, so that frames
    that are predicted one from another stay sharp.

    Args:
        network: maps rows (n, latent + frames) to 2 (2 m + 1) logits.
        shape: of a frame.
    """

    def __init__(self, network: nn.Module, shape: ImageShape) -> None:
        super().__init__()
        self.network, self.shape = network, shape

    def forward(self, rows: Tensor) -> Tensor:
        """Return the frame after the last one, (n, values of a frame)."""
        frame = rows_to_images(rows[:, -values_of(self.shape) :], self.shape)
        probabilities = self.network(rows).unflatten(1, (2, -1)).softmax(2)
        if not self.training:
            most = probabilities.argmax(2)
            probabilities = functional.one_hot(most, probabilities.shape[2]).to(frame.dtype)
        down, across = probabilities.unbind(1)
        return images_to_rows(_moved(_moved(frame, down, 2), across, 3))


def _moved(images: Tensor, probabilities: Tensor, axis: int) -> Tensor:
    """Return the mean of images (n, channels, h, w) moved by -m to m pixels along an axis, of (n, 2 m + 1)."""
    n, side = len(images), images.shape[axis]
    most = probabilities.shape[1] // 2
    padded = functional.pad(images, (0, 0, most, most) if axis == 2 else (most, most))
    # What is moved by k pixels is read k pixels before.
    parts = [padded.narrow(axis, 2 * most - k, side) for k in range(2 * most + 1)]
    return sum(
        (p.view(n, 1, 1, 1) * part for p, part in zip(probabilities.unbind(1), parts, strict=True)),
        start=torch.zeros_like(images),
    )


def fans(layer: nn.Module) -> tuple[float, float]:
    """Return the connections of an output and of an input of a layer: of a convolution, those of its kernel."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        size, stride = math.prod(layer.kernel_size), math.prod(layer.stride)
        # A transposed convolution of stride s has an input at every s-th place of each axis only.
        each = (size / stride, size) if isinstance(layer, nn.Conv2d) else (size, size / stride)
        return layer.out_channels * each[0], layer.in_channels * each[1]
    assert isinstance(layer, nn.Linear)
    return layer.out_features, layer.in_features
