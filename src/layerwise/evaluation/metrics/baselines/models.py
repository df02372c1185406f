"""Baselines on the same rows as the network: linear models, a forest, gradient boosting, nearest neighbors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from layerwise.data import Task, TensorData
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix
from layerwise.evaluation.metrics.comparison import paired_difference
from layerwise.evaluation.metrics.supervised import Metric, compute_metrics
from layerwise.models import fit_models, model_scores
from layerwise.utils import derive_seed

Family = Literal["linear", "ridge", "forest", "boosting", "neighbors"]

# The metrics on which a network is compared with its baselines.
PRIMARY_METRICS = ("error", "roc_auc", "rmse")
# However sure a difference is: below this fraction of the baseline's own loss (1 - AUC, error, RMSE) it matters little.
MARGIN = 0.02
# A tree of the forest sees so many rows at most, drawn anew for each.
ROWS_A_TREE = 20_000
# Of more training rows boosting is better than a forest, and is grown in a fraction of the time.
FOREST_ROWS = 200_000
# Neighbors are a few images alike; more of them mix classes.
N_NEIGHBORS = 3
# Products that nearest neighbors may take, some half a minute's work.
NEIGHBORS_WORK = 1e12
# Boosting grows a hundred trees for each class or output, and each leaf of a forest holds a number for each.
TREES_OUTPUTS, TREES_WORK = 50, 5e6


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

    Models of scikit-learn, most with its defaults: `linear` is logistic regression (linear for regression), `ridge`
    the same with a penalty that leave-one-out errors choose for regression, `forest` 100 trees with at least 3 rows
    a leaf (for regression on 1/3 of the columns each), `boosting` histogram gradient boosting, `neighbors` 3 neighbors
    weighted by nearness. Multilabel and several regression outputs have one model a column.

    Args:
        training: the rows the network learns from.
        test: the rows it is measured on.
        task: what the targets are.
        n_outputs: the number of classes; by default the highest class in either set plus one.
        families: which; `boosting` takes minutes for images.
        seed: of the forest and the boosting.

    Returns:
        Scores by the models' names: "logistic regression", "linear regression", "ridge regression", "random forest",
        "gradient boosting", "nearest neighbors".
    """
    if training.targets is None or test.targets is None:
        raise ValueError("baselines need targets in the training rows and in the test rows")
    x, y = as_array(training.inputs), as_array(training.targets)
    x_test = as_array(test.inputs)
    if task == "multiclass" and n_outputs is None:
        n_outputs = int(max(y.max(), as_array(test.targets).max())) + 1
    columns = [y.reshape(-1)] if task == "multiclass" else list(as_matrix(y).T)
    weights = None if training.weights is None else as_array(training.weights)
    found = {}
    for name, model in (baseline_model(family, task, seed, len(x)) for family in families):
        fitted = fit_models(model, task, x, columns, weights)
        found[name] = model_scores(fitted, task, x_test, n_outputs or 0)
    return found


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


def baseline_model(family: Family, task: Task, seed: int, n_rows: int) -> tuple[str, Any]:
    """Return a baseline's name and its model of scikit-learn, not fitted.

    Args:
        family: which.
        task: what the targets are.
        seed: of the forest and the boosting.
        n_rows: that it will be fitted on.
    """
    from sklearn import ensemble, linear_model, neighbors

    random_state = derive_seed(seed, "baselines") % 2**32
    regression = task == "regression"
    if family == "boosting":
        boosting = (
            ensemble.HistGradientBoostingRegressor if regression else ensemble.HistGradientBoostingClassifier
        )
        return "gradient boosting", boosting(random_state=random_state)
    if family == "forest":
        options: dict[str, Any] = {
            "min_samples_leaf": 3,
            "max_features": 1 / 3 if regression else "sqrt",
            "max_samples": min(n_rows, ROWS_A_TREE),
            "random_state": random_state,
        }
        forest = ensemble.RandomForestRegressor if regression else ensemble.RandomForestClassifier
        return "random forest", forest(**options)
    if family == "neighbors":
        options = {"n_neighbors": min(N_NEIGHBORS, n_rows), "weights": "distance"}
        kind = neighbors.KNeighborsRegressor if regression else neighbors.KNeighborsClassifier
        return "nearest neighbors", kind(**options)
    if family not in ("linear", "ridge"):
        raise ValueError(f"unknown family '{family}'; known: {', '.join(sorted(get_args(Family)))}")
    if not regression:
        return "logistic regression", linear_model.LogisticRegression(max_iter=2000)
    if family == "linear":
        return "linear regression", linear_model.LinearRegression()
    return "ridge regression", linear_model.RidgeCV(alphas=np.logspace(-3, 4, 15))


def usual_families(
    task: Task,
    *,
    images: bool = False,
    n_products: float = 0.0,
    n_rows: int = 0,
    n_outputs: int = 1,
    all_of_them: bool = False,
) -> tuple[Family, ...]:
    """Return the baselines that are worth their time for these rows, the cheapest first.

    Args:
        task: what the targets are.
        images: whether the rows are images, whose nearest neighbors are hard to beat and quick.
        n_products: training rows times test rows times inputs, of which nearest neighbors take each.
        n_rows: training rows; of more than 200,000 no forest is grown.
        n_outputs: classes or outputs; for more than 50, or more than 5,000,000 with the rows, no trees are grown.
        all_of_them: also those that take minutes on images or on many classes.
    """
    linear: Family = "ridge" if task == "regression" else "linear"
    near: tuple[Family, ...] = ("neighbors",) if images and n_products <= NEIGHBORS_WORK else ()
    if images and not all_of_them:
        return near
    if not (all_of_them or trees_pay(n_rows, n_outputs)):
        return (linear,)
    if images:
        return (linear, *near, "boosting")
    has_forest = all_of_them or n_rows <= FOREST_ROWS
    return (linear, "forest", "boosting") if has_forest else (linear, "boosting")


def trees_pay(n_rows: int, n_outputs: int) -> bool:
    """Return whether trees for so many classes or outputs, each grown on so many rows, take no more than minutes."""
    return n_outputs <= TREES_OUTPUTS and n_rows * n_outputs <= TREES_WORK


def compare_with_constant(network: Mapping[str, Metric]) -> list[str]:
    """Return a sentence for each primary metric on which the network is no better than the best constant prediction.

    A difference that its interval does not separate from the constant is none.

    Args:
        network: its metrics by name.
    """
    sentences = []
    for name in PRIMARY_METRICS:
        own = network.get(name)
        if own is None or own.base_rate is None:
            continue
        if not own.beats(own.base_rate):
            sentences.append(
                f"The network is no better than a constant: {name} {own} against {own.base_rate:.4f}."
            )
        elif own.low is not None and own.high is not None and own.low <= own.base_rate <= own.high:
            sentences.append(
                f"The network may be no better than a constant: {name} {own} against {own.base_rate:.4f}, which lies "
                "within the interval."
            )
    return sentences


def compare_with_baselines(
    task: Task,
    targets: Any,
    scores: Any,
    baselines: Mapping[str, Array],
    *,
    threshold: float = 0.5,
    seed: int = 0,
    n_bootstrap: int = 1000,
    margin: float = MARGIN,
    weights: Any = None,
) -> list[str]:
    """Return a sentence for each baseline and primary metric on which the network loses to it.

    It loses where the interval of the difference on the same rows lies wholly beyond a margin. The interval's level is
    1 - .05 divided by the number of comparisons, so that at most one run in twenty speaks of an equally good model.
    Without resamples nothing is said.

    Args:
        task: what the targets are.
        targets: (n,) classes, or (n, k).
        scores: (n, k) of the network.
        baselines: scores (n, k) by model.
        threshold: of the network's scores of a binary task; that of the baselines is .5.
        seed: of the resamples.
        n_bootstrap: their number.
        margin: what no loss is yet, as a fraction of the baseline's own loss: 1 - AUC, error or RMSE.
        weights: (n,) how much each row counts; None: all the same.
    """
    if n_bootstrap == 0:
        return []
    network = compute_metrics(task, targets, scores, threshold=threshold, n_bootstrap=0, weights=weights)
    others = {
        model: compute_metrics(task, targets, given, n_bootstrap=0, weights=weights)
        for model, given in baselines.items()
    }
    pairs = [
        (model, name)
        for model, metrics in others.items()
        for name in PRIMARY_METRICS
        if name in network and name in metrics
    ]
    sentences: list[str] = []
    for model, name in pairs:
        own, other = network[name], others[model][name]
        if not other.beats(own.value):
            continue
        difference, low, high = paired_difference(
            task, targets, scores, baselines[model], name,
            thresholds=(threshold, 0.5), seed=seed, n_bootstrap=n_bootstrap, level=1 - 0.05 / len(pairs),
            weights=weights,
        )  # fmt: skip
        nearer, farther = (low, high) if difference > 0 else (-high, -low)
        if nearer > margin * (1 - other.value if other.better == "higher" else other.value):
            sentences.append(
                f"The network loses to {model}: {name} {own} against {other}, a difference of "
                f"{abs(difference):.4f} [{nearer:.4f}, {farther:.4f}] on the same rows."
            )
    return sentences
