"""Raw rows to matrices: split, fit on the training rows, prepare, choose the labelled ones."""

from typing import Any

import pandas as pd

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.preprocessor import example_rows, fit_preparation, prepare_rows
from layerwise.data.problem import PreparationSettings, Problem, SplitSettings
from layerwise.data.splits import Split, choose_labelled, require_batch, split_raw
from layerwise.data.tensors import Description, Rows
from layerwise.training.rbm.pretraining import PretrainingSettings
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.random_streams import seed_for
from layerwise.utils.run_context import report_tags

UNLABELLED = ("ratings", "documents")


def split_rows(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> dict[str, list[int]]:
    """Decide which rows train, which choose and which test."""
    return split_raw(raw, problem, settings, seed).to_dict()


def fit_on_training_rows(
    raw: Any,
    split: dict[str, list[int]],
    problem: Problem,
    settings: PreparationSettings,
    seed: int,
) -> Any:
    """Fit scaling, dummies, imputation and class names on the rows that `preparation.fitted_on` names."""
    return fit_preparation(raw, Split.from_dict(split), problem, settings, seed)


def prepare(
    raw: Any,
    split: dict[str, list[int]],
    preparation: Any,
    finetuning: FinetuningSettings,
    pretraining: PretrainingSettings | None = None,
) -> tuple[Rows, Rows, Rows, dict[str, Any], pd.DataFrame]:
    """Turn the raw rows into training, validation and test matrices, and describe them."""
    training, validation, test = prepare_rows(raw, Split.from_dict(split), preparation)
    if finetuning.batch_size != "all":
        require_batch(finetuning.batch_size, len(training), "finetuning.batch_size")
    if pretraining is not None and pretraining.method != "none":
        require_batch(pretraining.batch_size, len(training), "pretraining.batch_size")
    description: Description = preparation.description
    report_tags(
        {
            "data.source": description.source,
            "data.sha256": description.sha256,
            "data.rows": str(len(training) + len(validation) + len(test)),
            "data.training_rows": str(len(training)),
            "data.validation_rows": str(len(validation)),
            "data.test_rows": str(len(test)),
        }
    )
    example = example_rows(raw, preparation)
    return training, validation, test, description.model_dump(mode="json"), example


def keep_rows(training: Rows, description: dict[str, Any], labelled_rows: int | None, seed: int) -> Rows:
    """Keep labelled rows as `keep_labels` does, and all rows where nothing is labelled."""
    if description["task"] in UNLABELLED:
        return training
    return keep_labels(training, description, labelled_rows, seed)


def keep_labels(training: Rows, description: dict[str, Any], labelled_rows: int | None, seed: int) -> Rows:
    """Keep as many labelled training rows as asked for, each class by its share; all of them by default."""
    if description["task"] in UNLABELLED:
        raise DataError(f"{description['task']} have no labels to learn from; run --pipelines=rbm")
    return choose_labelled(training, labelled_rows, description["task"], seed_for(seed, "labelled"))
