"""A generator of images: a slider for each number of its noise, and a button for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerwise.data import ImageShape
from layerwise.evaluation.demos.page import render_page, to_base64
from layerwise.models.gan import Generator

# A layer's weights and biases (m,), and the height and width of the images that a transposed convolution doubles.
FoldedLayer = tuple[np.ndarray, np.ndarray, tuple[int, int] | None]


def folded_layers(generator: Generator) -> list[FoldedLayer]:
    """Return the layers of a generator, with the running statistics folded into weights and biases.

    The weights of a dense layer are (m, n). Those of a transposed convolution are (channels in, channels out, 4, 4);
    its stride is 2 and its padding 1.

    Raises:
        ValueError: the generator is neither mlp nor dcgan, with relu and a sigmoid.
    """
    config = generator.config
    if config.network not in ("mlp", "dcgan") or config.activation != "relu" or config.output != "sigmoid":
        raise ValueError(
            "the HTML demo needs a generator of network mlp or dcgan with relu and an output of pixels"
        )
    layers: list[FoldedLayer] = []
    size = (0, 0)
    for module in generator.body.children():
        if isinstance(module, nn.Linear):
            layers.append((_double(module.weight), _bias(module, module.out_features), None))
        elif isinstance(module, nn.ConvTranspose2d):
            layers.append((_double(module.weight), _bias(module, module.out_channels), size))
            size = (2 * size[0], 2 * size[1])
        elif isinstance(module, nn.Unflatten):
            _, height, width = module.unflattened_size
            size = (int(height), int(width))
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            layers[-1] = _folded(layers[-1], module)
    return layers


def _folded(layer: FoldedLayer, module: nn.BatchNorm1d | nn.BatchNorm2d) -> FoldedLayer:
    """Return a layer whose outputs are normalized by running statistics, one for each unit or each channel."""
    weight, bias, size = layer
    assert module.running_mean is not None
    assert module.running_var is not None
    scale = _double(module.weight) / np.sqrt(_double(module.running_var) + module.eps)
    shift = _double(module.bias) - scale * _double(module.running_mean)
    if size is not None:
        return scale[None, :, None, None] * weight, scale * bias + shift, size
    # A dense layer before convolutions gives the pixels of one channel after those of another.
    scale, shift = (np.repeat(each, len(bias) // len(scale)) for each in (scale, shift))
    return scale[:, None] * weight, scale * bias + shift, None


def _bias(layer: nn.Linear | nn.ConvTranspose2d, units: int) -> np.ndarray:
    """Return a layer's bias; one before batch normalization has none of its own."""
    return np.zeros(units) if layer.bias is None else _double(layer.bias)


def _double(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()


def encoded_layers(generator: Generator) -> list[dict[str, Any]]:
    """Return each layer's size and its weights and biases as base64 of little-endian float32."""
    encoded = []
    for weight, bias, size in folded_layers(generator):
        inputs = weight.shape[0] if size else weight.shape[1]
        layer = {"inputs": inputs, "outputs": len(bias)} | (
            {"height": size[0], "width": size[1]} if size else {}
        )
        encoded.append(
            layer | {"weight": to_base64(torch.from_numpy(weight)), "bias": to_base64(torch.from_numpy(bias))}
        )
    return encoded


def render_gan_demo(
    generator: Generator, class_names: Sequence[str], image_shape: ImageShape, title: str
) -> str:
    """Return a whole HTML page: a slider for each number of the noise, a button for each class, the image.

    Args:
        generator: conditional on the class, one-hot, or unconditional.
        class_names: of the conditions.
        image_shape: height and width, and 3 of color images.
        title: of the page.
    """
    network = {
        "latent": generator.config.latent_size,
        "classes": list(class_names) if generator.config.n_conditions else [],
        "layers": encoded_layers(generator),
    }
    return render_page("gan.html", network, image_shape, title)
