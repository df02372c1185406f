"""Linear probe: how much a linear model makes of features."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.data import Task
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix
from layerwise.evaluation.metrics.supervised import Metric, compute_metrics
from layerwise.models import fit_models, model_scores

INVERSE_STRENGTHS = (0.01, 0.1, 1.0)
# Features that keep their scale may take a thousand steps; fewer would make the probe worse than what it measures.
MOST_STEPS = 5000


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
    from sklearn.linear_model import LogisticRegression, Ridge

    x, y = (as_array(each) for each in training)
    if task == "regression":
        columns = [as_matrix(y)]
    else:
        columns = [y.reshape(-1)] if task == "multiclass" else list(as_matrix(y).T)
    best, scores = np.inf, np.zeros((0, 0))
    for strength in INVERSE_STRENGTHS:
        model = (
            Ridge(1 / strength)
            if task == "regression"
            else LogisticRegression(C=strength, max_iter=MOST_STEPS)
        )
        fitted = fit_models(model, task, x, columns)
        loss = _loss(
            task, as_array(validation[1]), model_scores(fitted, task, as_array(validation[0]), n_outputs)
        )
        if loss < best:
            best, scores = loss, model_scores(fitted, task, as_array(test[0]), n_outputs)
    return compute_metrics(task, test[1], scores, seed=seed, n_bootstrap=n_bootstrap)


def _loss(task: Task, targets: Array, scores: Array) -> float:
    name = "rmse" if task == "regression" else "log_loss"
    return compute_metrics(task, targets, scores, n_bootstrap=0)[name].value
