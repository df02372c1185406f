"""Fit a model of scikit-learn on the labelled rows."""

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import Family, baseline_model
from layerwise.models import EstimatorNetwork, fit_estimator


def fit_linear(labelled: TensorData, columns: DataSpec, seed: int) -> EstimatorNetwork:
    """Fit a logistic regression, or a ridge regression whose penalty leave-one-out errors choose."""
    return _fit("ridge" if columns.task == "regression" else "linear", labelled, columns, seed)


def fit_forest(labelled: TensorData, columns: DataSpec, seed: int) -> EstimatorNetwork:
    """Fit a random forest."""
    return _fit("forest", labelled, columns, seed)


def fit_boosting(labelled: TensorData, columns: DataSpec, seed: int) -> EstimatorNetwork:
    """Fit histogram gradient boosting."""
    return _fit("boosting", labelled, columns, seed)


def _fit(family: Family, labelled: TensorData, columns: DataSpec, seed: int) -> EstimatorNetwork:
    name, model = baseline_model(family, columns.task, seed, len(labelled))
    assert labelled.targets is not None
    assert columns.task != "ratings"
    assert columns.task != "documents"
    return fit_estimator(
        model,
        name,
        columns.task,
        labelled.inputs,
        labelled.targets,
        columns.n_outputs,
        labelled.weights,
    )
