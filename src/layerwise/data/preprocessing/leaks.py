"""Target leaks: input columns that alone decide the target, and test rows that repeat training rows."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.problem import Problem, Task
from layerwise.data.row_hashes import row_hashes

if TYPE_CHECKING:
    import pandas as pd

MAX_ACCURACY = 0.99
MAX_RANK_CORRELATION = 0.9999
MAX_ROWS = 10_000
# A column whose accuracy on the rows themselves is no higher is not cross-validated.
LEAST_TRIED = 0.95

logger = logging.getLogger(__name__)


class Leak(NamedTuple):
    """A column that alone gives the target away.

    Args:
        column: its name.
        score: cross-validated balanced accuracy, or the absolute rank correlation in regression.
        reason: what the score is, in words.
    """

    column: str
    score: float
    reason: str


def find_leaks(inputs: pd.DataFrame, target: np.ndarray, task: Task) -> list[Leak]:
    """Return the columns that alone give the target away, the surest first.

    Classification: a tree on one column with as many leaves as there are classes (a decision stump for two),
    or for text the most frequent class of each value, has a balanced accuracy above 0.99 in 3-fold
    cross-validation. That also finds a copy of the target and the target under other names. Regression: the
    column's rank correlation with the target is 1 up to ties (a copy, another unit, a logarithm).

    Args:
        inputs: training rows, without the target columns; of more than 10,000, evenly spaced ones are used.
        target: (n,) or (n, k) raw targets; each of k columns is tried.
        task: of the problem.
    """
    step = -(-len(inputs) // MAX_ROWS)
    inputs, target = inputs.iloc[::step], target[::step]
    found: dict[str, Leak] = {}
    for single in target.reshape(len(target), -1).T:
        classes = None if task == "regression" else _Classes.of(single)
        for name in inputs:
            if classes is None:
                score, reason = _rank_correlation(inputs[name], single), "its order is the target's"
                leaks = score > MAX_RANK_CORRELATION
            else:
                score, reason = (
                    _one_column_accuracy(inputs[name], classes),
                    "balanced accuracy of this column alone",
                )
                leaks = score > MAX_ACCURACY
            if leaks and (str(name) not in found or found[str(name)].score < score):
                found[str(name)] = Leak(str(name), score, reason)
    return sorted(found.values(), key=lambda leak: -leak.score)


class _Classes(NamedTuple):
    """The classes of a target, and the folds in which columns are tried: the same for each column.

    Args:
        kept: the rows of classes that have three at least, (n,) bool.
        codes: of those rows, from 0.
        folds: positions among them to fit on and to hold out.
    """

    kept: np.ndarray
    codes: np.ndarray
    folds: list[tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, target: np.ndarray) -> _Classes:
        import pandas as pd
        from sklearn.model_selection import StratifiedKFold

        codes = np.asarray(pd.factorize(pd.Series(target))[0], dtype=np.int64)
        counts = np.bincount(codes)
        kept = counts[codes] >= 3
        codes = np.unique(codes[kept], return_inverse=True)[1] if kept.any() else codes[kept]
        if len(codes) == 0 or codes.max() == 0:
            return cls(kept, codes, [])
        return cls(kept, codes, list(StratifiedKFold(3, shuffle=True, random_state=0).split(codes, codes)))


def _rank_correlation(column: pd.Series, target: np.ndarray) -> float:
    import pandas as pd
    from scipy.stats import rankdata

    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(values)
    if known.sum() < 3:
        return 0.0
    ranks = rankdata(values[known]), rankdata(target[known].astype(np.float64))
    if min(np.ptp(r) for r in ranks) == 0:
        return 0.0
    return float(abs(np.corrcoef(*ranks)[0, 1]))


def _one_column_accuracy(column: pd.Series, classes: _Classes) -> float:
    """Return the cross-validated balanced accuracy of one column, 0 where it is far from 1 or rows are few."""
    import pandas as pd
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.tree import DecisionTreeClassifier

    codes, column = classes.codes, column[classes.kept]
    if not classes.folds:
        return 0.0
    text = not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))
    values = _values_of(column, text)
    if not (_words_may_decide(values, codes) if text else _numbers_may_decide(values, codes)):
        return 0.0
    predicted = np.zeros(len(codes), dtype=np.int64)
    for fit, held_out in classes.folds:
        if text:
            table = pd.crosstab(values[fit], codes[fit]).idxmax(axis=1)
            most_frequent = np.bincount(codes[fit]).argmax()
            predicted[held_out] = table.reindex(values[held_out]).fillna(most_frequent).to_numpy()
        else:
            tree = DecisionTreeClassifier(
                max_leaf_nodes=len(np.unique(codes)), class_weight="balanced", random_state=0
            )
            predicted[held_out] = tree.fit(values[fit, None], codes[fit]).predict(values[held_out, None])
    return float(balanced_accuracy_score(codes, predicted))


def _values_of(column: pd.Series, text: bool) -> np.ndarray:
    import pandas as pd

    if text:
        return np.asarray(pd.factorize(column.astype(object))[0], dtype=np.float64)
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.astype("int64").to_numpy(dtype=np.float64)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isinf(values), np.nan, values)  # infinite cells are refused elsewhere, by row


def _words_may_decide(values: np.ndarray, codes: np.ndarray) -> bool:
    """Return whether the most frequent class of each word is right nearly everywhere, on the same rows."""
    n_classes = int(codes.max()) + 1
    cells = np.bincount((values.astype(np.int64) + 1) * n_classes + codes)
    table = np.pad(cells, (0, -len(cells) % n_classes)).reshape(-1, n_classes)
    right = np.zeros(n_classes)
    np.add.at(right, table.argmax(1), table.max(1))
    return bool((right / np.bincount(codes)).mean() > LEAST_TRIED)


def _numbers_may_decide(values: np.ndarray, codes: np.ndarray) -> bool:
    """Return whether thresholds may tell the classes apart nearly everywhere; it is cheap, and rarely wrongly yes.

    Two classes: the best threshold's balanced accuracy is (1 + D) / 2, where D is the largest distance of the two
    distribution functions. More: their order along the column changes hardly more often than errors allow.
    """
    counts = np.bincount(codes)
    if len(counts) == 2:
        for filled in (-np.inf, np.inf):  # a tree sends the empty cells to either side
            ordered = np.where(np.isnan(values), filled, values)
            order = np.argsort(ordered)
            last = np.append(ordered[order][1:] != ordered[order][:-1], True)  # of each value
            steps = np.where(codes[order] == 1, 1 / counts[1], -1 / counts[0])
            if (1 + np.abs(np.cumsum(steps)[last]).max()) / 2 > LEAST_TRIED:
                return True
        return False
    order = np.lexsort((codes, values))
    changes = int((np.diff(codes[order]) != 0).sum())
    errors = (1 - MAX_ACCURACY) * len(counts) * int(counts.max())
    return changes <= 3 * (2 * errors + len(counts))


def validate_no_leaks(
    inputs: pd.DataFrame, dropped: pd.DataFrame, target: np.ndarray, problem: Problem
) -> list[str]:
    """Raise a DataError for an input that gives the target away; warn when the problem allows leaks.

    A dropped column that would have given it away is mentioned in the log, so that the run says why it is no
    input.

    Returns:
        Notes for the model card, a sentence each.
    """
    notes = []
    for leak in find_leaks(dropped, target, problem.task):
        logger.info(
            "column '%s' decides the target %r and is no input (%.3f)",
            leak.column,
            problem.target,
            leak.score,
        )
        notes.append(
            f"Column '{leak.column}' alone decides the target ({leak.score:.3f}) and is no input: it is the label "
            "in another form."
        )
    found = find_leaks(inputs, target, problem.task)
    if not found:
        return notes
    listed = ", ".join(f"'{leak.column}' ({leak.reason}: {leak.score:.3f})" for leak in found)
    message = f"the target {problem.target!r} is decided by one column alone: {listed}"
    if not problem.allow_leak:
        names = ", ".join(leak.column for leak in found)
        raise DataError(f"{message}. Add {names} to problem.drop, or say problem.allow_leak: true")
    warnings.warn(message, stacklevel=2)
    return [*notes, f"LEAK: {message}. The figures say nothing about rows whose target is not known yet."]


def count_repeated_rows(
    frame: pd.DataFrame, names: Collection[str], training: np.ndarray, test: np.ndarray
) -> int:
    """Return how many test rows have exactly the inputs of some training row.

    Args:
        frame: all rows.
        names: of the input columns.
        training: positions of the training rows.
        test: positions of the test rows.
    """
    import pandas as pd

    hashes = row_hashes(frame, names)
    # A table of hashes: `np.isin` takes fifteen times as long.
    return int(pd.Index(hashes[test]).isin(hashes[training]).sum())
