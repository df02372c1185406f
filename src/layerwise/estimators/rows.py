"""Rows that an estimator is given as rows of a problem: raw cells, preprocessed as the pipelines do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from layerwise.data import (
    DataError,
    DataSpec,
    ImageShape,
    PreprocessingSettings,
    Problem,
    ReadingSettings,
    RowKeys,
    Split,
    SplitSettings,
    Task,
    TensorData,
    split_rest,
    split_seed,
    values_of,
)
from layerwise.data.preprocessing import class_text, fit_preprocessor, preprocess_rows
from layerwise.data.sources import Images


@dataclass(frozen=True)
class FittedRows:
    """Preprocessed rows, what they were made of, and their fitted preprocessor."""

    raw: Any
    split: Split
    preprocessor: Any
    training: TensorData
    validation: TensorData

    @property
    def columns(self) -> DataSpec:
        """What the rows are."""
        found: DataSpec = self.preprocessor.data_spec
        return found


@dataclass(frozen=True)
class Targets:
    """What rows are learnt to predict.

    Args:
        task: that it is.
        values: (n,) or (n, k).
        classes: distinct values of a classification, in their order.
        names: of the target columns.
    """

    task: Task
    values: np.ndarray
    classes: np.ndarray | None
    names: tuple[str, ...]


def raw_rows(estimator: BaseEstimator, X: Any, *, reset: bool, image_shape: ImageShape | None) -> Any:
    """Return rows as a model takes them: a DataFrame of raw cells, or the pixels of images.

    The columns of an array are `x0`, `x1`, ...; a missing number is imputed.

    Args:
        estimator: that they are for; its `n_features_in_` and `feature_names_in_` are set, or compared.
        X: a DataFrame of any columns, or an array (n, d) of numbers.
        reset: whether they are those of a fit.
        image_shape: (height, width) of gray images, (height, width, 3) of color images.
    """
    import pandas as pd

    if isinstance(X, pd.DataFrame) and image_shape is None:
        frame = X.set_axis([str(name) for name in X], axis=1).reset_index(drop=True)
        validate_data(estimator, frame, reset=reset, skip_check_array=True)
        if min(frame.shape) == 0 or (reset and len(frame) < 2):
            # scikit-learn's own message says which is lacking.
            check_array(np.zeros(frame.shape), ensure_min_samples=2 if reset else 1)
        return frame
    finite: Any = "allow-nan" if image_shape is None else True
    values = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=np.float64,
        ensure_all_finite=finite,
        ensure_min_samples=2 if reset else 1,
    )
    if image_shape is None:
        names = getattr(estimator, "feature_names_in_", [f"x{k}" for k in range(values.shape[1])])
        return pd.DataFrame(values, columns=list(names))
    if len(image_shape) not in (2, 3) or values.shape[1] != values_of(image_shape):
        said = " x ".join(map(str, image_shape))
        raise DataError(f"image_shape is {said}, and the rows have {values.shape[1]} columns")
    return values.reshape(-1, *image_shape)


def fit_rows(
    raw: Any,
    targets: Targets | None,
    sample_weight: Any,
    preprocessing: PreprocessingSettings,
    splitting: SplitSettings,
    seed: int,
) -> FittedRows:
    """Split the rows, fit the preprocessor on those for training, and apply it.

    Args:
        raw: of `raw_rows`.
        targets: of a supervised estimator; None of another.
        sample_weight: (n,) how much each row counts; None: all the same.
        preprocessing: the settings.
        splitting: how many rows are held out.
        seed: of the run.
    """
    split = split_rows(len(raw), targets, splitting, seed)
    more: dict[str, Any] = {"task": "multiclass"}
    if isinstance(raw, np.ndarray):
        if sample_weight is not None:
            raise DataError("images have no sample_weight")
        white = 1 if raw.max() <= 1 else 255
        labels = np.zeros(len(raw), np.int64) if targets is None else targets.values
        raw = Images(raw, labels)
        more["reading"] = ReadingSettings(pixel_range=(0, white))
    frame = raw
    if targets is not None:
        more["task"] = targets.task
        if targets.task == "binary" and targets.classes is not None:
            more["positive"] = class_text(targets.classes[1])
        if not isinstance(raw, Images):
            columns = targets.values.reshape(len(raw), -1)
            frame = raw.assign(**{name: columns[:, k] for k, name in enumerate(targets.names)})
            more |= {"target": targets.names, "allow_leak": True}
    if sample_weight is not None:
        name = free_name("sample_weight", list(frame))
        frame, more["weights"] = frame.assign(**{name: _weights(sample_weight, raw)}), name
    problem = Problem(name="estimator", **more)
    preprocessor = fit_preprocessor(frame, split, problem, preprocessing, seed)
    training, validation, _ = preprocess_rows(frame, split, preprocessor)
    return FittedRows(frame, split, preprocessor, training, validation)


def free_name(name: str, columns: Collection[str]) -> str:
    """Return a name that no column has."""
    while name in columns:
        name += "_"
    return name


def split_rows(n: int, targets: Targets | None, settings: SplitSettings, seed: int) -> Split:
    """Return training and validation rows: those that the pipelines take of the rows that are no test rows.

    Where a class has too few rows for both, its first one is for training.
    """
    rows, labels = np.arange(n), None
    if targets is not None and targets.classes is not None:
        labels = targets.values
        _, first, counts = np.unique(labels, return_index=True, return_counts=True)
        n_validation = int(np.ceil(n * settings.validation_fraction))
        if counts.min() < 2 or min(n_validation, n - n_validation) < len(counts):
            rows, labels = np.setdiff1d(rows, first), None
    smaller = min(settings.validation_fraction, 1 - settings.validation_fraction)
    if len(rows) * smaller < 1:
        # Of so few rows one is held out.
        training, validation = rows[:-1], rows[-1:]
    else:
        training, validation = split_rest(rows, labels, settings, split_seed(settings, seed), RowKeys())
    training = np.union1d(training, np.setdiff1d(np.arange(n), rows)) if len(rows) < n else training
    return Split(training=training, validation=validation, test=np.empty(0, np.int64))


def _weights(sample_weight: Any, rows: Any) -> np.ndarray:
    weights = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weights.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    check_consistent_length(weights, rows)
    if not weights.any():
        raise DataError("sample_weight is zero in all rows, so that none counts")
    return weights
