"""A variational autoencoder of images: a walk through two axes of its latent."""

from __future__ import annotations

from torch import Tensor

from layerwise.data import ImageShape
from layerwise.evaluation.demos.page import render_page, to_base64
from layerwise.models.autoencoder import VAE

# Those that the page's script has; the output is a sigmoid or linear.
DEMO_ACTIVATIONS = ("tanh", "relu", "sigmoid", "silu", "softplus", "linear")


def render_vae_demo(network: VAE, image_shape: ImageShape, latents: Tensor) -> str:
    """Return the page.

    Args:
        network: a fully connected one.
        image_shape: of its inputs.
        latents: (n, latent_size) of some rows, to begin with; the axes that they differ in most are shown first.

    Raises:
        ValueError: the script does not have the activation.
    """
    config = network.config
    if config.activation not in DEMO_ACTIVATIONS:
        raise ValueError(f"the page is for {', '.join(DEMO_ACTIVATIONS)}, and this is {config.activation}")
    layers = [
        {"inputs": each.in_features, "weight": to_base64(each.weight), "bias": to_base64(each.bias)}
        for each in (*network.decoder, network.last)
    ]
    by_variance = latents.var(0).argsort(descending=True).tolist()
    found = {
        "latent": config.latent_size,
        "axes": [by_variance[0], by_variance[min(1, len(by_variance) - 1)]],
        "activation": config.activation,
        "output": "sigmoid" if config.loss == "binary_cross_entropy" else "linear",
        "layers": layers,
        "rows": to_base64(latents),
    }
    return render_page("vae.html", found, image_shape)
