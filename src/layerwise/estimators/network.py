"""Feed-forward networks as scikit-learn's classifier and regressor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

from layerwise.data import ImageShape
from layerwise.estimators.base import NetworkClassifierMixin, NetworkEstimator, NetworkRegressorMixin
from layerwise.estimators.settings import settings_under
from layerwise.parameters.sizing import size_finetuning, size_mlp
from layerwise.training.supervised import FinetuningSettings, MLPSettings, fit_network, new_network
from layerwise.utils import Config


@dataclass(eq=False, repr=False)
class FeedForwardEstimator(NetworkEstimator):
    """What the classifier and the regressor share: the arguments, and how the network learns."""

    arguments: ClassVar[Mapping[str, str]] = {
        **settings_under("mlp", "hidden_sizes", "activation", "ensemble_members", "number_embedding"),
        **settings_under("finetuning", "loss", "dropout", "optimizer", "learning_rate", "weight_decay"),
        **settings_under("finetuning", "epochs", "batch_size", "patience"),
    }
    models: ClassVar[Mapping[str, type[Config]]] = {"mlp": MLPSettings, "finetuning": FinetuningSettings}

    hidden_sizes: Any = None
    _: KW_ONLY
    activation: Any = "relu"
    ensemble_members: int | None = None
    number_embedding: str | None = None
    loss: str = "auto"
    dropout: Any = None
    optimizer: str | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    epochs: int | None = None
    batch_size: Any = None
    patience: int | None = None
    validation_fraction: float = 0.1
    image_shape: ImageShape | None = None
    settings: dict[str, Any] | None = None
    random_state: Any = None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network; it ends with the weights of its best epoch on the rows that are held out.

        Args:
            X: (n, features) an array of numbers, or a DataFrame of any columns.
            y: (n,) the targets; a regression also has (n, targets), and a classifier (n, labels) of 0 and 1.
            sample_weight: (n,) how much each row counts.

        Raises:
            ParameterError: an argument has a wrong value, or another one leaves it without a use.
            DataError: the rows cannot be used as they are.
        """
        rows = self._fit_rows(X, y, sample_weight)
        given = self._settings["finetuning"]
        mlp = size_mlp(rows.columns, rows.training, self._settings["mlp"], given)
        finetuning = size_finetuning(rows.columns, rows.training, rows.training, given)
        network = new_network(mlp, rows.columns, finetuning, self._seed, rows.training)
        parts = rows.training, rows.validation, rows.columns
        progress = fit_network(network, *parts, finetuning, self._seed, silent=True)
        return self._keep(network, rows, progress.history)


class NetworkClassifier(NetworkClassifierMixin, FeedForwardEstimator):
    """Classify rows by a feed-forward network: what the pipeline `mlp` trains.

    The columns of a DataFrame may be numbers, categories, dates and texts, with empty cells. Numbers are scaled; give
    images their `image_shape`.

    Args:
        hidden_sizes: units of each hidden layer; None: by the rows, as the pipelines have it.
        activation: of the hidden layers: one for all, or a list.
        ensemble_members: members of an ensemble that share their weights; None: of a table 8, of 8,000 rows
            and more 4; of images 1.
        number_embedding: "none", "piecewise_linear" or "periodic"; None: by the rows.
        loss: what is made small; "auto" follows from the task.
        dropout: fraction of units dropped at random: one for all hidden layers, or a list.
        optimizer: "adamw", "adam", "sgd", ...; None: by the rows, as `learning_rate` and `weight_decay`.
        learning_rate: size of the steps.
        weight_decay: decoupled decay of the weights.
        epochs: passes over the training rows at most; None: by the rows.
        batch_size: rows a step, or "all"; None: by the rows.
        patience: epochs without a gain on held-out rows before early stopping.
        validation_fraction: of the rows, held out to choose the best epoch.
        image_shape: of rows that are images, (height, width) or (height, width, 3), with pixels from 0 to 1 or 255.
        settings: all other settings of the pipeline `mlp`, by their names in `conf/`, such as
            `{"finetuning": {"l2": 0.1}, "preprocessing": {"scaling": "quantile"}}`.
        random_state: an int is the `seed` of the pipelines; a numpy RandomState or None is drawn from.

    Attributes:
        classes_: the classes, sorted; the positions of labels that a row has several of.
        network_: the trained network.
        history_: one dict of metrics an epoch.
        model_: the network with its preprocessing, as the pipelines save it.
        n_features_in_: columns of the rows.

    Examples:
        >>> from sklearn.datasets import load_iris
        >>> from layerwise.estimators import NetworkClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> classifier = NetworkClassifier((16,), epochs=40, random_state=0).fit(X, y)
        >>> classifier.score(X, y) > 0.9
        True
        >>> classifier.predict_proba(X[:1]).shape
        (1, 3)
    """


class NetworkRegressor(NetworkRegressorMixin, FeedForwardEstimator):
    """Predict numbers by a feed-forward network: what the pipeline `mlp` trains.

    The columns of a DataFrame may be numbers, categories, dates and texts, with empty cells. Numbers and targets are
    scaled; predictions are in the targets' units. The arguments are those of `NetworkClassifier`; a network of images
    has no regression, so `image_shape` stays None.

    Attributes:
        network_: the trained network.
        history_: one dict of metrics an epoch.
        model_: the network with its preprocessing, as the pipelines save it.
        n_features_in_: columns of the rows.

    Examples:
        >>> from sklearn.datasets import load_diabetes
        >>> from layerwise.estimators import NetworkRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> regressor = NetworkRegressor((16,), epochs=20, random_state=0).fit(X, y)
        >>> regressor.score(X, y) > 0.4
        True
    """
