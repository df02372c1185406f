"""Nodes of preprocessing: split the raw rows, fit a preprocessor, apply it, select the labelled rows."""

from typing import Any

import pandas as pd

from layerwise.data import (
    DataError,
    DataSpec,
    PreprocessingSettings,
    Problem,
    Split,
    SplitSettings,
    TensorData,
    choose_labelled,
    split_raw,
    validate_batch_size,
)
from layerwise.data.preprocessing import example_rows, fit_preprocessor as fit, preprocess_rows as apply
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.supervised import FinetuningSettings
from layerwise.utils import derive_seed

UNLABELLED = ("ratings", "documents")


def split_rows(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> Split:
    """Split the rows into training, validation and test rows."""
    return split_raw(raw, problem, settings, seed)


def fit_preprocessor(
    raw: Any,
    split: Split,
    problem: Problem,
    settings: PreprocessingSettings,
    seed: int,
) -> Any:
    """Fit scaling, dummies, imputation and class names on the rows that `preprocessing.fitted_on` names."""
    return fit(raw, split, problem, settings, seed)


def preprocess_rows(
    raw: Any,
    split: Split,
    preprocessor: Any,
    finetuning: FinetuningSettings,
    pretraining: PretrainingSettings | None = None,
) -> tuple[TensorData, TensorData, TensorData, DataSpec, pd.DataFrame]:
    """Turn the raw rows into training, validation and test tensors; return their data spec and an input example too."""
    training, validation, test = apply(raw, split, preprocessor)
    if finetuning.batch_size != "all":
        validate_batch_size(finetuning.batch_size, len(training), "finetuning.batch_size")
    if pretraining is not None and pretraining.method != "none":
        validate_batch_size(pretraining.batch_size, len(training), "pretraining.batch_size")
    return training, validation, test, preprocessor.data_spec, example_rows(raw, preprocessor)


def select_rows(training: TensorData, columns: DataSpec, labelled_rows: int | None, seed: int) -> TensorData:
    """Select labelled rows as `choose_labelled_rows` does; all rows where the task has no labels."""
    if columns.task in UNLABELLED:
        return training
    return choose_labelled_rows(training, columns, labelled_rows, seed)


def choose_labelled_rows(
    training: TensorData, columns: DataSpec, labelled_rows: int | None, seed: int
) -> TensorData:
    """Keep as many labelled training rows as asked for, the classes in their proportions; all of them by default."""
    if columns.task in UNLABELLED:
        raise DataError(f"{columns.task} have no labels to learn from; run --pipelines=rbm")
    return choose_labelled(training, labelled_rows, columns.task, derive_seed(seed, "labelled"))
