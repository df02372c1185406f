"""Metrics of a table's generated rows: marginals, associations, detection by a classifier, and utility."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data import Task, TensorData
from layerwise.evaluation.metrics import Array, Family, as_array, fit_baselines, trees_pay
from layerwise.utils import derive_seed

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
MAX_BINS = 20


def is_numeric(column: pd.Series) -> bool:
    """Return whether a column is compared by its distribution function, and not by its categories' fractions."""
    import pandas as pd

    return bool(
        pd.api.types.is_datetime64_any_dtype(column)
        or (
            pd.api.types.is_numeric_dtype(column)
            and not pd.api.types.is_bool_dtype(column)
            and column.nunique() > MAX_BINS
        )
    )


def numeric_columns(real: pd.DataFrame) -> frozenset[str]:
    """Return the names of the columns that are compared as numbers, by the real rows alone.

    Generated rows are compared as the real ones are: a column of 21 values here and 20 there stays a number.
    """
    return frozenset(str(name) for name in real if is_numeric(real[name]))


def as_floats(column: pd.Series) -> Array:
    """Return the known values of a number or date column."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.dropna().astype("int64")
    return column.dropna().to_numpy(dtype=np.float64)


def marginal_distance(real: pd.Series, generated: pd.Series) -> float:
    """Return the distance of two columns' distributions, in [0, 1].

    For numbers the largest gap between the distribution functions (Kolmogorov and Smirnov) or between the fractions of
    empty cells, whichever is larger; for categories the total variation distance, half the summed gaps between
    fractions, of which empty cells are a category of their own.
    """
    if is_numeric(real):
        empty = abs(float(real.isna().mean()) - float(generated.isna().mean()))
        return max(ks_distance(as_floats(real), as_floats(generated)), empty)
    fractions = [_texts(column).value_counts(normalize=True) for column in (real, generated)]
    both = fractions[0].index.union(fractions[1].index)
    gaps = [fractions[0].get(value, 0.0) - fractions[1].get(value, 0.0) for value in both]
    return float(0.5 * np.abs(gaps).sum())


def ks_distance(a: Array, b: Array) -> float:
    """Return sup |F_a - F_b| of two samples (n,) and (m,)."""
    if not len(a) or not len(b):
        return float(len(a) != len(b))
    from scipy.stats import ks_2samp

    return float(ks_2samp(a, b, method="asymp").statistic)


def _texts(column: pd.Series) -> pd.Series:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.astype("float64").map(lambda v: "empty" if v != v else f"{v:g}")
    return column.astype(object).where(column.notna(), "empty").astype(str)


def associations(frame: pd.DataFrame, numeric: Collection[str] | None = None) -> Array:
    """Return the association of each pair of columns, (columns, columns) in [-1, 1].

    Pearson's correlation for two numbers, the correlation ratio for a number and a category, Cramer's V for two
    categories.

    Args:
        frame: the rows.
        numeric: the names of the columns that are numbers, as `numeric_columns` of the real rows says, so that real and
            generated rows have the same kinds; None: by these rows.
    """
    import pandas as pd

    kinds = numeric_columns(frame) if numeric is None else numeric
    is_number = np.array([name in kinds for name in frame], dtype=bool)
    numbers, categories = (np.flatnonzero(each).tolist() for each in (is_number, ~is_number))
    found = np.eye(len(is_number))
    values = np.empty((len(frame), len(numbers)))
    for k, index in enumerate(numbers):
        values[:, k] = _floats_with_gaps(frame.iloc[:, index])
    if len(numbers):
        # Of the rows where both are known; nothing where one does not vary.
        found[np.ix_(numbers, numbers)] = pd.DataFrame(values).corr(min_periods=2).fillna(0)
        np.fill_diagonal(found, 1)
    codes = [pd.factorize(_texts(frame.iloc[:, index]))[0] for index in categories]
    for k, index in enumerate(categories):
        found[index, numbers] = found[numbers, index] = correlation_ratio(values, codes[k])
        for other, there in zip(categories[:k], codes[:k], strict=True):
            counts = np.zeros((codes[k].max() + 1, there.max() + 1))
            np.add.at(counts, (codes[k], there), 1)
            found[index, other] = found[other, index] = cramers_v(counts)
    return found


def _floats_with_gaps(column: pd.Series) -> Array:
    found = np.full(len(column), np.nan)
    found[column.notna().to_numpy()] = as_floats(column)
    return found


def correlation_ratio(values: Array, groups: Array) -> Array:
    """Return eta, the root of the fraction of variance between groups, of each column; 0 where it does not vary.

    Args:
        values: (n,) or (n, d), NaN where a value is not known.
        groups: (n,) which group each row is in.
    """
    known = ~np.isnan(values)
    means = np.where(known, values, 0).sum(0) / np.maximum(known.sum(0), 1)
    centered = np.where(known, values - means, 0)
    total = np.square(centered).sum(0)
    order = np.argsort(groups, kind="stable")
    sorted_groups = groups[order]
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]])
    sums, counts = (np.add.reduceat(each[order], starts, dtype=np.float64) for each in (centered, known))
    between = (np.square(sums) / np.maximum(counts, 1)).sum(0)
    return np.sqrt(np.divide(between, total, out=np.zeros_like(total), where=total > 0))


def cramers_v(counts: Array) -> float:
    """Return the root of chi^2 / (n (min(rows, columns) - 1)) of a table of counts."""
    if min(counts.shape) < 2:
        return 0.0
    from scipy.stats.contingency import association as scipy_association

    return float(scipy_association(counts.astype(np.int64), method="cramer"))


def detection_auc(real: Any, generated: Any, seed: int) -> float:
    """Return the AUC of gradient boosting between generated rows (m, d) and real ones (n, d), in 5 folds.

    0.5 says that it cannot distinguish them; as many rows of each are taken. The folds' scores are pooled.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    a, b = as_array(real), as_array(generated)
    n = min(len(a), len(b))
    rows, labels = np.concatenate([a[:n], b[:n]]), np.repeat([0, 1], n)
    state = derive_seed(seed, "detection") % 2**32
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=state)
    model = HistGradientBoostingClassifier(random_state=state)
    scores = cross_val_predict(model, rows, labels, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, scores))


def synthetic_data_utility(
    training: TensorData, synthetic: TensorData, test: TensorData, task: Task, n_outputs: int, seed: int
) -> dict[str, Any]:
    """Train the usual models on real rows and on synthetic ones, and test both on the same real rows.

    Of classes so many that trees do not pay, it is the linear model alone.

    Returns:
        By model, the metric's name and its value for `real` and `synthetic`: AUC, error, or R squared.
    """
    metric = {"binary": "roc_auc", "regression": "r2"}.get(task, "error")
    families: tuple[Family, ...] = ("linear", "boosting")
    if not trees_pay(len(training), n_outputs):
        families = ("linear",)
    found = [
        fit_baselines(rows, test, task, n_outputs=n_outputs, families=families, seed=seed, n_bootstrap=0)
        for rows in (training, synthetic)
    ]
    return {
        model: {
            "metric": metric,
            "real": float(found[0][model][metric].value),
            "synthetic": float(found[1][model][metric].value),
        }
        for model in found[0]
    }
