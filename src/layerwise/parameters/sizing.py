"""The rule of sizes: layers, batches and lengths of training where the settings leave them open (`docs/sizes.md`).

A default that fits 4,000 pictures of 784 pixels drowns a table of a hundred rows. What is null is therefore filled when
the rows are known: by how many there are, how many columns they have, and whether these are pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from layerwise.data import DataSpec

# Rows of a batch: a tenth of all rows, within these bounds.
SMALLEST_BATCH, LARGEST_BATCH = 8, 100
# Of a table with very many rows a batch is larger, up to this many.
LARGEST_TABLE_BATCH = 500
TABLE_BATCHES = 200
# Epochs of each training: at least, and as many more as give so many steps, but at most.
FINETUNING = (30, 1000, 200)
PRETRAINING = (20, 700, 200)
AUTOENCODER = (40, 1400, 300)
ADVERSARIAL = (50, 1800, 500)
# Images of so many pixels or more have the layers of the papers on 28 x 28 pixels.
MANY_PIXELS = 400
IMAGE_LAYERS = (500, 500, 1000)
# Layers of all other rows: powers of two about 4 sqrt(rows), within these bounds.
NARROWEST, WIDEST = 32, 256
MOST_RBM_UNITS = 500


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
        return cls(rows, columns.n_inputs, kind)

    @property
    def batch(self) -> int:
        """The rows of a batch."""
        tenth = min(max(math.ceil(self.rows / 10), SMALLEST_BATCH), LARGEST_BATCH)
        if self.kind == "table":
            tenth = max(tenth, min(self.rows // TABLE_BATCHES, LARGEST_TABLE_BATCH))
        return max(1, min(tenth, self.rows))

    def epochs(self, bounds: tuple[int, int, int], batch: int | None = None) -> int:
        """Return the passes over the rows, by (least, steps, most) and the rows of a batch."""
        least, steps, most = bounds
        batches = math.ceil(self.rows / (batch or self.batch))
        return min(max(least, math.ceil(steps / batches)), most)

    @property
    def width(self) -> int:
        """The units of the widest layer of a network that is no pile of images' layers."""
        nearest = 2 ** round(math.log2(4 * math.sqrt(max(self.rows, 1))))
        return min(max(nearest, NARROWEST), WIDEST)

    @property
    def has_many_pixels(self) -> bool:
        """Whether the layers of the papers on images fit."""
        return self.kind == "images" and self.inputs >= MANY_PIXELS

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """The hidden layers of a feed-forward network."""
        return IMAGE_LAYERS if self.has_many_pixels else (self.width, self.width)

    @property
    def stack_sizes(self) -> tuple[int, ...]:
        """The layers of a stack of RBMs or autoencoders."""
        return IMAGE_LAYERS if self.has_many_pixels else (self.width, self.width // 2)

    @property
    def rbm_units(self) -> int:
        """The hidden units of an RBM alone: four a column of a table."""
        return (
            min(MOST_RBM_UNITS, max(NARROWEST // 2, 4 * self.inputs))
            if self.kind == "table"
            else MOST_RBM_UNITS
        )


def batch_and_epochs(extent: Extent, bounds: tuple[int, int, int], batch: Any = None) -> dict[str, Any]:
    """Return the values of `batch_size` and `epochs`; the latter by the batch that is set, if one is."""
    rows = extent.rows if batch == "all" else batch
    return {"batch_size": extent.batch, "epochs": extent.epochs(bounds, rows)}
