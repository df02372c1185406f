"""Nodes of preprocessing: split the raw rows, fit a preprocessor, apply it, choose the labelled rows."""

import logging
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
    preprocess_unlabelled,
    split_raw,
)
from layerwise.data.preprocessing import (
    LabelledPreprocessor,
    Preprocessor,
    example_rows,
    fit_preprocessor as fit,
    preprocess_rows as apply,
    unlearnable_columns,
)
from layerwise.data.reading.cells import read_table
from layerwise.data.sources import Images
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.utils import derive_seed

log = logging.getLogger(__name__)

UNLABELLED = ("ratings", "documents")
# Of so many cells, some gigabytes while they are read, a run says that they may stay in files.
MANY_CELLS = 100_000_000
# Below so many rows a single split says little: the metrics of another one differ by more than models do.
FEW_ROWS = 1000


def read_rows(raw: Any, problem: Problem, settings: PreprocessingSettings) -> pd.DataFrame:
    """Read the cells of a table: how each column is read is found over all rows, and unreadable rows are left out."""
    if raw.size >= MANY_CELLS:
        log.info(
            "%s rows of %d columns are read into memory; with compute.out_of_core: true and split.method: hash those "
            "of Parquet files stay there",
            f"{len(raw):,}",
            raw.shape[1],
        )
    return read_table(raw, problem, settings)


def split_rows(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> Split:
    """Split the rows into training, validation and test rows."""
    if settings.folds is not None:
        raise DataError(
            "split.folds measures predictions of labels: run --pipelines=mlp, dbn or sae, or leave it out"
        )
    found = split_raw(raw, problem, settings, seed)
    if len(found.unlabelled):
        log.info(
            "%s rows have no label: layers may be pretrained on them, and no figure holds them",
            f"{len(found.unlabelled):,}",
        )
    return found


def split_rows_of_generator(
    raw: pd.DataFrame,
    problem: Problem,
    settings: SplitSettings,
    seed: int,
    preprocessing: PreprocessingSettings,
) -> Split:
    """Split the rows of a table that is to be generated; columns that cannot be learnt are no inputs."""
    found = split_rows(raw, problem, settings, seed)
    left_out = unlearnable_columns(
        raw, found.training, problem.without_inputs(found.not_inputs), preprocessing
    )
    for name, reason in left_out.items():
        log.warning("Column '%s' %s: it is not generated", name, reason)
    return found.model_copy(update={"not_inputs": (*found.not_inputs, *left_out)})


def split_labelled_rows(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> Split:
    """Split rows with labels; those of a task without any are refused before anything is made of them."""
    if problem.task in UNLABELLED:
        raise DataError(f"{problem.task} have no labels to learn from; run --pipelines=rbm")
    if not problem.targets and not isinstance(raw, Images):
        raise DataError(
            "problem.target names no column, and this pipeline learns from labels; name one, or run --pipelines=rbm, "
            "autoencoder or gan, which read none"
        )
    return split_rows(raw, problem, settings, seed)


def split_rows_beside_folds(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> Split:
    """Split labelled rows for the network that is kept; folds are split beside them, and advised where rows are few."""
    found = split_labelled_rows(raw, problem, settings.model_copy(update={"folds": None}), seed)
    n_rows = len(found.training) + len(found.validation) + len(found.test)
    if settings.folds is None and n_rows < FEW_ROWS:
        log.info(
            "%d rows are few: a single split says little of a network. --params=split.folds=5 gives the mean of five "
            "with its interval",
            n_rows,
        )
    return found


def fit_preprocessor(
    raw: Any, split: Split, problem: Problem, settings: PreprocessingSettings, seed: int
) -> Preprocessor:
    """Fit scaling, dummies, imputation and class names on the rows that `preprocessing.fitted_on` names."""
    return fit(raw, split, problem, settings, seed)


def preprocess_rows(
    raw: Any, split: Split, preprocessor: Preprocessor
) -> tuple[TensorData, TensorData, TensorData]:
    """Turn the raw rows into training, validation and test tensors."""
    return apply(raw, split, preprocessor)


def preprocess_rows_with_example(
    raw: Any, split: Split, preprocessor: Preprocessor
) -> tuple[TensorData, TensorData, TensorData, pd.DataFrame]:
    """Turn the raw rows into tensors; return two of them as a caller of the trained model would send them, too.

    One node, so that whatever part of a pipeline trains a network also has the rows that its model is logged with.
    """
    return *apply(raw, split, preprocessor), example_rows(raw, preprocessor)


def preprocess_unlabelled_rows(
    raw: Any, split: Split, preprocessor: LabelledPreprocessor, more: Any = None
) -> tuple[TensorData, LoggedMetrics]:
    """Turn the rows without labels, those of `problem.unlabelled` too, into tensors; what training pretrains on."""
    found, reasons = preprocess_unlabelled(raw, split, preprocessor, more)
    counts = {"rows": len(found), "refused": reasons.total()} if len(found) or reasons else {}
    if counts:
        log.info("%s rows without a label pretrain, %s are left out", *(f"{n:,}" for n in counts.values()))
    for reason, count in reasons.most_common():
        log.warning("Left out %s row(s) without a label: %s", f"{count:,}", reason)
    return found, LoggedMetrics.of(counts, prefix="unlabelled/")


def describe_rows_and_unlabelled(preprocessor: Preprocessor, unlabelled: TensorData) -> DataSpec:
    """Return what the preprocessed rows are, and how many without a label pretrain beside them."""
    spec, n = preprocessor.data_spec, len(unlabelled)
    note = f"{n} rows without a label were pretrained on, beside the training rows."
    return spec.model_copy(update={"n_unlabelled": n, "notes": (*spec.notes, note)}) if n else spec


def describe_rows(preprocessor: Preprocessor) -> DataSpec:
    """Return what the preprocessed rows are."""
    return preprocessor.data_spec


def choose_labelled_rows(
    training: TensorData, problem: Problem, labelled_rows: int | None, seed: int
) -> TensorData:
    """Keep as many labelled training rows as asked for, the classes in their proportions; all of them by default."""
    return choose_labelled(training, labelled_rows, problem.task, derive_seed(seed, "labelled"))
