"""An RBM of images: draw one, see its reconstruction, and let Gibbs steps go on from it."""

from __future__ import annotations

from torch import Tensor

from layerwise.data import ImageShape
from layerwise.evaluation.demos.page import render_page, to_base64
from layerwise.models.rbm import RBM


def render_rbm_demo(rbm: RBM, image_shape: ImageShape, examples: Tensor) -> str:
    """Return the page.

    Args:
        rbm: of Bernoulli units.
        image_shape: of its inputs.
        examples: (n, n_visible) rows to begin with.

    Raises:
        ValueError: the units are others.
    """
    config = rbm.config
    if (config.visible, config.hidden) != ("bernoulli", "bernoulli"):
        raise ValueError(f"the page is for Bernoulli units, and these are {config.visible}, {config.hidden}")
    network = {
        "visible": config.n_visible,
        "hidden": config.n_hidden,
        "weight": to_base64(rbm.weight),
        "kept": 1 - config.dropout,
        "visible_bias": to_base64(rbm.visible_bias),
        "hidden_bias": to_base64(rbm.hidden_bias),
        "examples": to_base64(examples),
    }
    return render_page("rbm.html", network, image_shape)
