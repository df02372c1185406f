"""What the columns of preprocessed rows mean: enough to build a network and to interpret its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import field_validator
from torch import Tensor

from layerwise.data.image_layout import ImageShape, describe_shape
from layerwise.data.problem import Task
from layerwise.data.row_rules import RowRules
from layerwise.data.target_transforms import TargetTransform, TransformName
from layerwise.utils import Config, mask_secrets, project_path

ColumnBlockKind = Literal["real", "binary", "categorical", "count"]


class ColumnBlock(Config):
    """Neighbouring input columns that belong together: one number, one boolean, or one category's dummies.

    `raw` names the raw column where several blocks come from it: the parts of a date, and a column with its indicator
    of empty cells (`is_indicator`). Such blocks change together or the row becomes impossible.
    """

    name: str
    kind: ColumnBlockKind
    start: int
    stop: int
    categories: tuple[str, ...] = ()
    raw: str = ""
    is_indicator: bool = False

    @property
    def columns(self) -> range:
        """The positions of its input columns."""
        return range(self.start, self.stop)


def raw_columns(blocks: Sequence[ColumnBlock]) -> dict[str, tuple[ColumnBlock, ...]]:
    """Return the blocks of each raw column by its name, in the order of the first block of each."""
    found: dict[str, tuple[ColumnBlock, ...]] = {}
    for block in blocks:
        name = block.raw or block.name
        found[name] = (*found.get(name, ()), block)
    return found


class DataSpec(Config):
    """What preprocessed rows are: enough to build the network and to interpret its outputs.

    With `dynamic_binarization` the inputs are probabilities, and binary pixels are sampled anew for every batch. A
    regression target is standardised by `target_means` and `target_scales` (of the training rows) after its
    transform. `notes` say what a reader of the results has to know of the rows: leaks, repeats. `rules` are what holds
    between the raw columns of every row.
    """

    task: Task
    n_inputs: int
    n_outputs: int
    feature_names: tuple[str, ...]
    blocks: tuple[ColumnBlock, ...]
    target_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    image_shape: ImageShape | None = None
    source: str = ""
    sha256: str = ""
    n_training: int = 0
    n_validation: int = 0
    n_test: int = 0
    n_unlabelled: int = 0
    dynamic_binarization: bool = False
    target_means: tuple[float, ...] = ()
    target_scales: tuple[float, ...] = ()
    target_transform: TransformName = "none"
    target_parameters: tuple[tuple[float, ...], ...] = ()
    notes: tuple[str, ...] = ()
    rules: RowRules = RowRules()

    @field_validator("source")
    @classmethod
    def _without_absolute_paths(cls, source: str) -> str:
        """Name a file by its path in the project, one elsewhere by its name: models and cards go to other people."""
        path = Path(source)
        if not path.is_absolute():
            return mask_secrets(source)
        project = project_path().absolute()
        return path.relative_to(project).as_posix() if path.is_relative_to(project) else path.name

    @property
    def bounded(self) -> bool:
        """True when every input lies in [0, 1], so that Bernoulli visible units and cross-entropy fit."""
        return all(block.kind in ("binary", "categorical") for block in self.blocks)

    @property
    def positive(self) -> str:
        """The class of a binary task that counts as 1; empty for other tasks."""
        return self.class_names[-1] if self.task == "binary" and self.class_names else ""

    @property
    def n_classes(self) -> int:
        """The number of classes of a task that has one class a row."""
        return 2 if self.task == "binary" else self.n_outputs

    @property
    def levels(self) -> list[float]:
        """The values of ratings, in order."""
        return [float(name) for name in self.class_names]

    def difference_of_inputs(self, other: DataSpec) -> str:
        """Return what differs between the input columns of two kinds of rows; empty where a network reads both alike.

        Args:
            other: of the rows that a trained network was made for.
        """
        if self.image_shape != other.image_shape:
            said = [describe_shape(s) if s else "no images" for s in (other.image_shape, self.image_shape)]
            return f"it reads {said[0]}, and these rows have {said[1]}"
        if self.image_shape is not None:
            return ""
        own, others = ({block.name: block for block in spec.blocks} for spec in (self, other))
        for name in [*others, *own]:
            if name not in own or name not in others:
                return (
                    f"it reads a column '{name}', and these rows have none"
                    if name in others
                    else (f"it does not read the column '{name}'")
                )
            if own[name] != others[name]:
                kinds = [
                    f"{block.kind} ({', '.join(block.categories)})" if block.categories else block.kind
                    for block in (others[name], own[name])
                ]
                if kinds[0] == kinds[1]:
                    return f"its column '{name}' stands elsewhere"
                return f"its column '{name}' is {kinds[0]}, and here it is {kinds[1]}"
        return ""

    def run_tags(self) -> dict[str, str]:
        """Return what a run says of its rows: their source, its hash, how many there are, and the positive class."""
        parts = {"training": self.n_training, "validation": self.n_validation, "test": self.n_test}
        return {
            "data.source": self.source,
            "data.sha256": self.sha256,
            "data.rows": str(sum(parts.values())),
            **{f"data.{name}_rows": str(n) for name, n in parts.items()},
            **({"data.unlabelled_rows": str(self.n_unlabelled)} if self.n_unlabelled else {}),
            **({"data.positive": self.positive} if self.positive else {}),
        }

    def raw_targets(self, values: np.ndarray) -> np.ndarray:
        """Return regression targets or outputs in the units of the raw target.

        Args:
            values: (n, k), in the units of the transformed target, as `unscaled` returns them.
        """
        return self.transform.inverse(values)

    @property
    def transform(self) -> TargetTransform:
        """What a regression's target became before it was scaled."""
        return TargetTransform(kind=self.target_transform, parameters=self.target_parameters)

    def unscaled(self, targets: Tensor) -> Tensor:
        """Return regression targets or outputs (n, k) in the units of the (transformed) target; others as they are.

        Where there are several outputs a target, such as quantiles, those of all targets follow each other: (n, 2 k).
        """
        if not self.target_scales:
            return targets
        times = targets.shape[-1] // len(self.target_scales)
        scales, means = (
            targets.new_tensor(values * times) for values in (self.target_scales, self.target_means)
        )
        return targets * scales + means
