"""Baselines: scikit-learn's linear models and gradient boosting on the same rows as the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from layerwise.data import Task, TensorData
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix
from layerwise.evaluation.metrics.supervised import Metric, compute_metrics
from layerwise.utils import derive_seed

Family = Literal["linear", "boosting"]

# The metrics on which a network is compared with its baselines.
PRIMARY_METRICS = ("error", "roc_auc", "rmse")


def fit_baselines(
    training: TensorData,
    test: TensorData,
    task: Task,
    *,
    n_outputs: int | None = None,
    families: Sequence[Family] = ("linear", "boosting"),
    seed: int = 0,
    n_bootstrap: int = 1000,
) -> dict[str, dict[str, Metric]]:
    """Fit the baselines on the training rows and measure them on the test rows.

    Logistic regression (linear for regression) and histogram gradient boosting, both as scikit-learn has
    them by default, with one model per column for multilabel and several regression outputs.

    Args:
        training: the rows the network learns from.
        test: the rows it is measured on.
        task: what the targets are.
        n_outputs: the number of classes; by default the highest class in either set plus one.
        families: leave `boosting` out for images, where it takes minutes.
        seed: of the boosting and of the resamples.
        n_bootstrap: resamples for the intervals.

    Returns:
        Metrics by model ("logistic regression" or "linear regression", "gradient boosting").
    """
    if training.targets is None or test.targets is None:
        raise ValueError("baselines need targets in the training rows and in the test rows")
    x, y = as_array(training.inputs), as_array(training.targets)
    x_test, y_test = as_array(test.inputs), as_array(test.targets)
    if task == "multiclass" and n_outputs is None:
        n_outputs = int(max(y.max(), y_test.max())) + 1
    result = {}
    for family in families:
        name, model = _model(family, task, seed)
        scores = _fit_and_score(model, task, x, y, x_test, n_outputs)
        result[name] = compute_metrics(task, y_test, scores, seed=seed, n_bootstrap=n_bootstrap)
    return result


def _model(family: Family, task: Task, seed: int) -> tuple[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LinearRegression, LogisticRegression

    random_state = derive_seed(seed, "baselines") % 2**32
    if family == "linear":
        if task == "regression":
            return "linear regression", LinearRegression()
        return "logistic regression", LogisticRegression(max_iter=2000)
    if family != "boosting":
        raise ValueError(f"unknown family '{family}'; known: boosting, linear")
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return "gradient boosting", kind(random_state=random_state)


def _fit_and_score(model: Any, task: Task, x: Array, y: Array, x_test: Array, n_outputs: int | None) -> Array:
    from sklearn.base import clone

    if task == "regression":
        columns = as_matrix(y).T
        return np.stack([clone(model).fit(x, column).predict(x_test) for column in columns], 1)
    if task == "multiclass":
        model.fit(x, y.reshape(-1))
        scores = np.zeros((len(x_test), n_outputs or 0))
        # A class that no training row has gets no probability.
        scores[:, model.classes_.astype(np.int64)] = model.predict_proba(x_test)
        return scores
    outputs = []
    for column in as_matrix(y).T:
        if column.min() == column.max():
            outputs.append(np.full(len(x_test), column[0]))
        else:
            outputs.append(clone(model).fit(x, column).predict_proba(x_test)[:, 1])
    return np.stack(outputs, 1)


def compare_with_baselines(network: dict[str, Metric], others: dict[str, dict[str, Metric]]) -> list[str]:
    """Return a sentence for each primary metric on which the network loses to its base rate or a baseline.

    An empty list means that it loses on none.

    Args:
        network: its metrics by name.
        others: metrics by baseline, then by name.
    """
    sentences = []
    for name in PRIMARY_METRICS:
        own = network.get(name)
        if own is None:
            continue
        if own.base_rate is not None and not own.beats(own.base_rate):
            sentences.append(
                f"The network is no better than a constant: {name} {own} against {own.base_rate:.4f}."
            )
        for model, model_metrics in others.items():
            other_value = model_metrics.get(name)
            if other_value is not None and other_value.beats(own.value):
                sentences.append(f"The network loses to {model}: {name} {own} against {other_value}.")
    return sentences
