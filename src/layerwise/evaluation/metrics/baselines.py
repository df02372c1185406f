"""Baselines: scikit-learn's linear models and gradient boosting on the same rows as the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from layerwise.data import Task, TensorData
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix
from layerwise.evaluation.metrics.comparison import paired_difference
from layerwise.evaluation.metrics.supervised import Metric, compute_metrics
from layerwise.utils import derive_seed

Family = Literal["linear", "boosting"]

# The metrics on which a network is compared with its baselines.
PRIMARY_METRICS = ("error", "roc_auc", "rmse")


def baseline_scores(
    training: TensorData,
    test: TensorData,
    task: Task,
    *,
    n_outputs: int | None = None,
    families: Sequence[Family] = ("linear", "boosting"),
    seed: int = 0,
) -> dict[str, Array]:
    """Fit the baselines on the training rows and return their scores of the test rows, (n, k), by model.

    Logistic regression (linear for regression) and histogram gradient boosting, both as scikit-learn has
    them by default, with one model per column for multilabel and several regression outputs.

    Args:
        training: the rows the network learns from.
        test: the rows it is measured on.
        task: what the targets are.
        n_outputs: the number of classes; by default the highest class in either set plus one.
        families: leave `boosting` out for images, where it takes minutes.
        seed: of the boosting.

    Returns:
        Scores of "logistic regression" or "linear regression", and of "gradient boosting".
    """
    if training.targets is None or test.targets is None:
        raise ValueError("baselines need targets in the training rows and in the test rows")
    x, y = as_array(training.inputs), as_array(training.targets)
    x_test = as_array(test.inputs)
    if task == "multiclass" and n_outputs is None:
        n_outputs = int(max(y.max(), as_array(test.targets).max())) + 1
    models = [_model(family, task, seed) for family in families]
    weights = None if training.weights is None else as_array(training.weights)
    return {name: _fit_and_score(model, task, x, y, x_test, n_outputs, weights) for name, model in models}


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
    """Return the metrics of `baseline_scores`, by model and then by name.

    Args:
        training, test, task, n_outputs, families, seed: as `baseline_scores` takes them; the seed is that of the
            resamples too.
        n_bootstrap: resamples for the intervals.
    """
    scores = baseline_scores(training, test, task, n_outputs=n_outputs, families=families, seed=seed)
    return {
        name: compute_metrics(
            task, test.targets, given, seed=seed, n_bootstrap=n_bootstrap, weights=test.weights
        )
        for name, given in scores.items()
    }


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


def _fit_and_score(
    model: Any,
    task: Task,
    x: Array,
    y: Array,
    x_test: Array,
    n_outputs: int | None,
    weights: Array | None = None,
) -> Array:
    from sklearn.base import clone

    if task == "regression":
        columns = as_matrix(y).T
        return np.stack(
            [clone(model).fit(x, column, sample_weight=weights).predict(x_test) for column in columns], 1
        )
    if task == "multiclass":
        model.fit(x, y.reshape(-1), sample_weight=weights)
        scores = np.zeros((len(x_test), n_outputs or 0))
        # A class that no training row has gets no probability.
        scores[:, model.classes_.astype(np.int64)] = model.predict_proba(x_test)
        return scores
    outputs = []
    for column in as_matrix(y).T:
        if column.min() == column.max():
            outputs.append(np.full(len(x_test), column[0]))
        else:
            outputs.append(clone(model).fit(x, column, sample_weight=weights).predict_proba(x_test)[:, 1])
    return np.stack(outputs, 1)


def compare_with_constant(network: Mapping[str, Metric]) -> list[str]:
    """Return a sentence for each primary metric on which the network is no better than the best constant prediction.

    Args:
        network: its metrics by name.
    """
    return [
        f"The network is no better than a constant: {name} {own} against {own.base_rate:.4f}."
        for name in PRIMARY_METRICS
        if (own := network.get(name)) and own.base_rate is not None and not own.beats(own.base_rate)
    ]


def compare_with_baselines(
    task: Task,
    targets: Any,
    scores: Any,
    baselines: Mapping[str, Array],
    *,
    threshold: float = 0.5,
    seed: int = 0,
    n_bootstrap: int = 1000,
    weights: Any = None,
) -> list[str]:
    """Return a sentence for each baseline and primary metric on which the network loses to it.

    It loses where the 95 % interval of the difference on the same rows leaves 0 out; without resamples nothing is said.

    Args:
        task: what the targets are.
        targets: (n,) classes, or (n, k).
        scores: (n, k) of the network.
        baselines: scores (n, k) by model.
        threshold: of the network's scores of a binary task; that of the baselines is .5.
        seed: of the resamples.
        n_bootstrap: their number.
        weights: (n,) how much each row counts; None: all the same.
    """
    sentences: list[str] = []
    if n_bootstrap == 0:
        return sentences
    network = compute_metrics(task, targets, scores, threshold=threshold, n_bootstrap=0, weights=weights)
    for model, given in baselines.items():
        metrics = compute_metrics(task, targets, given, n_bootstrap=0, weights=weights)
        for name in PRIMARY_METRICS:
            if name not in network or name not in metrics or not metrics[name].beats(network[name].value):
                continue
            difference, low, high = paired_difference(
                task, targets, scores, given, name,
                thresholds=(threshold, 0.5), seed=seed, n_bootstrap=n_bootstrap, weights=weights,
            )  # fmt: skip
            if low > 0 or high < 0:
                nearer, farther = sorted((abs(low), abs(high)))
                sentences.append(
                    f"The network loses to {model}: {name} {network[name]} against {metrics[name]}, a difference of "
                    f"{abs(difference):.4f} [{nearer:.4f}, {farther:.4f}] on the same rows."
                )
    return sentences
