"""What every estimator shares: its settings, its rows, its trained model, and its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d
from torch import nn

from layerwise.data import DataError, PreprocessingSettings, SplitSettings
from layerwise.estimators.rows import FittedRows, Targets, fit_rows, free_name, raw_rows
from layerwise.estimators.settings import typed_settings
from layerwise.inference import (
    ModelManifest,
    ModelParts,
    TrainedModel,
    apply_in_blocks,
    load_trained_model,
    save_trained_model,
)
from layerwise.utils import Config, atomic_write

ESTIMATOR_FILE = "estimator.json"


class NetworkEstimator(BaseEstimator):
    """An estimator whose rows are preprocessed as the pipelines do, and whose network is a model as they save it.

    A subclass names its arguments and the settings models of its keys, and has a `fit` that calls the functions which
    the pipelines call.
    """

    arguments: ClassVar[Mapping[str, str]] = {}
    models: ClassVar[Mapping[str, type[Config]]] = {}
    model_: TrainedModel
    history_: list[dict[str, float]]

    @property
    def network_(self) -> Any:
        """The trained network, a torch module."""
        check_is_fitted(self, "model_")
        return self.model_.network

    @property
    def n_iter_(self) -> int:
        """The epochs that the network learnt for."""
        check_is_fitted(self, "model_")
        return len(self.history_)

    def save(self, folder: str | Path) -> Path:
        """Write the fitted estimator to a folder: safetensors and JSON, no pickle.

        The folder is also a model as the pipelines save it, so that `layerwise.load`, `kedro serve` and
        `predict.model` read it. A `random_state` that is no number is kept as None.
        """
        check_is_fitted(self, "model_")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        parameters = self.get_params(deep=False)
        if isinstance(parameters.get("random_state"), np.random.RandomState):
            parameters["random_state"] = None
        fitted = {
            name: value for name, value in vars(self).items() if name.endswith("_") and name != "model_"
        }
        content = {
            "estimator": type(self).__name__,
            "parameters": _plain(parameters),
            "fitted": _plain(fitted),
        }
        with atomic_write(folder / ESTIMATOR_FILE) as part:
            part.write_text(json.dumps(content, indent=1))
        model = self.model_
        save_trained_model(folder, model.network, model.preprocessor, model.manifest, parts=model.parts)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return the fitted estimator that `save` wrote.

        Raises:
            ModelError: the folder's files are not those that were saved.
            DataError: it holds another estimator.
        """
        model = load_trained_model(folder)
        path = Path(folder) / ESTIMATOR_FILE
        content: dict[str, Any] = {"estimator": "no estimator"}
        if path.is_file():
            content = json.loads(path.read_text())
        if content["estimator"] != cls.__name__:
            raise DataError(f"{folder} holds {content['estimator']}, not {cls.__name__}")
        found = cls(**{name: _unplain(value) for name, value in content["parameters"].items()})
        for name, value in content["fitted"].items():
            setattr(found, name, _unplain(value))
        found.model_ = model
        return found

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a trained model."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = getattr(self, "image_shape", None) is None
        return tags

    def _fit_rows(self, X: Any, y: Any = None, sample_weight: Any = None) -> FittedRows:
        """Check the arguments, and return the rows as a network takes them; `_settings` and `_seed` are set."""
        raw = self._raw(X, reset=True)
        if y is None and get_tags(self).target_tags.required:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        targets = self._targets(raw, y)
        arguments = {**self.arguments, "validation_fraction": "split.validation_fraction"}
        models: dict[str, type[Config]] = {
            **self.models,
            "split": SplitSettings,
            "preprocessing": PreprocessingSettings,
        }
        self._settings: dict[str, Any] = typed_settings(self, arguments, models)
        self._seed = self.random_state
        if not isinstance(self._seed, int | np.integer):
            self._seed = check_random_state(self.random_state).randint(2**31 - 1)
        self._seed = int(self._seed)
        settings = self._settings["preprocessing"], self._settings["split"]
        rows = fit_rows(raw, targets, sample_weight, *settings, self._seed)
        for key, own in self._settings.items():
            # As scikit-learn has it, a batch is all rows where there are fewer.
            if isinstance(getattr(own, "batch_size", None), int):
                size = min(own.batch_size, len(rows.training))
                self._settings[key] = own.model_copy(update={"batch_size": size})
        return rows

    def _targets(self, X: Any, y: Any) -> Targets | None:
        """Return what the rows of `raw_rows` are learnt to predict; a supervised estimator says it."""
        return None

    def _raw(self, X: Any, *, reset: bool = False) -> Any:
        if not reset:
            check_is_fitted(self, "model_")
        return raw_rows(self, X, reset=reset, image_shape=getattr(self, "image_shape", None))

    def _keep(
        self, network: nn.Module, rows: FittedRows, history: Any, parts: ModelParts | None = None
    ) -> Self:
        """Keep the trained network as a model of these rows."""
        manifest = ModelManifest(
            problem="estimator", pipeline=type(self).__name__, layerwise_version=version("layerwise")
        )
        self.model_ = TrainedModel(network.eval(), rows.preprocessor, manifest, parts=parts or ModelParts())
        self.history_ = list(history)
        return self

    def _scores(self, X: Any) -> np.ndarray:
        """Return what the network predicts of rows, (n, outputs) float64."""
        raw = self._raw(X)
        return self.model_.scores(raw).astype(np.float64)

    def _apply(self, function: Any, X: Any) -> np.ndarray:
        """Return what a function of inputs gives for rows, the same bits for a row among any others."""
        raw = self._raw(X)
        return apply_in_blocks(function, self.model_.inputs(raw), self.model_.device).numpy()


class NetworkClassifierMixin(ClassifierMixin):
    """Predict classes by a network's probabilities."""

    classes_: np.ndarray

    def predict_proba(self: Any, X: Any) -> np.ndarray:
        """Return the probability of each class, or label, (n, classes) float64, in the order of `classes_`."""
        scores = self._scores(X)
        if self.model_.columns.task == "multilabel":
            return scores
        if len(self.classes_) == 2:
            return np.column_stack([1 - scores[:, 0], scores[:, 0]])
        found: np.ndarray = scores / scores.sum(1, keepdims=True)
        return found

    def predict(self: Any, X: Any) -> np.ndarray:
        """Return the class of each row, (n,), or 0 and 1 for each label, (n, labels)."""
        probabilities = self.predict_proba(X)
        if self.model_.columns.task == "multilabel":
            return (probabilities >= 0.5).astype(int)
        return self.classes_[probabilities.argmax(1)]

    def __sklearn_tags__(self: Any) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _targets(self: Any, X: Any, y: Any) -> Targets:
        """Return the labels as what a network learns, and set `classes_`."""
        if type_of_target(y, input_name="y").endswith(("-indicator", "-multioutput")):
            return self._several_labels(X, y)
        values = column_or_1d(y, warn=True)
        check_classification_targets(values)
        check_consistent_length(X, values)
        self.classes_ = np.unique(values)
        if len(self.classes_) < 2:
            raise DataError(f"y has one class only ({self.classes_[0]}): there is nothing to learn")
        task: Any = "binary" if len(self.classes_) == 2 else "multiclass"
        return Targets(task, values, self.classes_, _target_names(X, y, 1, "label"))

    def _several_labels(self: Any, X: Any, y: Any) -> Targets:
        if self.image_shape is not None:
            raise DataError(
                "image_shape is for one class a row: a network of images has no labels beside each other"
            )
        values = check_array(y, accept_sparse="csr", dtype=None, input_name="y")
        if type_of_target(y) != "multilabel-indicator":
            raise DataError(
                f"y has {values.shape[1]} columns, which have to hold 0 and 1 alone; for columns of other classes fit "
                "a network for each (sklearn.multioutput.MultiOutputClassifier)"
            )
        check_consistent_length(X, values)
        values = (values.toarray() if issparse(values) else values).astype(np.int64)
        self.classes_ = np.arange(values.shape[1])
        return Targets("multilabel", values, None, _target_names(X, y, values.shape[1], "label"))


class NetworkRegressorMixin(RegressorMixin):
    """Predict numbers by a network's outputs."""

    def predict(self: Any, X: Any) -> np.ndarray:
        """Return the predictions in the units of y, (n,) or (n, targets) float64."""
        scores = self._scores(X)
        values = self.model_.columns.raw_targets(scores)
        return values[:, 0] if self.one_target_ else values

    def __sklearn_tags__(self: Any) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags

    def _targets(self: Any, X: Any, y: Any) -> Targets:
        """Return the numbers as what a network learns, and set `one_target_`."""
        if getattr(self, "image_shape", None) is not None:
            raise DataError("image_shape is for classes: a network of images has no regression")
        values = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        check_consistent_length(X, values)
        if values.ndim == 2 and values.shape[1] == 1 and not hasattr(y, "columns"):
            values = column_or_1d(values, warn=True)
        self.one_target_ = values.ndim == 1
        n_targets = 1 if self.one_target_ else values.shape[1]
        return Targets("regression", values, None, _target_names(X, y, n_targets, "target"))


def _target_names(X: Any, y: Any, n: int, name: str) -> tuple[str, ...]:
    """Return the names of n targets: those that y has, or the given one, numbered where there are several."""
    given = getattr(y, "columns", None)
    names = list(given) if given is not None else [getattr(y, "name", None) or name]
    if len(names) != n:
        names = [f"{name}_{k}" for k in range(n)]
    columns = list(getattr(X, "columns", ()))
    return tuple(free_name(str(each), columns) for each in names)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; arrays and tuples are said to be such."""
    if isinstance(value, np.ndarray):
        kind = "str" if value.dtype.kind in "OU" else str(value.dtype)
        return {"array": value.tolist(), "dtype": kind if value.dtype.kind != "O" else "object"}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return {"tuple": [_plain(each) for each in value]}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _unplain(value: Any) -> Any:
    """Return the value that `_plain` made one of JSON."""
    if isinstance(value, dict) and set(value) == {"tuple"}:
        return tuple(_unplain(each) for each in value["tuple"])
    if isinstance(value, dict) and set(value) == {"array", "dtype"}:
        return np.array(value["array"], dtype=value["dtype"])
    if isinstance(value, dict):
        return {name: _unplain(each) for name, each in value.items()}
    return [_unplain(each) for each in value] if isinstance(value, list) else value
