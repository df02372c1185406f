"""Fit, apply, save and load a preparation, whichever kind of raw rows it is for."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import binary_classes, class_names
from layerwise.data.preprocessing.leaks import count_repeats
from layerwise.data.preprocessing.summaries import summarise_pictures, summarise_table
from layerwise.data.preprocessing.targets import derived
from layerwise.data.problem import PreparationSettings, Problem
from layerwise.data.sources.documents import Documents, DocumentsPreparation
from layerwise.data.sources.images import Images
from layerwise.data.sources.ratings import Ratings, RatingsPreparation
from layerwise.data.splits import Split
from layerwise.data.tensors import Block, Description, Rows
from layerwise.utils.files import whole_file
from layerwise.utils.random_streams import numpy_generator_for

if TYPE_CHECKING:
    import pandas as pd


FITTED = ("scaler", "encoder")


class ImagePreparation:
    """Images to vectors in [0, 1]; binarised by threshold or by one draw a pixel, if the settings say so."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.settings = PreparationSettings(**state["settings"])
        self.description = Description(**state["description"])

    @classmethod
    def fit(
        cls, images: Images, training: np.ndarray, problem: Problem, settings: PreparationSettings, seed: int
    ) -> ImagePreparation:
        """Note the size and the classes of the training images; pixels need no fitting."""
        if problem.task not in ("multiclass", "binary"):
            raise DataError(f"labelled images are a multiclass or binary task, not {problem.task}")
        height, width = images.pixels.shape[1:]
        classes = tuple(class_names(images.labels[training]))
        if problem.task == "binary":
            classes = tuple(binary_classes(list(classes), problem))
        names = tuple(f"pixel_{r}_{c}" for r in range(height) for c in range(width))
        description = Description(
            task=problem.task,
            n_inputs=height * width,
            n_outputs=len(classes) if problem.task == "multiclass" else 1,
            feature_names=names,
            blocks=(Block(name="pixels", kind="binary", start=0, stop=height * width),),
            target_names=("label",),
            class_names=classes,
            image_shape=(height, width),
            fresh_binarisation=settings.binarise == "fresh",
            source=images.source,
            sha256=images.sha256,
        )
        return cls(
            {
                "kind": "images",
                "settings": settings.model_dump(mode="json"),
                "description": description.model_dump(mode="json"),
                "seed": seed,
            }
        )

    def inputs(self, images: Images | np.ndarray) -> np.ndarray:
        """Return (n, height * width) float32 in [0, 1].

        Args:
            images: a set, or pixels from 0 to 255 of shape (n, height, width) or (n, height * width).
        """
        pixels = np.asarray(images.pixels if isinstance(images, Images) else images)
        shape = self.description.image_shape
        assert shape is not None
        if pixels.shape[1:] not in (shape, (shape[0] * shape[1],)):
            raise DataError(
                f"images of {' x '.join(map(str, pixels.shape[1:]))} do not fit a network for {shape[0]} x "
                f"{shape[1]} pixels; resize them first"
            )
        values = pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255)
        if not (np.isfinite(values).all() and values.min(initial=0) >= 0 and values.max(initial=0) <= 1):
            raise DataError("pixels have to be numbers from 0 to 255")
        if self.settings.binarise == "threshold":
            return (values >= 0.5).astype(np.float32)
        if self.settings.binarise == "fixed":
            draws = numpy_generator_for(self.state["seed"], "binarise").random(values.shape, dtype=np.float32)
            return (draws < values).astype(np.float32)
        return values

    def targets(self, images: Images) -> np.ndarray:
        """Return (n,) class codes, or (n, 1) in {0, 1} for a binary task."""
        codes = {name: k for k, name in enumerate(self.description.class_names)}
        unknown = sorted({str(v) for v in np.unique(images.labels)} - set(codes))
        if unknown:
            raise DataError(f"no training image has the label(s) {', '.join(unknown)}, and other images have")
        labels = np.array([codes[str(v)] for v in images.labels])
        return labels if self.description.task == "multiclass" else labels[:, None].astype(np.float32)

    def restore_inputs(self, matrix: np.ndarray) -> np.ndarray:
        """Return uint8 images (n, height, width)."""
        assert self.description.image_shape is not None
        pixels = np.clip(np.rint(np.asarray(matrix) * 255), 0, 255).astype(np.uint8)
        return pixels.reshape(-1, *self.description.image_shape)

    def restore_targets(self, values: np.ndarray) -> np.ndarray:
        """Return the class names of codes."""
        return np.asarray(self.description.class_names, dtype=object)[
            np.asarray(values, dtype=int).reshape(-1)
        ]


def fit_preparation(
    raw: Any, split: Split, problem: Problem, settings: PreparationSettings, seed: int
) -> Any:
    """Fit a preparation on the training rows of a table or of images; its description counts the rows."""
    from layerwise.data.preprocessing.table import TablePreparation

    fitted: Any
    if isinstance(raw, Images):
        fitted = ImagePreparation.fit(raw, split.training, problem, settings, seed)
        fitted.state["summary"] = summarise_pictures(raw.pixels[split.training])
    elif isinstance(raw, Ratings):
        fitted = RatingsPreparation.fit(raw, split.training, problem, settings)
    elif isinstance(raw, Documents):
        fitted = DocumentsPreparation.fit(raw, split.training)
    else:
        rows = split.training
        if settings.fitted_on == "all_but_test":
            rows = np.concatenate([split.training, split.validation])
        fitted = TablePreparation.fit(raw, rows, problem, settings)
        training = derived(raw, problem).iloc[split.training]
        fitted.state["summary"] = summarise_table(training, fitted.state["kinds"])
        repeats = count_repeats(
            derived(raw, problem)[list(fitted.state["original"])], split.training, split.test
        )
        if repeats:
            sentence = f"{repeats} of {len(split.test)} test rows repeat a training row's inputs"
            warnings.warn(sentence, stacklevel=2)
            fitted.state["description"]["notes"].append(f"{sentence}.")
    fitted.state["description"] |= {
        "n_training": len(split.training),
        "n_validation": len(split.validation),
        "n_test": len(split.test),
    }
    return type(fitted)(fitted.state)


def example_rows(raw: Any, preparation: Any) -> pd.DataFrame:
    """Return two raw rows as a caller would send them: the input columns, or pixels from 0 to 255."""
    import pandas as pd

    if isinstance(raw, Images):
        pixels = raw.pixels[:2].reshape(2, -1).astype(np.float64)
        return pd.DataFrame(pixels, columns=list(preparation.description.feature_names))
    if isinstance(raw, Ratings):
        named = {"user": raw.users[:2] + 1, "item": raw.items[:2] + 1, "rating": raw.values[:2]}
        return pd.DataFrame(named)
    if isinstance(raw, Documents):
        first = raw.counts[:2, : min(20, len(raw.words))].toarray()
        return pd.DataFrame(first, columns=list(raw.words[: first.shape[1]]))
    frame = (
        derived(raw, preparation.problem)[list(preparation.state["original"])].head(2).reset_index(drop=True)
    )
    # A whole number may be missing in a row to come, and only floats can say so.
    return frame.astype(dict.fromkeys(frame.select_dtypes("integer"), "float64"))


def prepare_rows(raw: Any, split: Split, preparation: Any) -> tuple[Rows, Rows, Rows]:
    """Return the training, validation and test rows as tensors; documents' counts stay sparse."""
    if isinstance(preparation, RatingsPreparation | DocumentsPreparation):
        return preparation.parts(raw, split)  # type: ignore[return-value]
    inputs = torch.from_numpy(np.ascontiguousarray(preparation.inputs(raw)))
    targets = torch.from_numpy(np.ascontiguousarray(preparation.targets(raw)))
    parts = [torch.from_numpy(rows) for rows in (split.training, split.validation, split.test)]
    training, validation, test = (Rows(inputs[rows], targets[rows]) for rows in parts)
    return training, validation, test


def save_preparation(preparation: Any, folder: str | Path) -> None:
    """Write a preparation: what is plain as `preparation.json`, fitted scalers and encoders as `fitted.skops`.

    Each file appears whole or not at all.
    """
    folder = Path(folder)
    fitted = {name: preparation.state[name] for name in FITTED if preparation.state.get(name) is not None}
    plain = {name: value for name, value in preparation.state.items() if name not in fitted}
    if fitted:
        import skops.io

        with whole_file(folder / "fitted.skops") as part:
            skops.io.dump(fitted, part)
    else:
        (folder / "fitted.skops").unlink(missing_ok=True)
    with whole_file(folder / "preparation.json") as part:
        part.write_text(json.dumps(plain, indent=1))


def load_preparation(folder: str | Path) -> Any:
    """Read a preparation that `save_preparation` wrote; a file with any other type in it is refused.

    Raises:
        FileNotFoundError: a file is missing.
        DataError: the skops file holds types that a preparation has no use for.
    """
    folder = Path(folder)
    state = json.loads((folder / "preparation.json").read_text())
    fitted = folder / "fitted.skops"
    if fitted.exists():
        import skops.io

        unknown = skops.io.get_untrusted_types(file=fitted)
        if unknown:
            raise DataError(
                f"{fitted} holds types that are not trusted, and was not loaded: {', '.join(unknown)}"
            )
        state |= skops.io.load(fitted, trusted=[])
    if state["kind"] == "images":
        return ImagePreparation(state)
    if state["kind"] == "ratings":
        return RatingsPreparation(state)
    if state["kind"] == "documents":
        return DocumentsPreparation(state)
    from layerwise.data.preprocessing.table import TablePreparation

    return TablePreparation(state)
