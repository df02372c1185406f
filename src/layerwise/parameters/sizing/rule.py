"""The rule of sizes: layers, batches and lengths of training where the settings leave them open (`docs/sizes.md`).

A default that fits 4,000 pictures of 784 pixels drowns a table of a hundred rows. What is null is therefore filled when
the rows are known: by how many there are, how many columns they have, and whether these are pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from layerwise.data import DataSpec, ImageShape, channels_of
from layerwise.data.preprocessing import robust_location
from layerwise.data.transforms import CorruptionName

Bounds = tuple[int, int, int]
# Rows of a batch: a tenth of all rows, of small images a 25th, within these bounds.
SMALLEST_BATCH, LARGEST_BATCH = 8, 100
# Of a table with very many rows a batch is larger, up to this many.
LARGEST_TABLE_BATCH = 500
TABLE_BATCHES = 200
# Epochs of each training: at least, and as many more as give so many steps, but at most.
FINETUNING = (30, 1000, 200)
PRETRAINING = (20, 700, 200)
AUTOENCODER = (40, 1400, 300)
ADVERSARIAL = (50, 1800, 500)
# Of a GAN of images with convolutions: images of at most so many pixels, whose steps are not too dear.
CONVOLUTIONAL_ADVERSARIAL, MOST_CONVOLVED = (20, 5000, 500), 64 * 64
# Of an RBM whose chains last, which learns a distribution and not features alone.
LASTING_CHAINS, AVERAGED_EPOCHS = (20, 7000, 200), 0.2
# Of all layers of a deep Boltzmann machine together, whose steps infer what its layers are.
JOINT = (20, 1500, 100)
# The same where networks are small, as those of tables and of small images are: their steps are cheap.
SMALL_FINETUNING = (30, 4000, 200)
SMALL_PRETRAINING = (20, 2500, 100)
SMALL_AUTOENCODER = (40, 5000, 500)
# An ensemble's steps are those of all its members.
TABLE_FINETUNING = (30, 2000, 200)
# Images of so many pixels or more have the layers of the papers on 28 x 28 pixels.
MANY_PIXELS = 400
IMAGE_LAYERS = (500, 500, 1000)
# Layers of all other rows: powers of two about 4 sqrt(rows), of small images 8 sqrt(rows), within these bounds. The
# members of a table's ensemble share theirs; of many rows fewer members share wider ones.
NARROWEST, WIDEST = 32, 256
NARROWEST_SHARED, WIDEST_SHARED = 64, 128
WIDE_FROM = 8000
MOST_RBM_UNITS = 500
# Topics of documents, and how counts of words are learnt: with chains of sampled counts and a rate that falls to 0
# (Salakhutdinov & Hinton 2009 took 50 for 1,690 documents as for 800,000).
TOPICS = 50
COUNT_LEARNING = {"learning_rate": 0.03, "final_learning_rate": 0.0}
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
CONVOLUTIONAL_GAN_BATCH = 25
# How an autoencoder compresses images of many pixels: its latent, its rate, and the fraction of the initial weights
# that is left of them after all decay.
COMPRESSED_IMAGE = 64
IMAGE_COMPRESSION_RATE = 4e-3
INITIAL_WEIGHT_LEFT = 1 / 4
# The network of a table: an ensemble, whose numbers are embedded from so many rows on.
TABLE_MEMBERS, WIDE_MEMBERS = 8, 4
EMBEDDED_FROM = 2000


@dataclass(frozen=True)
class Extent:
    """What the rule asks of rows.

    Args:
        rows: that are learnt from.
        inputs: columns after preprocessing, or pixels.
        kind: images, table, ratings or documents.
    """

    rows: int
    inputs: int
    kind: str

    @classmethod
    def of(cls, columns: DataSpec, rows: int) -> Extent:
        """Return the extent of so many preprocessed rows."""
        kind = "images" if columns.image_shape else "table"
        if columns.task in ("ratings", "documents"):
            kind = columns.task
        shape = columns.image_shape
        inputs = columns.n_inputs // channels_of(shape) if shape else columns.n_inputs
        return cls(rows, inputs, kind)

    @property
    def batch(self) -> int:
        """The rows of a batch."""
        parts = 25 if self.has_few_pixels else 10
        size = min(max(math.ceil(self.rows / parts), SMALLEST_BATCH), LARGEST_BATCH)
        if self.kind == "table":
            size = max(size, min(self.rows // TABLE_BATCHES, LARGEST_TABLE_BATCH))
        return max(1, min(size, self.rows))

    def epochs(self, bounds: Bounds, batch: int | None = None) -> int:
        """Return the passes over the rows, by (least, steps, most) and the rows of a batch."""
        least, steps, most = bounds
        batches = math.ceil(self.rows / (batch or self.batch))
        return min(max(least, math.ceil(steps / batches)), most)

    def _width(self, narrowest: int, widest: int) -> int:
        factor = 8 if self.has_few_pixels else 4
        nearest = 2 ** round(math.log2(factor * math.sqrt(max(self.rows, 1))))
        return min(max(nearest, narrowest), widest)

    @property
    def width(self) -> int:
        """The units of a stack's first layer."""
        return self._width(NARROWEST, WIDEST)

    @property
    def has_few_pixels(self) -> bool:
        """Whether these are images too small for the layers of the papers."""
        return self.kind == "images" and self.inputs < MANY_PIXELS

    @property
    def is_small(self) -> bool:
        """Whether networks of these rows are small."""
        return self.kind == "table" or self.has_few_pixels

    @property
    def finetuning(self) -> Bounds:
        """The least epochs, the steps and the most epochs of back-propagation through one network."""
        return SMALL_FINETUNING if self.is_small else FINETUNING

    @property
    def pretraining(self) -> Bounds:
        """The least epochs, the steps and the most epochs of an RBM or a layer of a stack."""
        return SMALL_PRETRAINING if self.is_small else PRETRAINING

    @property
    def autoencoder(self) -> Bounds:
        """The least epochs, the steps and the most epochs of an autoencoder."""
        return SMALL_AUTOENCODER if self.is_small else AUTOENCODER

    @property
    def has_many_pixels(self) -> bool:
        """Whether the layers of the papers on images fit."""
        return self.kind == "images" and self.inputs >= MANY_PIXELS

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """The hidden layers of a feed-forward network."""
        if self.has_many_pixels:
            return IMAGE_LAYERS
        if self.kind != "table":
            return (self.width,) * 2
        widest = WIDEST if self.rows >= WIDE_FROM else WIDEST_SHARED
        return (self._width(NARROWEST_SHARED, widest),) * 2

    @property
    def number_embedding(self) -> str:
        """What the first layer of a feed-forward network sees of numbers."""
        return "piecewise_linear" if self.kind == "table" and self.rows >= EMBEDDED_FROM else "none"

    @property
    def ensemble_members(self) -> int:
        """The members of a feed-forward network."""
        if self.kind != "table":
            return 1
        return WIDE_MEMBERS if self.rows >= WIDE_FROM else TABLE_MEMBERS

    @property
    def stack_sizes(self) -> tuple[int, ...]:
        """The layers of a stack of RBMs or autoencoders."""
        if self.has_many_pixels:
            return IMAGE_LAYERS
        return (self.width, self.width if self.has_few_pixels else self.width // 2)

    @property
    def rbm_units(self) -> int:
        """The hidden units of an RBM alone: four a column of a table."""
        if self.kind == "documents":
            return TOPICS
        return (
            min(MOST_RBM_UNITS, max(NARROWEST // 2, 4 * self.inputs))
            if self.kind == "table"
            else MOST_RBM_UNITS
        )


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


def batch_and_epochs(extent: Extent, bounds: Bounds, batch: Any = None) -> dict[str, Any]:
    """Return the values of `batch_size` and `epochs`; the latter by the batch that is set, if one is."""
    rows = extent.rows if batch == "all" else batch
    return {"batch_size": extent.batch, "epochs": extent.epochs(bounds, rows)}
