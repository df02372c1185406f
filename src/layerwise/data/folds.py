"""Cross-validation: several splits of the same rows, in which each row is a test row once (Stone 1974)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pydantic import ConfigDict, RootModel

from layerwise.data.errors import DataError
from layerwise.data.linked_rows import UNLINKED, RowKeys, group_folds, row_keys
from layerwise.data.problem import Problem, SplitSettings, Task
from layerwise.data.splits import (
    Split,
    labelled_rows,
    split_rest,
    split_seed,
    split_targets,
    with_every_class,
)
from layerwise.utils import derive_seed


class Folds(RootModel[tuple[Split, ...]]):
    """The split of each fold, those of the first repeat first."""

    model_config = ConfigDict(frozen=True)

    def name(self, k: int) -> str:
        """Return what the fold at a position is called."""
        return f"fold_{k + 1:02d}"


def split_folds(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> Folds:
    """Split a table or a set of images into folds.

    Raises:
        DataError: a column is missing, or there are too few rows, groups or times.
    """
    labelled = labelled_rows(raw, problem)
    if labelled is not None:  # rows with an empty target pretrain in every fold, and are measured in none
        found = split_folds(raw.iloc[labelled], problem, settings, seed)
        return Folds(tuple(each.among(labelled, len(raw)) for each in found.root))
    targets, n_official_test = split_targets(raw, problem)
    keys = row_keys(raw, settings)
    return Folds(tuple(fold_splits(targets, problem.task, settings, seed, n_official_test, keys)))


def fold_splits(
    targets: np.ndarray,
    task: Task,
    settings: SplitSettings,
    seed: int,
    n_official_test: int = 0,
    keys: RowKeys = UNLINKED,
) -> list[Split]:
    """Return the split of each fold, those of the first repeat first.

    In each repeat every row is a test row of one fold, in classification with the fractions of the classes. With groups
    a fold's test rows are whole groups. By time the rows are cut into one block more than there are folds, and each
    block but the first is the test rows of a fold that learns from the blocks before it alone; there are no repeats.
    The validation rows are sampled from a fold's other rows as those of an ordinary split are. Official test rows are
    in no fold.

    Args:
        targets: (n,) or (n, k) raw targets.
        task: classification is stratified, the other tasks are not.
        settings: of the split, with `folds`.
        seed: the run's, where the settings have none of their own.
        n_official_test: the last rows, which are an official test set.
        keys: what links the rows.

    Raises:
        DataError: a class or the whole has fewer rows than there are folds.
    """
    assert settings.folds
    rows = np.arange(len(targets) - n_official_test)
    labels = targets if settings.stratify and task in ("multiclass", "binary") else None
    _check_sizes(rows, labels, settings.folds)
    found = []
    for repeat in range(settings.repeats):
        own_seed = derive_seed(split_seed(settings, seed), "folds", repeat) % 2**32
        for k, (rest, test) in enumerate(_cuts(rows, labels, settings, own_seed, keys)):
            training, validation = split_rest(rest, labels, settings, (own_seed + k) % 2**32, keys)
            fold = Split(training=training, validation=validation, test=test, not_inputs=settings.not_inputs)
            found.append(with_every_class(fold, targets, task, keys))
    return found


def _cuts(
    rows: np.ndarray, labels: np.ndarray | None, settings: SplitSettings, seed: int, keys: RowKeys
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows of each fold that are no test rows, and its test rows."""
    from sklearn.model_selection import KFold, StratifiedKFold

    assert settings.folds
    if keys.times is not None:
        yield from _blocks_in_time(rows, keys.times, settings.folds)
        return
    if keys.groups is not None:
        own = None if labels is None else labels[rows]
        fold_of = group_folds(keys.groups[rows], own, settings.folds, seed)
        for k in range(settings.folds):
            yield rows[fold_of != k], rows[fold_of == k]
        return
    kind = KFold if labels is None else StratifiedKFold
    parts = kind(settings.folds, shuffle=True, random_state=seed)
    for rest, test in parts.split(rows, None if labels is None else labels[rows]):
        yield rows[rest], rows[test]


def _blocks_in_time(
    rows: np.ndarray, times: np.ndarray, n_folds: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    ordered = rows[np.argsort(times[rows], kind="stable")]
    even = np.linspace(0, len(ordered), n_folds + 2).astype(int)[1:-1]
    # A block begins at the first row of its time, so that no time is in two blocks.
    starts = np.unique(np.searchsorted(times[ordered], times[ordered[even]]))
    if starts[0] == 0 or len(starts) < n_folds:
        raise DataError(
            f"split.time: so many rows have the same time that they make no {n_folds + 1} blocks; lower split.folds"
        )
    for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
        yield ordered[:start], ordered[start:end]


def _check_sizes(rows: np.ndarray, labels: np.ndarray | None, n_folds: int) -> None:
    if len(rows) < 2 * n_folds:
        raise DataError(f"split.folds is {n_folds}, and there are {len(rows)} rows: lower it")
    if labels is None:
        return
    classes, counts = np.unique(labels[rows], return_counts=True)
    if counts.min() < n_folds:
        raise DataError(
            f"split.folds is {n_folds}, and class '{classes[counts.argmin()]}' has {counts.min()} row(s): lower it, "
            "drop the class, or set split.stratify: false"
        )
