"""The rule of sizes: layers, batches and lengths of training where the settings leave them open (`docs/sizes.md`).

A default that fits 4,000 pictures of 784 pixels drowns a table of a hundred rows. What is null is therefore filled when
the rows are known: by how many there are, how many columns they have, and whether these are pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from layerwise.data import DataSpec, channels_of

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
TABLE_FINETUNING, WIDE_FINETUNING = (30, 2000, 200), (30, 12_000, 60)
# Images of so many pixels or more have the layers of the papers on 28 x 28 pixels.
MANY_PIXELS = 400
IMAGE_LAYERS = (500, 500, 1000)
# Layers of all other rows: powers of two about 4 sqrt(rows), of small images 8 sqrt(rows), within these bounds. The
# members of a table's ensemble share theirs; of many rows fewer members share wider ones.
NARROWEST, WIDEST = 32, 256
NARROWEST_SHARED, WIDEST_SHARED = 64, 128
WIDE_FROM = 8000
MOST_RBM_UNITS = 500
# Topics of documents (Salakhutdinov & Hinton 2009 took 50 for 1,690 documents as for 800,000).
TOPICS = 50
CONVOLUTIONAL_GAN_BATCH = 25
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
    def has_many_rows(self) -> bool:
        """Whether a table's ensemble is one of fewer members with wider layers."""
        return self.rows >= WIDE_FROM

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

    def batch_and_epochs(self, bounds: Bounds, batch: Any = None) -> dict[str, Any]:
        """Return the values of `batch_size` and `epochs`; the latter by the batch that is set, if one is."""
        return {
            "batch_size": self.batch,
            "epochs": self.epochs(bounds, self.rows if batch == "all" else batch),
        }

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
    def ensemble_finetuning(self) -> Bounds:
        """The least epochs, the steps and the most epochs of a table's ensemble."""
        return WIDE_FINETUNING if self.has_many_rows else TABLE_FINETUNING

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
        widest = WIDEST if self.has_many_rows else WIDEST_SHARED
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
        return WIDE_MEMBERS if self.has_many_rows else TABLE_MEMBERS

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
