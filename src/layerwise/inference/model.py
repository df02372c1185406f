"""A trained network that takes raw rows, and how it is written to a folder and read again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from layerwise.data import DataError, DataSpec
from layerwise.data.preprocessing import load_preprocessor, save_preprocessor
from layerwise.data.reading import (
    FileFormat,
    describe_refused,
    extract_pixels,
    typical_inputs,
    validate_images,
    validate_rows,
)
from layerwise.data.sources import sha256_of, validate_pixel_range
from layerwise.inference.manifest import (
    MANIFEST_FILE,
    ModelError,
    ModelManifest,
    load_error,
    relative_paths,
    verify_model_folder,
)
from layerwise.inference.named_scores import name_scores
from layerwise.inference.parts import ModelParts, load_parts, save_parts
from layerwise.inference.reproducible import InBlocks, RowFunction, shortest_decimals
from layerwise.inference.seen_rows import load_seen_rows, save_seen_rows
from layerwise.models import MLP, CalibratedNetwork, EstimatorNetwork, load_network, save_network
from layerwise.training.supervised import probabilities
from layerwise.utils import atomic_write, inference_device

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from torch import Tensor, nn

# Why a row has no answer though its cells are right.
NOT_FINITE = "the network's output is not a finite number: values too far from training"


@dataclass
class TrainedModel:
    """A network that takes raw rows. What it can be asked is in `layerwise.inference.tasks`.

    Args:
        network: in evaluation mode.
        preprocessor: fitted on its training rows.
        manifest: what else is known of it.
        sha256: of `model.json`, and so of the whole folder.
        seen_rows: hashes of the rows that it was trained and validated on, in order; None where they are not known.
        parts: what its tasks need beside.
    """

    network: nn.Module
    preprocessor: Any
    manifest: ModelManifest
    sha256: str = ""
    seen_rows: np.ndarray | None = None
    parts: ModelParts = field(default_factory=ModelParts)
    columns: DataSpec = field(init=False)
    _in_blocks: dict[tuple[str, torch.device], InBlocks] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    def run_tags(self) -> dict[str, str]:
        """Return by what a run names the model."""
        return {"model.run": self.manifest.run_id, "model.sha256": self.sha256}

    def __post_init__(self) -> None:
        self.columns = self.preprocessor.data_spec

    @property
    def weights_column(self) -> str | None:
        """The column that says how much a row counts; None for models whose rows count the same."""
        return getattr(getattr(self.preprocessor, "problem", None), "weights", None)

    @cached_property
    def typical_row(self) -> Tensor:
        """The inputs (d,) of a row of a table whose columns have their medians or middle categories."""
        return torch.from_numpy(typical_inputs(self.preprocessor, 1, 0)[0])

    @property
    def kind(self) -> str:
        """What kind of network it is: mlp, rbm, autoencoder, ..."""
        return str(getattr(self.network.config, "kind", ""))

    @property
    def is_supervised(self) -> bool:
        """Whether the network predicts targets."""
        return isinstance(self.network, MLP | CalibratedNetwork | EstimatorNetwork)

    @property
    def reads_rows(self) -> bool:
        """Whether its inputs are the rows of a table or images, and no collection of ratings or documents."""
        return self.columns.task not in ("ratings", "documents")

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def inputs(self, rows: Any) -> Tensor:
        """Return valid rows as the network takes them, (n, n_inputs)."""
        return torch.from_numpy(np.ascontiguousarray(self.preprocessor.inputs(rows)))

    @property
    def has_image_inputs(self) -> bool:
        """Whether it reads images rather than a table's rows."""
        return self.columns.image_shape is not None

    @property
    def file_format(self) -> FileFormat | None:
        """How the file was read that it was trained on, None of images; a later file of rows is read alike."""
        if self.has_image_inputs or not self.reads_rows:
            return None
        state = self.preprocessor.state
        return FileFormat.model_validate(state.get("file_format") or {"columns": list(state["original"])})

    @property
    def plain_numbers(self) -> frozenset[str]:
        """The columns of a table whose text is plain numbers."""
        is_table = self.reads_rows and not self.has_image_inputs
        return self.preprocessor.reading.plain_numbers if is_table else frozenset()

    @property
    def word_names(self) -> frozenset[str]:
        """The columns of a table whose cells are words: what JSON has as a list is its text there."""
        is_table = self.reads_rows and not self.has_image_inputs
        kinds = self.preprocessor.reading.columns if is_table else {}
        return frozenset(name for name, each in kinds.items() if each.kind in ("category", "text"))

    @property
    def raw_names(self) -> list[str]:
        """The names of the raw columns that it reads; of images those of the pixels."""
        if self.has_image_inputs:
            return list(self.columns.feature_names)
        if not self.reads_rows:
            return list(self.preprocessor.raw_names)
        return [str(name) for name in self.preprocessor.state["original"]]

    def validate(self, rows: Any, strict: bool = True, ignore_empty: bool = False) -> np.ndarray:
        """Return what is wrong with each row, (n,) text; empty for a valid row.

        `strict` and `ignore_empty` are those of `validate_rows`.
        """
        if self.has_image_inputs:
            pixels = np.nan_to_num(rows) if ignore_empty else rows
            return validate_images(pixels, self.preprocessor.white)
        if not self.reads_rows:
            return np.asarray(self.preprocessor.validate(rows))
        return validate_rows(rows, self.preprocessor, strict, ignore_empty)

    def validate_file(self, rows: Any) -> None:
        """Refuse a file, or the first rows of it, that as a whole cannot be meant: images that are scaled already.

        Raises:
            DataError: the largest pixel says so.
        """
        if self.has_image_inputs:
            validate_pixel_range(np.asarray(rows), self.preprocessor.white)

    def scores(self, rows: Any) -> np.ndarray:
        """Return probabilities, or values in the units of the (transformed) target, (n, n_outputs)."""
        return self.scores_of(self.inputs(rows)).numpy()

    def scores_of(self, inputs: Tensor) -> Tensor:
        """Return the scores of rows as the network takes them, (n, n_outputs); both on the CPU."""
        return self.in_blocks("scores", lambda: self.block_scores)(inputs)

    def in_blocks(self, name: str, make: Callable[[], RowFunction]) -> InBlocks:
        """Return a function of the network's inputs as it answers rows; made once for each name and device."""
        key = name, self.device
        if key not in self._in_blocks:
            self._in_blocks[key] = InBlocks(make(), self.device)
        return self._in_blocks[key]

    def block_scores(self, inputs: Tensor) -> Tensor:
        """Return the scores of a network's inputs, (n, n_outputs), on its device."""
        return self.columns.unscaled(probabilities(self.columns.task, self.network(inputs)))

    def interpret_rows(self, rows: Any) -> pd.DataFrame:
        """Return the predictions of valid rows, as `interpret_scores` has them."""
        return self._interpret(self.scores(rows), rows)

    def _interpret(self, scores: np.ndarray, rows: Any) -> pd.DataFrame:
        network = self.parts.quantiles
        if network is None:
            return self.interpret_scores(scores)
        in_blocks = self.in_blocks("quantiles", lambda: lambda x: self.columns.unscaled(network(x)))
        return self.interpret_scores(scores, in_blocks(self.inputs(rows)).numpy())

    def interpret_scores(self, scores: np.ndarray, quantiles: np.ndarray | None = None) -> pd.DataFrame:
        """Return the predictions that scores stand for.

        Args:
            scores: (n, n_outputs).
            quantiles: (n, 2 n_outputs) that the intervals are around, where the model has some.

        Returns:
            `prediction` in the target's own terms; for classes `probability_<class>`; for two classes which one is
            `positive`, and the `threshold` of its probability from which it is predicted. Several targets: a column
            for each. Of a target that was learnt in another form, the prediction is the median, and `prediction_mean`
            or `<target>_mean` the mean. Where the model
            has intervals, `prediction_low` and `prediction_high`, or `<target>_low` and `<target>_high`.
            Numbers have the fewest digits that tell them apart (`shortest_decimals`).
        """
        found = name_scores(self.columns, self.manifest, scores, quantiles)
        for name in found.select_dtypes("float32"):
            found[name] = shortest_decimals(found[name].to_numpy())
        return found

    def select_inputs(self, frame: pd.DataFrame, only_inputs: bool = False) -> Any:
        """Return what the preprocessor takes of a table: its cells read as in training, or the pixels (n, d).

        `only_inputs` leaves out other columns of a table than those that the network reads.
        """
        if self.has_image_inputs:
            return extract_pixels(frame, self.columns)
        if only_inputs and self.reads_rows:
            return self.preprocessor.read(frame, only_inputs=True)
        return self.preprocessor.read(frame)

    def predict(self, frame: pd.DataFrame, strict: bool = True) -> pd.DataFrame:
        """Return the predictions of raw rows.

        Raises:
            DataError: rows cannot be predicted; the message names the first of them with their reasons.
        """
        rows = self.select_inputs(frame)
        self.validate_file(rows)
        reasons = self.validate(rows, strict)
        bad = np.flatnonzero(reasons != "")
        if len(bad):
            raise DataError(describe_refused(reasons))
        scores = self.scores(rows)
        if not np.isfinite(scores).all():
            raise DataError(NOT_FINITE)
        return self._interpret(scores, rows)


def save_trained_model(
    folder: str | Path,
    network: nn.Module,
    preprocessor: Any,
    manifest: ModelManifest,
    seen_rows: np.ndarray | None = None,
    parts: ModelParts | None = None,
) -> str:
    """Write a model's folder, its manifest last; return the manifest's sha256.

    Args:
        folder: of the model.
        network: trained.
        preprocessor: fitted on its training rows.
        manifest: what else is known of it.
        seen_rows: `hash_rows` of the inputs that it was trained and validated on, if they are known.
        parts: what its tasks need beside.
    """
    folder = Path(folder)
    (folder / MANIFEST_FILE).unlink(missing_ok=True)
    save_network(network, folder)
    save_preprocessor(preprocessor, folder / "preprocessor")
    save_seen_rows(folder, seen_rows)
    save_parts(folder, parts or ModelParts())
    files = {path: sha256_of(folder / path) for path in relative_paths(folder)}
    text = manifest.model_copy(update={"files": files}).model_dump_json(indent=1)
    with atomic_write(folder / MANIFEST_FILE) as part:
        part.write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def load_trained_model(folder: str | Path, sha256: str = "") -> TrainedModel:
    """Read a model that `save_trained_model` wrote, after its files were compared with its manifest.

    Args:
        folder: of the model.
        sha256: what the manifest's own hash has to be, if that is known.

    Raises:
        ModelError: no model, one of the first edition, or files that are not those that were saved.
    """
    folder = Path(folder)
    manifest, found = verify_model_folder(folder, sha256)
    try:
        network, preprocessor = load_network(folder), load_preprocessor(folder / "preprocessor")
        parts = load_parts(folder)
    except (OSError, DataError, ValueError, KeyError, TypeError, RuntimeError, MemoryError) as error:
        raise error if isinstance(error, ModelError) else load_error(folder, str(error)) from error
    seen = load_seen_rows(folder)
    return TrainedModel(network.to(inference_device()), preprocessor, manifest, found, seen, parts)
