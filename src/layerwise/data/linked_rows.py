"""Rows that belong together: those of one group stay on one side of a split, or the test rows are the last in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.problem import SplitSettings

if TYPE_CHECKING:
    import pandas as pd

# Orders of the groups that are tried, of which the one is taken whose sample has the fractions of all rows.
TRIALS = 50


@dataclass(frozen=True)
class RowKeys:
    """What links the rows of a table.

    Args:
        groups: (n,) the number of each row's group, from 0 on; None: every row is a group of its own.
        times: (n,) when each row was; None: the rows have no order.
    """

    groups: np.ndarray | None = None
    times: np.ndarray | None = None


UNLINKED: RowKeys = RowKeys()


def row_keys(raw: Any, settings: SplitSettings) -> RowKeys:
    """Return what `split.groups` or `split.time` says of the rows of a table.

    Raises:
        DataError: the rows are no table, it has no such column, or a cell of it is empty or no date.
    """
    name = settings.groups or settings.time
    if name is None:
        return UNLINKED
    setting = "split.groups" if settings.groups else "split.time"
    from layerwise.data.preprocessing.columns import validate_columns

    if getattr(raw, "columns", None) is None:
        raise DataError(f"{setting} names a column of a table, and these rows have no columns: leave it out")
    validate_columns(raw, (name,), f"{setting}: column")
    column: pd.Series = raw[name]
    empty = np.flatnonzero(column.isna().to_numpy())
    if len(empty):
        raise DataError(
            f"{setting}: column '{name}' is empty in {len(empty)} row(s), first in row {column.index[empty[0]]}; "
            "fill these cells or leave the rows out"
        )
    if settings.groups:
        return RowKeys(groups=_codes(column))
    return RowKeys(times=_times(column))


def _codes(column: pd.Series) -> np.ndarray:
    import pandas as pd

    codes = np.asarray(pd.factorize(column)[0], dtype=np.int64)
    if codes.max() < 2:
        raise DataError(
            f"split.groups: column '{column.name}' has {codes.max() + 1} group(s), and training, validation and test "
            "rows need one each"
        )
    return codes


def _times(column: pd.Series) -> np.ndarray:
    import pandas as pd

    from layerwise.data.preprocessing import days_since_1970
    from layerwise.data.reading.cells import fit_reading

    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64)
    # Rows that a run has read hold dates; those of another table are text.
    values, errors = fit_reading(column.to_frame()).parse(column.to_frame())
    when = values[str(column.name)]
    dates = pd.api.types.is_datetime64_any_dtype(when)
    bad = np.flatnonzero(errors.bad | when.isna().to_numpy()) if dates else np.arange(1)
    if len(bad):
        row, value = column.index[bad[0]], column.iloc[bad[0]]
        raise DataError(f"split.time: column '{column.name}' holds {value!r} in row {row}, which is no date")
    return days_since_1970(when)


def last_rows(rows: np.ndarray, times: np.ndarray, count: int, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the earlier rows and the last `count` of them, each in the order of time.

    Rows of the same time are never on both sides: those that are as late as the first of the last rows go with them.

    Args:
        rows: positions to choose from.
        times: (n,) of all rows.
        count: how many rows are asked for.
        part: the name of what is chosen, for messages.

    Raises:
        DataError: no row is earlier.
    """
    ordered = rows[np.argsort(times[rows], kind="stable")]
    start = int(np.searchsorted(times[ordered], times[ordered[-count]]))
    if start == 0:
        raise DataError(
            f"split.time: the {part} rows would be all {len(rows)} that are left, since the first of them are as late "
            "as the last; ask for fewer, or name a column with more distinct times"
        )
    return ordered[:start], ordered[start:]


def sample_groups(
    rows: np.ndarray, groups: np.ndarray, labels: np.ndarray | None, count: int, seed: int, part: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that stay and sampled whole groups with about `count` rows, both in their order.

    Of 50 orders of the groups the one is taken whose sample is nearest in its number of rows and, with labels, in
    the fractions of the classes.

    Args:
        rows: positions to sample from.
        groups: (n,) of all rows.
        labels: (n,) classes of all rows, whose fractions the sample should have; None for no such wish.
        count: how many rows are asked for.
        seed: of the sampling.
        part: the name of what is sampled, for messages.

    Raises:
        DataError: fewer than two groups are left.
    """
    names, codes = np.unique(groups[rows], return_inverse=True)
    if len(names) < 2:
        raise DataError(f"split.groups: one group only is left to sample the {part} rows from")
    counts = np.bincount(codes)[:, None]
    if labels is not None:
        classes = np.unique(labels[rows], return_inverse=True)[1]
        counts = np.stack(
            [np.bincount(codes[classes == k], minlength=len(names)) for k in range(classes.max() + 1)], 1
        )
    wanted = counts.sum(0) * count / len(rows)
    rng, best, best_distance = np.random.default_rng(seed), np.arange(1), np.inf
    for _ in range(TRIALS):
        order = rng.permutation(len(names))[: len(names) - 1]
        # How far each beginning of this order is from what is wanted.
        distances = np.abs(counts[order].cumsum(0) - wanted).sum(1)
        end = int(distances.argmin())
        if distances[end] < best_distance:
            best, best_distance = order[: end + 1], distances[end]
    sampled = np.isin(codes, best)
    return rows[~sampled], rows[sampled]


def group_folds(groups: np.ndarray, labels: np.ndarray | None, n_folds: int, seed: int) -> np.ndarray:
    """Return the fold of each row, (n,) from 0 on: whole groups, with about as many rows of each class.

    Raises:
        DataError: there are fewer groups than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_groups = len(np.unique(groups))
    if n_groups < n_folds:
        raise DataError(f"split.folds is {n_folds}, and there are {n_groups} groups: lower it")
    found = np.empty(len(groups), dtype=np.int64)
    classes = np.zeros(len(groups), dtype=np.int64)
    if labels is not None:
        classes = np.unique(labels, return_inverse=True)[1]
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(classes, classes, groups)
    for k, (_, test) in enumerate(folds):
        found[test] = k
    return found
