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
from layerwise.utils import derive_seed, report_tags

UNLABELLED = ("ratings", "documents")


def split_rows(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> dict[str, list[int]]:
    """Split the rows into training, validation and test rows."""
    return split_raw(raw, problem, settings, seed).to_dict()


def fit_preprocessor(
    raw: Any,
    split: dict[str, list[int]],
    problem: Problem,
    settings: PreprocessingSettings,
    seed: int,
) -> Any:
    """Fit scaling, dummies, imputation and class names on the rows that `preprocessing.fitted_on` names."""
    return fit(raw, Split.from_dict(split), problem, settings, seed)


def preprocess_rows(
    raw: Any,
    split: dict[str, list[int]],
    preprocessor: Any,
    finetuning: FinetuningSettings,
    pretraining: PretrainingSettings | None = None,
) -> tuple[TensorData, TensorData, TensorData, dict[str, Any], pd.DataFrame]:
    """Turn the raw rows into training, validation and test tensors; return their data spec and an input example too."""
    training, validation, test = apply(raw, Split.from_dict(split), preprocessor)
    if finetuning.batch_size != "all":
        validate_batch_size(finetuning.batch_size, len(training), "finetuning.batch_size")
    if pretraining is not None and pretraining.method != "none":
        validate_batch_size(pretraining.batch_size, len(training), "pretraining.batch_size")
    data_spec: DataSpec = preprocessor.data_spec
    report_tags(
        {
            "data.source": data_spec.source,
            "data.sha256": data_spec.sha256,
            "data.rows": str(len(training) + len(validation) + len(test)),
            "data.training_rows": str(len(training)),
            "data.validation_rows": str(len(validation)),
            "data.test_rows": str(len(test)),
        }
    )
    example = example_rows(raw, preprocessor)
    return training, validation, test, data_spec.model_dump(mode="json"), example


def select_rows(
    training: TensorData, data_spec: dict[str, Any], labelled_rows: int | None, seed: int
) -> TensorData:
    """Select labelled rows as `choose_labelled_rows` does; all rows where the task has no labels."""
    if data_spec["task"] in UNLABELLED:
        return training
    return choose_labelled_rows(training, data_spec, labelled_rows, seed)


def choose_labelled_rows(
    training: TensorData, data_spec: dict[str, Any], labelled_rows: int | None, seed: int
) -> TensorData:
    """Keep as many labelled training rows as asked for, the classes in their proportions; all of them by default."""
    if data_spec["task"] in UNLABELLED:
        raise DataError(f"{data_spec['task']} have no labels to learn from; run --pipelines=rbm")
    return choose_labelled(training, labelled_rows, data_spec["task"], derive_seed(seed, "labelled"))
