"""Linear probe: how much a linear model makes of features."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix
from layerwise.evaluation.metrics.supervised import Metric, compute_metrics

INVERSE_STRENGTHS = (0.01, 0.1, 1.0)


def linear_probe(
    task: Task,
    training: tuple[Any, Any],
    validation: tuple[Any, Any],
    test: tuple[Any, Any],
    *,
    n_outputs: int,
    seed: int = 0,
    n_bootstrap: int = 1000,
) -> dict[str, Metric]:
    """Fit logistic regression (ridge for a regression) and measure it on the test rows.

    The inverse strength of the penalty is chosen on the validation rows, and the features keep their scale.

    Args:
        task: what the targets are.
        training, validation, test: features (n, d) and targets each.
        n_outputs: classes, or columns.
        seed: of the resamples.
        n_bootstrap: resamples for the intervals.
    """
    best, scores = np.inf, np.zeros((0, 0))
    for inverse_strength in INVERSE_STRENGTHS:
        model = _Linear(task, inverse_strength, n_outputs).fit(*training)
        loss = _loss(task, as_array(validation[1]), model.scores(validation[0]))
        if loss < best:
            best, scores = loss, model.scores(test[0])
    return compute_metrics(task, test[1], scores, seed=seed, n_bootstrap=n_bootstrap)


class _Linear:
    """One linear model, or one a column for multilabel tasks."""

    def __init__(self, task: Task, inverse_strength: float, n_outputs: int) -> None:
        self.task, self.inverse_strength, self.n_outputs = task, inverse_strength, n_outputs

    def fit(self, features: Any, targets: Any) -> _Linear:
        from sklearn.linear_model import LogisticRegression, Ridge

        x, y = as_array(features), as_array(targets)
        if self.task == "regression":
            self.models = [Ridge(1 / self.inverse_strength).fit(x, as_matrix(y))]
        elif self.task == "multiclass":
            self.models = [LogisticRegression(C=self.inverse_strength, max_iter=300).fit(x, y.reshape(-1))]
        else:
            columns = as_matrix(y).T
            self.models = [
                LogisticRegression(C=self.inverse_strength, max_iter=300).fit(x, column)
                if np.ptp(column)
                else column[0]
                for column in columns
            ]
        return self

    def scores(self, features: Any) -> Array:
        x = as_array(features)
        if self.task == "regression":
            return self.models[0].predict(x).reshape(len(x), -1)
        if self.task == "multiclass":
            scores = np.zeros((len(x), self.n_outputs))
            scores[:, self.models[0].classes_.astype(np.int64)] = self.models[0].predict_proba(x)
            return scores
        columns = [
            model.predict_proba(x)[:, 1] if hasattr(model, "predict_proba") else np.full(len(x), model)
            for model in self.models
        ]
        return np.stack(columns, 1)


def _loss(task: Task, targets: Array, scores: Array) -> float:
    name = "rmse" if task == "regression" else "log_loss"
    return compute_metrics(task, targets, scores, n_bootstrap=0)[name].value
