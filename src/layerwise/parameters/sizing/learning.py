"""How networks learn where the settings leave it open (`docs/sizes.md`): optimizers, rates, noise, losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

from layerwise.data import ImageShape
from layerwise.data.preprocessing import robust_location
from layerwise.data.transforms import CorruptionName
from layerwise.parameters.sizing.rule import MOST_CONVOLVED, Extent

# How counts of words are learnt: with chains of sampled counts and a rate that falls to 0.
COUNT_LEARNING = {"learning_rate": 0.03, "final_learning_rate": 0.0}
# Gibbs steps of their chains, of up to so many documents: with one, states that no document is near grow deep.
COUNT_STEPS = ((500, 10), (2_000, 5))
# How a network learns from labels: one of a table, and all others.
TABLE_LEARNING = {"optimizer": "adamw", "learning_rate": 3e-3, "weight_decay": 0.01, "dropout": 0.1}
LEARNING = {"optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0.0, "dropout": 0.0}
# How a GAN learns, by its network (docs/pipelines/gan.md has what each is worth).
GAN_LEARNING: dict[str, dict[str, Any]] = {
    "mlp": {
        "latent_size": 100,
        "generator_learning_rate": 2e-4,
        "discriminator_learning_rate": 2e-4,
        "r1_every": 1,
    },
    "dcgan": {
        "latent_size": 32,
        "generator_learning_rate": 4e-3,
        "discriminator_learning_rate": 4e-3,
        "r1_every": 4,
    },
}
# How an autoencoder compresses images of many pixels: its latent, its rate, and the fraction of the initial weights
# that is left of them after all decay.
COMPRESSED_IMAGE = 64
IMAGE_COMPRESSION_RATE = 4e-3
INITIAL_WEIGHT_LEFT = 1 / 4


def count_learning(rows: int) -> dict[str, Any]:
    """Return how an RBM of so many documents learns by chains that start at them."""
    return COUNT_LEARNING | {"steps": next((steps for most, steps in COUNT_STEPS if rows <= most), 1)}


def chain_learning(chain: str, learning_rate: float | None, real_hidden: bool = False) -> dict[str, Any]:
    """Return how an RBM learns by its chains: the rate, its end, momentum and centring.

    Chains that last are samples of the model, which they can follow where its rate falls to 0 and its momentum is low
    (docs/pipelines/rbm.md has what each is worth).

    Args:
        chain: data, persistent or tempered.
        learning_rate: that is set, if one is.
        real_hidden: hidden units are real numbers, with which a rate of 0.1 diverges.
    """
    slow = 0.01 if real_hidden else 0.1
    if chain == "data":
        rate = learning_rate or slow
        return {"learning_rate": rate, "final_learning_rate": rate, "final_momentum": 0.9, "centered": None}
    return {
        "learning_rate": min(slow, 0.05),
        "final_learning_rate": 0.0,
        "final_momentum": 0.5,
        "centered": True,
    }


def gan_network(shape: ImageShape | None, uses_dense: bool) -> Literal["mlp", "dcgan"]:
    """Return the network of a GAN of rows: dcgan of small images that can be halved twice, else mlp.

    Args:
        shape: of the images; None for a table.
        uses_dense: whether a setting is set that mlp alone has.
    """
    if shape is None or uses_dense:
        return "mlp"
    height, width = shape[:2]
    return "mlp" if height % 4 or width % 4 or height * width > MOST_CONVOLVED else "dcgan"


def corruption_by_rule(variant: str, kind_of_rows: str | None) -> CorruptionName | None:
    """Return the noise that an autoencoder learns with where none is set; None: the variant's own."""
    return "gaussian" if variant == "compression" and kind_of_rows == "images" else None


def autoencoder_learning(
    variant: str, extent: Extent, steps: int, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return how an autoencoder learns, and its latent and noise where these are not the variant's own.

    An image that is compressed is read through noise. Weights that decay forget the grain that they were drawn with, so
    that the features are strokes (docs/pipelines/autoencoder.md has what each is worth): the decay leaves a quarter of
    it at the end of a cosine, whose mean rate is half of the first one.

    Args:
        variant: of the autoencoder.
        extent: of the rows.
        steps: of the training.
        given: the optimizer, the rate and the decay that are set, None where they are not.
    """
    usual: dict[str, Any] = {name: LEARNING[name] for name in ("optimizer", "learning_rate", "weight_decay")}
    usual |= {"optimizer": "adamw"} if given["weight_decay"] else {}
    usual |= {"corruption": corruption_by_rule(variant, extent.kind), "latent_size": None}
    if variant != "compression" or not extent.has_many_pixels:
        return usual
    usual |= {"latent_size": COMPRESSED_IMAGE}
    if given["optimizer"] not in (None, "adamw"):
        return usual
    rate = given["learning_rate"] or IMAGE_COMPRESSION_RATE
    decay = float(f"{math.log(1 / INITIAL_WEIGHT_LEFT) / (rate / 2 * steps):.2g}")
    return usual | {"optimizer": "adamw", "learning_rate": rate, "weight_decay": decay}


def learning(table: bool, optimizer: str | None, weight_decay: float | None) -> dict[str, Any]:
    """Return the optimizer, its rate and decay, and dropout, by the optimizer and the decay that are set.

    Args:
        table: whether the network is one of a table, and not a pretrained stack's.
        optimizer: that is set, if one is; another than the rule's has the usual rate.
        weight_decay: that is set; it needs adamw.
    """
    chosen = TABLE_LEARNING if table else LEARNING
    if optimizer not in (None, chosen["optimizer"]):
        return LEARNING | {"dropout": chosen["dropout"]}
    return chosen | ({"optimizer": "adamw"} if weight_decay else {})


def robust_delta(targets: Tensor) -> float | None:
    """Return Huber's delta for regression targets (rows, outputs) of which a few lie absurdly far off; else None.

    Beyond delta, 1.345 robust standard deviations, a row's error counts by its size alone (Huber 1964).
    """
    found = robust_location(targets.numpy())
    return None if found is None else 1.345 * found[1]
