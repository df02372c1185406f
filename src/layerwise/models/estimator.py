"""Models of scikit-learn as a network, so that they go through the same doors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from layerwise.models.kinds import register_network
from layerwise.utils import Config, dump_fitted, load_trusted

# What `layerwise.evaluation.metrics.baseline_model` fits, and what that is made of; nothing else is read.
_BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
TRUSTED = (
    "sklearn.dummy.DummyClassifier",
    "sklearn.linear_model._base.LinearRegression",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.linear_model._ridge.RidgeCV",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._tree.Tree",
    "sklearn.neighbors._classification.KNeighborsClassifier",
    "sklearn.neighbors._regression.KNeighborsRegressor",
    f"{_BOOSTING}.gradient_boosting.HistGradientBoostingClassifier",
    f"{_BOOSTING}.gradient_boosting.HistGradientBoostingRegressor",
    f"{_BOOSTING}.binning._BinMapper",
    f"{_BOOSTING}.predictor.TreePredictor",
    "sklearn.preprocessing._label.LabelEncoder",
    *(f"sklearn._loss.link.{each}" for each in ("IdentityLink", "Interval", "LogitLink", "MultinomialLogit")),
    *(
        f"sklearn._loss.{each}"
        for loss in ("HalfBinomialLoss", "HalfMultinomialLoss", "HalfSquaredError", "PinballLoss")
        for each in (f"loss.{loss}", f"_loss.Cy{loss}")
    ),
    "numpy.random._generator.Generator",
)
# How near to 0 and 1 a probability is kept: a forest has leaves of one class, whose logit would be infinite.
SMALLEST = 1e-6
Task = Literal["binary", "multiclass", "multilabel", "regression"]


class EstimatorConfig(Config):
    """What kind of model it is: its name, its task, and how many bytes it takes.

    Args:
        name: of the model, such as gradient boosting.
        task: of the rows.
        n_inputs: input columns.
        n_outputs: classes, labels or targets; 1 for a binary task.
        n_bytes: of the models as skops writes them.
    """

    kind: Literal["estimator"] = "estimator"
    name: str
    task: Task
    n_inputs: int
    n_outputs: int
    n_bytes: int


@register_network(EstimatorConfig)
class EstimatorNetwork(nn.Module):
    """Fitted models of scikit-learn behind a network's `forward`.

    They are kept in the network's state as the bytes that skops writes, which hold no code: a type that is not in
    `TRUSTED` is refused when they are read. One model has all classes; labels and several targets have a model each.

    Args:
        config: what they are.
        estimators: the models; None makes a place for their bytes, to be loaded.
    """

    skops: Tensor

    def __init__(self, config: EstimatorConfig, estimators: Sequence[Any] | None = None) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("skops", torch.zeros(config.n_bytes, dtype=torch.uint8))
        # Whoever asks a network for its device looks at its parameters.
        self.device_of_rows = nn.Parameter(torch.zeros(0), requires_grad=False)
        self._estimators = None if estimators is None else list(estimators)

    @property
    def estimators(self) -> list[Any]:
        """The models, read when they are first asked for.

        Raises:
            ValueError: the bytes hold a type that is not trusted.
        """
        if self._estimators is None:
            content = self.skops.cpu().numpy().tobytes()
            try:
                self._estimators = list(load_trusted(content, TRUSTED))
            except ValueError as error:
                raise ValueError(f"the model {error}") from error
        return self._estimators

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (classification) or values (regression), shape (rows, n_outputs)."""
        task = self.config.task
        found = model_scores(self.estimators, task, x.detach().cpu().numpy(), self.config.n_outputs)
        if task == "multiclass":
            found = np.log(found.clip(SMALLEST, 1))
        elif task != "regression":
            chances = found.clip(SMALLEST, 1 - SMALLEST)
            found = np.log(chances) - np.log1p(-chances)
        return torch.from_numpy(found).to(x)


def fit_estimator(
    model: Any | Sequence[Any],
    name: str,
    task: Task,
    inputs: Tensor,
    targets: Tensor,
    n_outputs: int,
    weights: Tensor | None = None,
) -> EstimatorNetwork:
    """Return a model of scikit-learn, fitted on rows, as a network.

    Args:
        model: not fitted; it is cloned for each label or target. Of several, for a regression, the first predicts all
            targets, then the next.
        name: of the model.
        task: what the targets are.
        inputs: (n, d).
        targets: (n,) classes for multiclass, else (n, k).
        n_outputs: classes of a multiclass task, else k for each model.
        weights: (n,) how much each row counts; None: all the same.
    """
    x, y = inputs.cpu().numpy(), targets.cpu().numpy()
    own = None if weights is None else weights.cpu().numpy()
    columns = [y.reshape(-1)] if task == "multiclass" else list(y.reshape(len(y), -1).T)
    models = model if isinstance(model, Sequence) else [model]
    fitted = [each for one in models for each in fit_models(one, task, x, columns, own)]
    content = dump_fitted(fitted)
    config = EstimatorConfig(
        name=name, task=task, n_inputs=x.shape[1], n_outputs=n_outputs, n_bytes=len(content)
    )
    network = EstimatorNetwork(config, fitted)
    network.skops.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    return network.eval()


def fit_models(
    model: Any, task: str, x: np.ndarray, columns: Sequence[np.ndarray], weights: np.ndarray | None = None
) -> list[Any]:
    """Return a model of scikit-learn fitted on rows, a clone for each column; one that says the class where it is one.

    Args:
        model: not fitted.
        task: what the targets are.
        x: (n, d).
        columns: (n,) each: the classes of a multiclass task, or each label or target.
        weights: (n,) how much each row counts, for a model that reads it; None: all the same.
    """
    from joblib import parallel_config
    from sklearn.base import clone
    from sklearn.dummy import DummyClassifier
    from sklearn.utils.validation import has_fit_parameter

    fitted = []
    for column in columns:
        constant = task != "regression" and column.min() == column.max()
        fresh = DummyClassifier(strategy="most_frequent") if constant else clone(model)
        # Neighbors are the nearest rows, however much these count.
        weighted = {"sample_weight": weights} if has_fit_parameter(fresh, "sample_weight") else {}
        # The trees of a forest in threads, which are the same trees; answers added up in threads would be no same bits.
        with parallel_config(backend="threading", n_jobs=torch.get_num_threads()):
            fitted.append(fresh.fit(x, column, **weighted))
    return fitted


def model_scores(models: Sequence[Any], task: str, x: np.ndarray, n_outputs: int) -> np.ndarray:
    """Return the probabilities, or values of a regression, that models of `fit_models` give rows, (n, n_outputs)."""
    if task == "regression":
        return np.column_stack([each.predict(x) for each in models])
    if task != "multiclass":
        return np.stack([_chance_of_1(each, x) for each in models], 1)
    (model,) = models
    # A class that no training row had gets no probability.
    scores = np.zeros((len(x), n_outputs))
    scores[:, model.classes_.astype(np.int64)] = model.predict_proba(x)
    return scores


def _chance_of_1(model: Any, rows: np.ndarray) -> np.ndarray:
    probabilities, classes = model.predict_proba(rows), list(model.classes_)
    return probabilities[:, classes.index(1)] if 1 in classes else np.zeros(len(rows))
