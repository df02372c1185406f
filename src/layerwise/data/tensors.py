"""Rows as a network takes them: dense or sparse tensors, and the data spec that says what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import field_validator
from torch import Tensor

from layerwise.data.errors import DataError
from layerwise.data.image_layout import ImageShape, describe_shape
from layerwise.data.problem import Task
from layerwise.data.row_rules import RowRules
from layerwise.data.target_transforms import TargetTransform, TransformName
from layerwise.utils import Config, mask_secrets, project_path

ColumnBlockKind = Literal["real", "binary", "categorical", "count"]


@dataclass(frozen=True)
class TensorData:
    """Rows on one device; a batch is an index into it.

    Args:
        inputs: (n, d) float.
        targets: (n,) int64 for multiclass, (n, 1) float in {0, 1} for binary, (n, k) float otherwise; or None.
        weights: (n,) how much each row counts in a loss that has targets, and in a metric; None: all the same.
    """

    inputs: Tensor
    targets: Tensor | None = None
    weights: Tensor | None = None

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    def __getitem__(self, index: Tensor | slice) -> TensorData:
        return TensorData(
            _select_rows(self.inputs, index),
            None if self.targets is None else _select_rows(self.targets, index),
            None if self.weights is None else _select_rows(self.weights, index),
        )

    def with_inputs(self, inputs: Tensor) -> TensorData:
        """Return the same rows with other inputs: the activations of a layer, or a corrupted copy."""
        return replace(self, inputs=inputs)

    def with_mean_weight_1(self) -> TensorData:
        """Return the same rows with weights whose mean is 1: of losses, weighted means. A DataError: all are 0."""
        if self.weights is None or not len(self):
            return self
        if not self.weights.any():
            raise DataError(
                f"problem.weights: all {len(self):,} rows of a part of the split have the weight 0"
            )
        return replace(self, weights=self.weights / self.weights.mean())

    def weighted(self, losses: Tensor) -> Tensor:
        """Return losses of these rows, each times its row's weight, in the losses' shape.

        Args:
            losses: (rows,), or (members, rows) of the same rows or of a batch that has a line for each member.
        """
        return losses if self.weights is None else losses * self.weights

    def to(self, device: torch.device | str) -> TensorData:
        """Return the rows on a device."""
        return TensorData(
            self.inputs.to(device),
            None if self.targets is None else self.targets.to(device),
            None if self.weights is None else self.weights.to(device),
        )


def _select_rows(values: Tensor, index: Tensor | slice) -> Tensor:
    """Return some rows, in the shape of the index; for row numbers, index_select takes a third of the time."""
    if isinstance(index, Tensor) and index.dtype == torch.int64:
        # The order of rows is drawn on the CPU, wherever they are.
        index = index.to(values.device)
        if index.dim() == 1:
            return values.index_select(0, index)
        return values.index_select(0, index.reshape(-1)).view(*index.shape, *values.shape[1:])
    return values[index]


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


# What a CSR matrix consists of, in the order in which SciPy takes them.
CSR_ARRAYS = ("data", "indices", "indptr")


@dataclass(frozen=True)
class SparseTensorData:
    """A SciPy CSR matrix (n, d) that stands in for `TensorData`: an index gives dense rows.

    Args:
        matrix: the rows.
        device: where batches go.
        dtype: of the batches.
    """

    matrix: Any
    device: torch.device | str = "cpu"
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        if getattr(self.matrix, "format", "") != "csr":
            raise ValueError("sparse rows are a SciPy CSR matrix; call its tocsr() first")

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, index: Tensor | slice) -> TensorData:
        chosen = index.cpu().numpy() if isinstance(index, Tensor) else index
        dense = torch.from_numpy(self.matrix[chosen].toarray())
        return TensorData(dense.to(device=self.device, dtype=self.dtype))

    def to(self, device: torch.device | str) -> SparseTensorData:
        """Return the same rows; their batches go to the device."""
        return replace(self, device=device)

    def tensors(self) -> dict[str, Tensor]:
        """Return the matrix as plain tensors: its three arrays, and its number of columns."""
        arrays = {name: torch.from_numpy(getattr(self.matrix, name)) for name in CSR_ARRAYS}
        return arrays | {"columns": torch.tensor([self.matrix.shape[1]])}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> SparseTensorData:
        """Return the rows that `tensors()` was called on."""
        from scipy.sparse import csr_matrix

        arrays = tuple(tensors[name].numpy() for name in CSR_ARRAYS)
        return cls(csr_matrix(arrays, shape=(len(arrays[2]) - 1, int(tensors["columns"]))))

    def column_sums(self) -> Tensor:
        """Return the sum of all rows, shape (1, d): enough to initialize the biases of count units."""
        sums = np.asarray(self.matrix.sum(0)).reshape(1, -1)
        return torch.from_numpy(sums).to(device=self.device, dtype=self.dtype)
