"""The split of a raw data set into training, validation and test rows, and the choice of labelled rows."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import torch
from pydantic import ConfigDict, PlainSerializer, PlainValidator

from layerwise.data.errors import DataError
from layerwise.data.problem import Problem, SplitSettings
from layerwise.data.sources import Images
from layerwise.data.tensors import Task, TensorData
from layerwise.utils import Config, derive_seed


def _as_positions(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)


Positions = Annotated[
    np.ndarray,
    PlainValidator(_as_positions),
    PlainSerializer(lambda rows: rows.tolist(), return_type=list[int]),
]


class Split(Config):
    """Positions of rows in the raw data, each (n,) int64 and disjoint."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    training: Positions
    validation: Positions
    test: Positions


def split_raw(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> Split:
    """Split a table or a set of images; the official test rows of images stay the test rows.

    Raises:
        DataError: a column is missing, the target has one class, or there are too few rows.
    """
    if isinstance(raw, Images):
        return split_rows(raw.labels, problem.task, settings, seed, raw.n_test)
    if problem.task in ("ratings", "documents"):
        return split_rows(np.zeros(len(raw)), problem.task, settings, seed)
    from layerwise.data.preprocessing import target_column

    return split_rows(target_column(raw, problem), problem.task, settings, seed)


def split_rows(
    targets: np.ndarray, task: Task, settings: SplitSettings, seed: int, n_official_test: int = 0
) -> Split:
    """Sample the split.

    Rows keep the order in which they were sampled. The test rows are those of scikit-learn's
    `train_test_split` with the same fraction, seed and stratification; validation rows are sampled from
    the rest.

    Args:
        targets: (n,) or (n, k) raw targets, by which classification is stratified.
        task: classification is stratified, the other tasks are not.
        settings: of the split.
        seed: the run's, where the settings have none of their own.
        n_official_test: the last rows, which are the test set; 0 samples one.
    """
    n = len(targets)
    stratify = settings.stratify and task in ("multiclass", "binary")
    split_seed = settings.seed if settings.seed is not None else derive_seed(seed, "split") % 2**32
    if task in ("multiclass", "binary"):
        classes, counts = np.unique(targets, return_counts=True)
        if len(classes) < 2:
            raise DataError(f"the target has one class only ({classes.tolist()}): there is nothing to learn")
        if stratify and counts.min() < 3:
            rare = classes[counts.argmin()]
            raise DataError(
                f"class '{rare}' has {counts.min()} row(s), too few for training, validation and test; "
                "drop the class or set split.stratify: false"
            )
    labels = targets if stratify else None
    if n_official_test:
        rest, test = np.arange(n - n_official_test), np.arange(n - n_official_test, n)
    else:
        rest, test = _sample_rows(
            np.arange(n), settings.test_rows, settings.test_fraction, "test", labels, split_seed
        )
    validation_size = settings.validation_rows, settings.validation_fraction, "validation"
    if settings.validation_tail:
        n_validation = _size(len(rest), *validation_size)
        training, validation = rest[:-n_validation], rest[-n_validation:]
    else:
        training, validation = _sample_rows(rest, *validation_size, labels, split_seed)
    return Split(training=training, validation=validation, test=test)


def _sample_rows(
    rows: np.ndarray, count: int | None, fraction: float, part: str, labels: np.ndarray | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    _size(len(rows), count, fraction, part)
    try:
        kept, sampled = train_test_split(
            rows,
            test_size=count or fraction,
            random_state=seed,
            stratify=None if labels is None else labels[rows],
        )
    except ValueError as error:
        raise DataError(
            f"the {part} rows cannot be sampled from {len(rows)} rows with each class in them: {error}; "
            f"take more of them, or set split.stratify: false"
        ) from error
    return kept, sampled


def _size(n: int, count: int | None, fraction: float, part: str) -> int:
    if count is not None and count >= n:
        raise DataError(f"split.{part}_rows is {count}, but only {n} rows are left to sample them from")
    if count is None and (n * fraction < 1 or n * (1 - fraction) < 1):
        raise DataError(
            f"{n} rows are too few for split.{part}_fraction = {fraction}: neither part may be empty"
        )
    return count if count is not None else int(np.ceil(n * fraction))


def validate_batch_size(batch_size: int, n_rows: int, name: str) -> None:
    """Raise a DataError for a batch of more rows than there are to train on."""
    if batch_size > n_rows:
        raise DataError(f"{name} is {batch_size}, but there are only {n_rows} training rows; lower it")


def choose_labelled(training: TensorData, n: int | None, task: Task, seed: int) -> TensorData:
    """Keep n labelled rows, the classes in their proportions as nearly as whole rows allow; None keeps all.

    Raises:
        DataError: n is below the number of classes or above the number of training rows.
    """
    if n is None:
        return training
    if n > len(training):
        raise DataError(f"labelled_rows is {n}, but there are only {len(training)} training rows")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(training)))
    if task not in ("multiclass", "binary"):
        return training[order[:n].sort().values]
    assert training.targets is not None
    labels = training.targets.reshape(-1).cpu().numpy()[order.numpy()]
    classes, inverse = np.unique(labels, return_inverse=True)
    if n < len(classes):
        raise DataError(f"labelled_rows is {n}, but there are {len(classes)} classes: each needs a row")
    # Rank each row within its class as a fraction of the class, and take the lowest ranks of all.
    rank = np.empty(len(labels))
    for k in range(len(classes)):
        members = np.flatnonzero(inverse == k)
        rank[members] = np.arange(len(members)) / len(members)
    chosen = np.argsort(rank, kind="stable")[:n]
    return training[order[np.sort(chosen)].sort().values]
