"""Deep belief networks as scikit-learn's classifier and regressor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

from layerwise.data import ImageShape
from layerwise.estimators.base import NetworkClassifierMixin, NetworkEstimator, NetworkRegressorMixin
from layerwise.estimators.settings import settings_under
from layerwise.parameters import DBNSettings
from layerwise.parameters.sizing import size_pretrained_dbn, size_stack_finetuning
from layerwise.training.rbm import PretrainingSettings, pretrain_new_dbn
from layerwise.training.supervised import FinetuningSettings, fit_network, new_network
from layerwise.utils import Config


@dataclass(eq=False, repr=False)
class DBNEstimator(NetworkEstimator):
    """What the classifier and the regressor share: the arguments, and how the network learns."""

    arguments: ClassVar[Mapping[str, str]] = {
        "hidden_sizes": "dbn.hidden_sizes",
        "pretraining_epochs": "pretraining.epochs",
        "pretraining_batch_size": "pretraining.batch_size",
        **settings_under("pretraining", "visible", "steps", "freeze"),
        **settings_under("finetuning", "loss", "dropout", "optimizer", "learning_rate"),
        **settings_under("finetuning", "epochs", "batch_size", "patience"),
    }
    models: ClassVar[Mapping[str, type[Config]]] = {
        "dbn": DBNSettings,
        "pretraining": PretrainingSettings,
        "finetuning": FinetuningSettings,
    }

    hidden_sizes: Any = None
    _: KW_ONLY
    visible: str = "auto"
    pretraining_epochs: Any = None
    pretraining_batch_size: int | None = None
    steps: int = 1
    freeze: bool = False
    loss: str = "auto"
    dropout: Any = None
    optimizer: str | None = None
    learning_rate: float | None = None
    epochs: int | None = None
    batch_size: Any = None
    patience: int | None = None
    validation_fraction: float = 0.1
    image_shape: ImageShape | None = None
    settings: dict[str, Any] | None = None
    random_state: Any = None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Pretrain a stack of RBMs on the rows, and fine-tune the network that it becomes on their targets.

        Args:
            X: (n, features) an array of numbers, or a DataFrame of any columns.
            y: (n,) the targets; a regression also has (n, targets), and a classifier (n, labels) of 0 and 1.
            sample_weight: (n,) how much each row counts in fine-tuning.

        Raises:
            ParameterError: an argument has a wrong value, or another one leaves it without a use.
            DataError: the rows cannot be used as they are.
        """
        rows = self._fit_rows(X, y, sample_weight)
        of = rows.columns, rows.training, rows.training
        given = (self._settings[key] for key in ("dbn", "finetuning", "pretraining"))
        dbn, pretraining = size_pretrained_dbn(*of, *given)
        finetuning = size_stack_finetuning(*of, self._settings["finetuning"])
        parts = rows.training, rows.validation, rows.columns
        stack, _ = pretrain_new_dbn(dbn.hidden_sizes, *parts, pretraining, self._seed, silent=True)
        network = new_network(dbn.layers, rows.columns, finetuning, self._seed)
        stack.copy_to(network)
        progress = fit_network(
            network, *parts, finetuning, self._seed, silent=True, freeze=pretraining.freeze
        )
        return self._keep(network, rows, progress.history)


class DBNClassifier(NetworkClassifierMixin, DBNEstimator):
    """Classify rows by a deep belief network: what the pipeline `dbn` trains (Hinton & Salakhutdinov 2006).

    The hidden layers are pretrained as RBMs on the rows without their labels, and then fine-tuned with them. The
    columns of a DataFrame may be numbers, categories, dates and texts, with empty cells. Numbers are scaled, and have
    Gaussian units; give images their `image_shape`, and their pixels have Bernoulli units.

    Args:
        hidden_sizes: units of each hidden layer; None: by the rows, as the pipelines have it.
        visible: units of the first layer's inputs; "auto" follows from the columns.
        pretraining_epochs: passes over the rows for each RBM, or a list; None: by the rows.
        pretraining_batch_size: rows a step of pretraining; None: by the rows.
        steps: Gibbs steps (the k of CD-k).
        freeze: fine-tune the output layer alone.
        loss: what fine-tuning makes small; "auto" follows from the task.
        dropout: fraction of units dropped at random in fine-tuning.
        optimizer: "adam", "adamw", "sgd", ...; None: by the rows, as `learning_rate`.
        learning_rate: size of the steps of fine-tuning.
        epochs: passes over the rows of fine-tuning at most; None: by the rows.
        batch_size: rows a step of fine-tuning, or "all"; None: by the rows.
        patience: epochs without a gain on held-out rows before early stopping.
        validation_fraction: of the rows, held out to choose the best epoch.
        image_shape: of rows that are images, (height, width) or (height, width, 3), with pixels from 0 to 1 or 255.
        settings: all other settings of the pipeline `dbn`, by their names in `conf/`, such as
            `{"pretraining": {"chain": "persistent"}, "finetuning": {"l2": 0.1}}`.
        random_state: an int is the `seed` of the pipelines; a numpy RandomState or None is drawn from.

    Attributes:
        classes_: the classes, sorted; the positions of labels that a row has several of.
        network_: the fine-tuned network.
        history_: one dict of metrics an epoch of fine-tuning.
        model_: the network with its preprocessing, as the pipelines save it.
        n_features_in_: columns of the rows.

    Examples:
        >>> from sklearn.datasets import load_digits
        >>> from layerwise.estimators import DBNClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> dbn = DBNClassifier((64,), pretraining_epochs=10, learning_rate=0.01, image_shape=(8, 8), random_state=0)
        >>> dbn = dbn.set_params(epochs=20)
        >>> dbn.fit(X[:1000] / 16, y[:1000]).score(X[1000:] / 16, y[1000:]) > 0.85
        True
    """


class DBNRegressor(NetworkRegressorMixin, DBNEstimator):
    """Predict numbers by a deep belief network: what the pipeline `dbn` trains.

    The hidden layers are pretrained as RBMs on the rows without their targets, and then fine-tuned with them. Numbers
    and targets are scaled; predictions are in the targets' units. The arguments are those of `DBNClassifier`; a network
    of images has no regression, so `image_shape` stays None.

    Attributes:
        network_: the fine-tuned network.
        history_: one dict of metrics an epoch of fine-tuning.
        model_: the network with its preprocessing, as the pipelines save it.
        n_features_in_: columns of the rows.

    Examples:
        >>> from sklearn.datasets import load_diabetes
        >>> from layerwise.estimators import DBNRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> regressor = DBNRegressor((16, 8), pretraining_epochs=5, epochs=20, random_state=0).fit(X, y)
        >>> regressor.predict(X).shape
        (442,)
    """
