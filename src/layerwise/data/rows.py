"""The shape in which rows reach a network: tensors, and a description of what their columns mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from layerwise.configuration import Config

# The last two have no targets: what is held out are ratings, or whole documents.
Task = Literal["multiclass", "binary", "multilabel", "regression", "ratings", "documents"]
BlockKind = Literal["real", "binary", "categorical", "count"]


@dataclass(frozen=True)
class Rows:
    """A set of rows that lives on one device; a batch is an index into it.

    Args:
        inputs: (n, d) float.
        targets: (n,) int64 for multiclass, (n, 1) float in {0, 1} for binary, (n, k) float otherwise; or None.
    """

    inputs: Tensor
    targets: Tensor | None = None

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    def __getitem__(self, index: Tensor | slice) -> Rows:
        return Rows(
            _picked(self.inputs, index), None if self.targets is None else _picked(self.targets, index)
        )

    def with_inputs(self, inputs: Tensor) -> Rows:
        """Return the same rows with other inputs: the activities of a layer, or a corrupted copy."""
        return Rows(inputs, self.targets)

    def to(self, device: torch.device | str) -> Rows:
        """Return the rows on a device."""
        return Rows(self.inputs.to(device), None if self.targets is None else self.targets.to(device))


def _picked(values: Tensor, index: Tensor | slice) -> Tensor:
    """Return some rows; of numbered ones, index_select takes a third of the time."""
    if isinstance(index, Tensor) and index.dtype == torch.int64 and index.dim() == 1:
        # The order of rows is drawn on the CPU, wherever they are.
        return values.index_select(0, index.to(values.device))
    return values[index]


class Block(Config):
    """Neighbouring input columns that belong together: one number, one boolean, or one category's dummies."""

    name: str
    kind: BlockKind
    start: int
    stop: int
    categories: tuple[str, ...] = ()


class Description(Config):
    """What the prepared rows are: enough to build the network and to read its outputs.

    `fresh_binarisation` says that inputs are probabilities, to be drawn anew for every batch. A regression target is
    standardised by `target_means` and `target_scales` (of the training rows) after its transform. `notes` say what a
    reader of the results has to know of the rows: leaks, repeats.
    """

    task: Task
    n_inputs: int
    n_outputs: int
    feature_names: tuple[str, ...]
    blocks: tuple[Block, ...]
    target_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None
    source: str = ""
    sha256: str = ""
    n_training: int = 0
    n_validation: int = 0
    n_test: int = 0
    fresh_binarisation: bool = False
    target_means: tuple[float, ...] = ()
    target_scales: tuple[float, ...] = ()
    target_transform: str = "none"
    notes: tuple[str, ...] = ()

    @property
    def bounded(self) -> bool:
        """True when every input lies in [0, 1], so that Bernoulli visible units and cross-entropy fit."""
        return all(block.kind in ("binary", "categorical") for block in self.blocks)

    def unscaled(self, targets: Tensor) -> Tensor:
        """Return regression targets or outputs (n, k) in the units of the (transformed) target; others as they are."""
        if not self.target_scales:
            return targets
        scales, means = (targets.new_tensor(values) for values in (self.target_scales, self.target_means))
        return targets * scales + means
