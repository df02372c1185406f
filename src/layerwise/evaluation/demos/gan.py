"""A generator of images: a slider for each number of its noise, and a button for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from layerwise.data import ImageShape
from layerwise.evaluation.demos.page import render_page, to_base64
from layerwise.models.gan import Generator


def folded_layers(generator: Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights (m, n) and biases (m,) of an mlp generator's layers, with the running statistics folded in.

    Raises:
        ValueError: the generator is no mlp with relu and a sigmoid.
    """
    config = generator.config
    if config.network != "mlp" or config.activation != "relu" or config.output != "sigmoid":
        raise ValueError("the HTML demo needs a generator of network mlp with relu and an output of pixels")
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    for module in generator.body.children():
        if isinstance(module, nn.Linear):
            # A layer before batch normalisation has no bias.
            own = module.weight.new_zeros(module.out_features) if module.bias is None else module.bias
            layers.append((module.weight.detach().double().numpy(), own.detach().double().numpy()))
        elif isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None
            assert module.running_var is not None
            scale = module.weight.detach().double() / torch.sqrt(module.running_var.double() + module.eps)
            shift = module.bias.detach().double() - scale * module.running_mean.double()
            weight, bias = layers[-1]
            layers[-1] = (scale.numpy()[:, None] * weight, scale.numpy() * bias + shift.numpy())
    return layers


def encoded_layers(generator: Generator) -> list[dict[str, Any]]:
    """Return each layer's size and its weights and biases as base64 of little-endian float32."""
    return [
        {
            "inputs": weight.shape[1],
            "outputs": weight.shape[0],
            "weight": to_base64(torch.from_numpy(weight)),
            "bias": to_base64(torch.from_numpy(bias)),
        }
        for weight, bias in folded_layers(generator)
    ]


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
