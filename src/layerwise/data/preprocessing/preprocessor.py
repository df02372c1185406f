"""The preprocessor of images, and functions that fit, apply, save and load a preprocessor of any kind of raw rows."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from layerwise.data.data_spec import ColumnBlock, DataSpec
from layerwise.data.errors import DataError
from layerwise.data.image_layout import ImageShape, describe_shape, pixel_names, values_of
from layerwise.data.preprocessing.columns import class_names, class_text
from layerwise.data.preprocessing.leaks import count_repeated_rows
from layerwise.data.preprocessing.protocol import LabelledPreprocessor, Preprocessor
from layerwise.data.preprocessing.summaries import summarize_images, summarize_training
from layerwise.data.preprocessing.targets import binary_classes, check_anomalies, row_weights
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.rows import TensorData
from layerwise.data.sources import (
    Documents,
    DocumentsPreprocessor,
    ImageReading,
    Images,
    ImageSize,
    Ratings,
    RatingsPreprocessor,
    Texts,
    validate_pixel_range,
)
from layerwise.data.splits import Split
from layerwise.data.transforms import FITTED_TYPES, as_plain_values, from_plain_values
from layerwise.utils import atomic_write, dump_fitted, load_trusted, numpy_rng

if TYPE_CHECKING:
    import pandas as pd


FITTED = ("scaler", "encoder", "target_encoder", "text_models")


class ImagePreprocessor:
    """Images to vectors in [0, 1]; binarized by a threshold or by one sample a pixel, if the settings say so."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.settings = PreprocessingSettings(**state["settings"])
        self.data_spec = DataSpec(**state["data_spec"])
        # What white is in raw pixels; a model of an older version knows 255 alone.
        self.white = int(state.get("white", 255))
        # How new images are read: as those of training.
        self.image_reading = ImageReading(
            ImageSize(*self.shape[:2], bool(state.get("resized"))),
            "rgb" if len(self.shape) == 3 else "gray",
            state.get("channels") or "last",
        )

    @property
    def shape(self) -> ImageShape:
        """Height and width, and 3 if they are in color."""
        assert self.data_spec.image_shape is not None
        return self.data_spec.image_shape

    @classmethod
    def fit(
        cls,
        images: Images,
        training: np.ndarray,
        problem: Problem,
        settings: PreprocessingSettings,
        seed: int,
    ) -> ImagePreprocessor:
        """Note the size and the classes of the training images; pixels need no fitting."""
        if problem.task not in ("multiclass", "binary"):
            raise DataError(f"labelled images are a multiclass or binary task, not {problem.task}")
        white = problem.reading.pixel_range[1]
        validate_pixel_range(images.pixels, white)
        shape: ImageShape = images.pixels.shape[1:]
        classes = tuple(class_names(images.labels[training]))
        if problem.task == "binary":
            classes = tuple(binary_classes(list(classes), images.labels, problem))
        shown = {str(label): name for label, name in enumerate(images.class_names)}
        data_spec = DataSpec(
            task=problem.task,
            n_inputs=values_of(shape),
            n_outputs=len(classes) if problem.task == "multiclass" else 1,
            feature_names=pixel_names(shape),
            blocks=(ColumnBlock(name="pixels", kind="binary", start=0, stop=values_of(shape)),),
            target_names=("label",),
            class_names=tuple(shown.get(label, label) for label in classes),
            image_shape=shape,
            dynamic_binarization=settings.binarize == "dynamic",
            source=images.source,
            sha256=images.sha256,
        )
        return cls(
            {
                "kind": "images",
                "settings": settings.model_dump(mode="json"),
                "data_spec": data_spec.model_dump(mode="json"),
                "seed": seed,
                "labels": list(classes),
                "white": white,
                "resized": images.resized,
                **({"channels": images.channels} if images.channels else {}),
            }
        )

    def inputs(self, images: Images | np.ndarray) -> np.ndarray:
        """Return (n, values) float32 in [0, 1].

        Args:
            images: a set, or pixels from 0 to 255 (to 1 with `pixel_range: [0, 1]`) in the shape of the training
                images, or flat (n, values).
        """
        pixels = np.asarray(images.pixels if isinstance(images, Images) else images)
        if pixels.shape[1:] not in (self.shape, (values_of(self.shape),)):
            raise DataError(
                f"images of {' x '.join(map(str, pixels.shape[1:]))} do not fit a network for "
                f"{describe_shape(self.shape)}; resize them first"
            )
        values = pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(self.white)
        if not (np.isfinite(values).all() and values.min(initial=0) >= 0 and values.max(initial=0) <= 1):
            raise DataError(f"pixels have to be numbers from 0 to {self.white}")
        if self.settings.binarize == "threshold":
            return (values >= 0.5).astype(np.float32)
        if self.settings.binarize == "static":
            # New images have one sample for all: none depends on how many stand before it.
            drawn = values.shape if isinstance(images, Images) else values.shape[1:]
            draws = numpy_rng(self.state["seed"], "binarise").random(drawn, dtype=np.float32)
            return (draws < values).astype(np.float32)
        return values

    def targets(self, images: Images) -> np.ndarray:
        """Return (n,) class codes, or (n, 1) in {0, 1} for a binary task."""
        codes = {label: k for k, label in enumerate(self.state.get("labels", self.data_spec.class_names))}
        unknown = sorted({str(v) for v in np.unique(images.labels)} - set(codes))
        if unknown:
            raise DataError(f"no training image has the label(s) {', '.join(unknown)}, and other images have")
        labels = np.array([codes[str(v)] for v in images.labels])
        return labels if self.data_spec.task == "multiclass" else labels[:, None].astype(np.float32)

    def names_of_labels(self, labels: np.ndarray) -> np.ndarray:
        """Return the class names that labels stand for, (n,); what no training image had stays as it is."""
        known = self.state.get("labels", self.data_spec.class_names)
        named = dict(zip(known, self.data_spec.class_names, strict=True))
        return np.array([named.get(class_text(label), label) for label in labels.tolist()], dtype=object)

    def replace_fitted_rows(self, matrix: np.ndarray, images: Images, split: Split) -> None:
        """Leave the inputs as they are: a training image has the same inputs as a new one."""

    def restore_inputs(self, matrix: np.ndarray) -> np.ndarray:
        """Return uint8 images in the shape of the training images."""
        pixels = np.clip(np.rint(np.asarray(matrix) * 255), 0, 255).astype(np.uint8)
        return pixels.reshape(-1, *self.shape)


def fit_preprocessor(
    raw: Any, split: Split, problem: Problem, settings: PreprocessingSettings, seed: int
) -> Preprocessor:
    """Fit a preprocessor on the training rows; its data spec counts the rows of each part."""
    from layerwise.data.preprocessing.table import TablePreprocessor
    from layerwise.data.preprocessing.table_fit import rows_to_fit

    fitted: Any
    weights = () if problem.weights is None else (problem.weights,)
    problem = problem.without_inputs((*split.not_inputs, *weights))
    if isinstance(raw, Images):
        fitted = ImagePreprocessor.fit(raw, split.training, problem, settings, seed)
    elif isinstance(raw, Ratings):
        fitted = RatingsPreprocessor.fit(raw, split.training, problem, settings)
    elif isinstance(raw, Documents | Texts):
        fitted = DocumentsPreprocessor.fit(raw, split.training)
    else:
        fitted = TablePreprocessor.fit(raw, rows_to_fit(split, settings), problem, settings)
    check_anomalies(problem, fitted.data_spec.class_names)
    return with_rows_of(fitted, raw, split)


def with_rows_of(fitted: Any, raw: Any, split: Split) -> Preprocessor:
    """Return a fitted preprocessor that describes these rows: their summary, their number in each part, and notes."""
    if isinstance(raw, Images):
        fitted.state["summary"] = summarize_images(raw.pixels[split.training], fitted.white)
    elif fitted.state["kind"] == "table":
        raw = fitted.read(raw)
        fitted.state["summary"] = summarize_training(raw, split.training, fitted.state["kinds"])
        repeats = count_repeated_rows(raw, fitted.state["original"], split.training, split.test)
        if repeats:
            sentence = f"{repeats} of {len(split.test)} test rows repeat a training row's inputs"
            warnings.warn(sentence, stacklevel=2)
            fitted.state["data_spec"]["notes"].append(f"{sentence}.")
    if n := len(split.unlabelled):
        fitted.state["data_spec"]["notes"].append(f"{n} rows have no label: they are in no figure.")
    fitted.state["data_spec"] |= {
        "n_training": len(split.training),
        "n_validation": len(split.validation),
        "n_test": len(split.test),
    }
    return type(fitted)(fitted.state)


def example_rows(raw: Any, preprocessor: Any) -> pd.DataFrame:
    """Return two raw rows as a caller would send them: the input columns, or pixels from 0 to 255."""
    import pandas as pd

    if isinstance(raw, Images):
        pixels = raw.pixels[:2].reshape(2, -1).astype(np.float64)
        return pd.DataFrame(pixels, columns=list(preprocessor.data_spec.feature_names))
    if isinstance(raw, Ratings | Texts):
        return raw.frame().head(2)
    if isinstance(raw, Documents):
        known = preprocessor.state["known"]
        return pd.DataFrame(raw.counts[:2, known].toarray(), columns=preprocessor.raw_names)
    frame = preprocessor.read(raw.head(2))[list(preprocessor.state["kinds"])].reset_index(drop=True)
    frame.attrs = {}
    for name in frame.select_dtypes("datetime"):
        frame[name] = preprocessor.reading.columns[name].text_of_dates(frame[name])
    # A whole number may be missing in a row to come, and only floats can say so.
    return frame.astype(dict.fromkeys(frame.select_dtypes("integer"), "float64"))


def preprocess_rows(
    raw: Any, split: Split, preprocessor: Preprocessor
) -> tuple[TensorData, TensorData, TensorData]:
    """Return the training, validation and test rows as tensors; documents' counts stay sparse."""
    if isinstance(preprocessor, RatingsPreprocessor | DocumentsPreprocessor):
        return preprocessor.parts(raw, split)  # type: ignore[return-value]
    preprocessor = cast(LabelledPreprocessor, preprocessor)
    if len(split.unlabelled):
        kept, split = split.without_unlabelled()
        raw = raw.iloc[kept]
    matrix = preprocessor.inputs(raw)
    preprocessor.replace_fitted_rows(matrix, raw, split)
    whole = tensors_of(preprocessor, raw, matrix)
    parts = (torch.from_numpy(rows) for rows in (split.training, split.validation, split.test))
    training, validation, test = (whole[rows].with_mean_weight_1() for rows in parts)
    return training, validation, test


def tensors_of(
    preprocessor: LabelledPreprocessor, raw: Any, matrix: np.ndarray, are_all_rows: bool = True
) -> TensorData:
    """Return raw rows, whose inputs are `matrix`, as tensors with their weights as they stand, for `row_weights`."""
    inputs, targets = torch.from_numpy(np.ascontiguousarray(matrix)), None
    if isinstance(raw, Images) or preprocessor.data_spec.target_names:
        targets = torch.from_numpy(np.ascontiguousarray(preprocessor.targets(raw)))
    weights = None
    if isinstance(problem := getattr(preprocessor, "problem", None), Problem) and problem.weights is not None:
        weights = torch.from_numpy(row_weights(raw, problem.weights, are_all_rows).astype(np.float32))
    return TensorData(inputs, targets, weights)


def save_preprocessor(preprocessor: Preprocessor, folder: str | Path) -> None:
    """Write a preprocessor: plain values as `preprocessor.json`, scikit-learn's own objects as `fitted.skops`.

    Each file appears whole or not at all.
    """
    folder = Path(folder)
    state = as_plain_values(preprocessor.state)
    fitted = {name: state[name] for name in FITTED if not isinstance(state.get(name), dict | None)}
    plain = {name: value for name, value in state.items() if name not in fitted}
    if fitted:
        with atomic_write(folder / "fitted.skops") as part:
            part.write_bytes(dump_fitted(fitted))
    else:
        (folder / "fitted.skops").unlink(missing_ok=True)
    with atomic_write(folder / "preprocessor.json") as part:
        part.write_text(json.dumps(plain, indent=1))


def load_preprocessor(folder: str | Path) -> Preprocessor:
    """Read a preprocessor that `save_preprocessor` wrote; a file with a type that is not trusted is refused.

    Raises:
        FileNotFoundError: a file is missing.
        DataError: the skops file holds types that a preprocessor has no use for.
    """
    folder = Path(folder)
    state = from_plain_values(json.loads((folder / "preprocessor.json").read_text()))
    fitted = folder / "fitted.skops"
    if fitted.exists():
        try:
            state |= load_trusted(fitted.read_bytes(), FITTED_TYPES)
        except ValueError as error:
            raise DataError(f"{fitted} {error}") from error
    if state["kind"] == "images":
        return ImagePreprocessor(state)
    if state["kind"] == "ratings":
        return RatingsPreprocessor(state)
    if state["kind"] == "documents":
        return DocumentsPreprocessor(state)
    from layerwise.data.preprocessing.table import TablePreprocessor

    return TablePreprocessor(state)
