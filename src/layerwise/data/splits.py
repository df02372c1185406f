"""The split of a raw data set into training, validation and test rows, and the choice of labelled rows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
from pydantic import ConfigDict, Field, PlainSerializer, PlainValidator

from layerwise.data.errors import DataError
from layerwise.data.linked_rows import UNLINKED, RowKeys, last_rows, row_keys, sample_groups
from layerwise.data.problem import Problem, SplitSettings, Task
from layerwise.data.row_hashes import TEST, TRAINING, VALIDATION, parts_by_hash
from layerwise.data.sources import OFFICIAL_TEST, Images
from layerwise.utils import Config, derive_seed


def _as_positions(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)


Positions = Annotated[
    np.ndarray,
    PlainValidator(_as_positions),
    PlainSerializer(lambda rows: rows.tolist(), return_type=list[int]),
]


class Split(Config):
    """Positions of rows in the raw data, each (n,) int64 and disjoint; and columns that made them and are no inputs.

    The rows of `unlabelled` have an empty target: they pretrain, and are in no other part.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    training: Positions
    validation: Positions
    test: Positions
    not_inputs: tuple[str, ...] = ()
    unlabelled: Positions = Field(default_factory=lambda: np.empty(0, np.int64))

    def among(self, labelled: np.ndarray, n_rows: int) -> Split:
        """Return this split of the labelled rows as one of all rows; the others become its `unlabelled` ones.

        Args:
            labelled: their positions among all rows, (n,).
            n_rows: how many there are in all.
        """
        parts = {name: labelled[getattr(self, name)] for name in ("training", "validation", "test")}
        return self.model_copy(
            update={**parts, "unlabelled": np.setdiff1d(np.arange(n_rows), labelled).astype(np.int64)}
        )

    def without_unlabelled(self) -> tuple[np.ndarray, Split]:
        """Return the positions of the labelled rows in order, and the split as positions among them."""
        kept = np.sort(np.concatenate([self.training, self.validation, self.test]))
        parts = {
            name: np.searchsorted(kept, getattr(self, name)) for name in ("training", "validation", "test")
        }
        return kept, self.model_copy(update={**parts, "unlabelled": np.empty(0, np.int64)})


def with_every_class(found: Split, targets: np.ndarray, task: Task, keys: RowKeys) -> Split:
    """Return a split whose training rows have every class: rows of one that is not among them are learnt from.

    Such a class of a row or two can be learnt, and no figure measures it. Where a part would be empty, none is moved;
    nor is any of rows that are linked, or of a task without classes.

    Args:
        found: a split, which is not stratified.
        targets: (n,) of all rows.
        task: of the targets.
        keys: what links the rows.
    """
    if keys is not UNLINKED or task not in ("multiclass", "binary"):
        return found
    import pandas as pd

    # By hashes: numpy's isin compares each text with each.
    codes = pd.factorize(targets, use_na_sentinel=False)[0]
    is_known = np.zeros(codes.max() + 1, dtype=bool)
    is_known[codes[found.training]] = True
    parts = {name: getattr(found, name) for name in ("validation", "test")}
    kept = {name: rows[is_known[codes[rows]]] for name, rows in parts.items()}
    moved = [rows[~is_known[codes[rows]]] for rows in parts.values()]
    if not all(map(len, kept.values())):
        return found
    return found.model_copy(update={"training": np.concatenate([found.training, *moved]), **kept})


def split_raw(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> Split:
    """Split a table or a set of images; official test rows, of images and of folders of texts, stay the test rows.

    Raises:
        DataError: a column is missing, the target has one class, or there are too few rows.
    """
    labelled = labelled_rows(raw, problem)
    if labelled is not None:
        return split_raw(raw.iloc[labelled], problem, settings, seed).among(labelled, len(raw))
    targets, n_official_test = split_targets(raw, problem)
    if settings.method == "hash":
        return _split_by_hash(raw, targets, problem, settings, seed)
    # Rows without any target are neither stratified nor checked for classes.
    task = problem.task if problem.targets or isinstance(raw, Images) else "documents"
    return split_rows(targets, task, settings, seed, n_official_test, row_keys(raw, settings))


def _split_by_hash(
    raw: Any, targets: np.ndarray, problem: Problem, settings: SplitSettings, seed: int
) -> Split:
    """Return the split of a table whose rows are taken each by itself, in their order."""
    if not hasattr(raw, "iloc"):
        raise DataError(
            "split.method: hash is of the cells of a table, and these rows are none: leave it out"
        )
    if raw.attrs.get(OFFICIAL_TEST):
        raise DataError("split.method: hash would mix the official test rows with the others: leave it out")
    if problem.targets and problem.task in ("multiclass", "binary"):
        _classes(targets)
    row_keys(raw, settings)  # refuses a wrong column
    found = parts_by_hash(raw, hashed_columns(raw, problem, settings), settings, split_seed(settings, seed))
    training, validation, test = (np.flatnonzero(found == part) for part in (TRAINING, VALIDATION, TEST))
    return Split(training=training, validation=validation, test=test, not_inputs=settings.not_inputs)


def hashed_columns(names: Iterable[Any], problem: Problem, settings: SplitSettings) -> list[str]:
    """Return the columns of a table by which `split.method: hash` decides: its inputs, or that of the groups."""
    if settings.groups is not None:
        return [settings.groups]
    others = {*problem.drop, *problem.targets, problem.weights}
    return [str(name) for name in names if str(name) not in others]


def _classes(targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes and how many rows have each; a DataError where there is one only."""
    classes, counts = np.unique(targets, return_counts=True)
    if len(classes) < 2:
        raise DataError(f"the target has one class only ({classes.tolist()}): there is nothing to learn")
    return classes, counts


def labelled_rows(raw: Any, problem: Problem) -> np.ndarray | None:
    """Return the positions of a table's rows whose targets are all there; None where that is every row.

    Raises:
        DataError: a target is empty in every row.
    """
    from layerwise.data.preprocessing import derive_columns

    if not problem.targets or not hasattr(raw, "iloc"):
        return None
    targets = derive_columns(raw, problem)
    there = [name for name in problem.targets if name in targets]
    empty = targets[there].isna().to_numpy().any(1)
    if not empty.any():
        return None
    if empty.all():
        raise DataError(f"the target {', '.join(problem.targets)} is empty in every row: there is no label")
    return np.flatnonzero(~empty)


def split_targets(raw: Any, problem: Problem) -> tuple[np.ndarray, int]:
    """Return the targets by which rows are split, zeros where there are none, and the number of official test rows."""
    if isinstance(raw, Images):
        return raw.labels, raw.n_test
    n_official_test = int(getattr(raw, "attrs", {}).get(OFFICIAL_TEST, 0))
    if problem.task in ("ratings", "documents") or not problem.targets:
        return np.zeros(len(raw)), n_official_test
    from layerwise.data.preprocessing import row_weights, target_column

    if problem.weights is not None:  # a wrong one is refused before anything is made of the rows
        row_weights(raw, problem.weights)
    return target_column(raw, problem), n_official_test


def split_seed(settings: SplitSettings, seed: int) -> int:
    """Return the seed of the split: its own, or one of the run's."""
    return settings.seed if settings.seed is not None else derive_seed(seed, "split") % 2**32


def split_rows(
    targets: np.ndarray,
    task: Task,
    settings: SplitSettings,
    seed: int,
    n_official_test: int = 0,
    keys: RowKeys = UNLINKED,
) -> Split:
    """Sample the split.

    Rows keep the order in which they were sampled. The test rows are those of scikit-learn's
    `train_test_split` with the same fraction, seed and stratification; validation rows are sampled from
    the rest. Where groups or times link the rows, whole groups are sampled, or the last rows are taken.

    Args:
        targets: (n,) or (n, k) raw targets, by which classification is stratified.
        task: classification is stratified, the other tasks are not.
        settings: of the split.
        seed: the run's, where the settings have none of their own.
        n_official_test: the last rows, which are the test set; 0 samples one.
        keys: what links the rows.
    """
    n = len(targets)
    stratify = settings.stratify and task in ("multiclass", "binary")
    own_seed = split_seed(settings, seed)
    if task in ("multiclass", "binary"):
        classes, counts = _classes(targets)
        if stratify and keys.times is None and counts.min() < 3:
            rare = classes[counts.argmin()]
            raise DataError(
                f"class '{rare}' has {counts.min()} row(s), too few for training, validation and test; "
                "drop the class or set split.stratify: false"
            )
    labels = targets if stratify else None
    if n_official_test:
        rest, test = np.arange(n - n_official_test), np.arange(n - n_official_test, n)
    else:
        size = settings.test_rows, settings.test_fraction, "test"
        rest, test = _take(np.arange(n), *size, labels, own_seed, keys)
    training, validation = split_rest(rest, labels, settings, own_seed, keys)
    found = Split(training=training, validation=validation, test=test, not_inputs=settings.not_inputs)
    return found if n_official_test else with_every_class(found, targets, task, keys)


def split_rest(
    rest: np.ndarray, labels: np.ndarray | None, settings: SplitSettings, own_seed: int, keys: RowKeys
) -> tuple[np.ndarray, np.ndarray]:
    """Return the training and the validation rows among those that are no test rows.

    Args:
        rest: their positions.
        labels: (n,) of all rows, by which they are stratified; None: they are not.
        settings: of the split.
        own_seed: of the sampling.
        keys: what links the rows.
    """
    size = settings.validation_rows, settings.validation_fraction, "validation"
    if settings.validation_tail:
        n_validation = _size(len(rest), *size)
        return rest[:-n_validation], rest[-n_validation:]
    return _take(rest, *size, labels, own_seed, keys)


def _take(
    rows: np.ndarray,
    count: int | None,
    fraction: float,
    part: str,
    labels: np.ndarray | None,
    seed: int,
    keys: RowKeys,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that stay and those of the part, which are sampled or the last ones, as the rows are linked."""
    n = _size(len(rows), count, fraction, part)
    if keys.times is not None:
        return last_rows(rows, keys.times, n, part)
    if keys.groups is not None:
        return sample_groups(rows, keys.groups, labels, n, seed, part)
    stratify = None if labels is None else labels[rows]
    if stratify is not None and count is None:  # a fraction of few rows has one of each class
        n = max(n, len(np.unique(stratify)))
    return _sample_rows(rows, n, part, stratify, seed)


def _sample_rows(
    rows: np.ndarray, n: int, part: str, stratify: np.ndarray | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    try:
        kept, sampled = train_test_split(rows, test_size=n, random_state=seed, stratify=stratify)
    except ValueError as error:
        raise DataError(
            f"the {part} rows cannot be sampled from {len(rows)} rows with each class in them: {error}; "
            f"take more of them, or set split.stratify: false"
        ) from error
    return kept, sampled


def _size(n: int, count: int | None, fraction: float, part: str) -> int:
    if count is not None and count >= n:
        raise DataError(f"split.{part}_rows is {count}, but only {n} rows are left to sample them from")
    if count is None and math.ceil(n * fraction) >= n:
        raise DataError(
            f"{n} rows are too few for split.{part}_fraction = {fraction}: neither part may be empty"
        )
    return count if count is not None else math.ceil(n * fraction)


def validate_batch_size(batch_size: int, n_rows: int, name: str) -> None:
    """Raise a DataError for a batch of more rows than there are to train on."""
    if batch_size > n_rows:
        raise DataError(f"{name} is {batch_size}, but there are only {n_rows} training rows; lower it")
