"""A restricted Boltzmann machine as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from pydantic import ValidationError
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from layerwise.data import SparseTensorData, TensorData
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.estimators.rbm_folder import load_state, save_state
from layerwise.estimators.rbm_rows import fit_table, needs_preprocessing
from layerwise.estimators.rows import raw_rows
from layerwise.estimators.settings import describe_errors
from layerwise.evaluation.likelihood import sample_rows
from layerwise.models.rbm import RBM, RBMConfig, log_pseudo_likelihood
from layerwise.parameters import ParameterError
from layerwise.training import fit
from layerwise.training.rbm import (
    ContrastiveDivergence,
    ContrastiveDivergenceSettings,
    RBMTrainingSettings,
    require_useful_settings,
)
from layerwise.utils import nearest

# The estimator's own arguments, by the setting that each of them is.
ARGUMENTS = {
    "n_hidden": "n_components",
    "visible": "visible",
    "learning_rate": "learning_rate",
    "epochs": "n_iter",
    "batch_size": "batch_size",
    "steps": "steps",
    "chain": "chain",
    "centered": "centered",
    "weight_decay": "weight_decay",
}
SHAPE = ("hidden", "hidden_group_size", "learn_variance")
MORE_SETTINGS = tuple(sorted({*ContrastiveDivergenceSettings.model_fields, *SHAPE}.difference(ARGUMENTS)))
# Rows, or columns of sparse rows, that are dense at a time.
AT_A_TIME = 1000

Rows = TensorData | SparseTensorData


@dataclass(eq=False, repr=False)
class RBMTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learn features of rows without labels: their mean hidden activations.

    Rows are dense or sparse; sparse ones are made dense a batch at a time. A DataFrame with a column that is no number
    (a category, a date, a text) goes through the preprocessing of the pipelines; other rows are taken as they are.

    Args:
        n_components: hidden units.
        visible: "gaussian" for any numbers (standardise them first), "bernoulli" for values from 0 to 1.
        learning_rate: step size of the gradient's mean over a batch; 0.1 suits Bernoulli units.
        n_iter: passes over the rows in `fit`.
        batch_size: rows in a batch; all rows if there are fewer.
        steps: Gibbs steps (the k of CD-k).
        chain: "data" for contrastive divergence, "persistent" or "tempered" for chains of its own.
        centered: whether gradients are centred; None: those of Gaussian units.
        weight_decay: of the weights alone.
        preprocess: whether the rows are preprocessed; None: those of a DataFrame with a column that is no number.
        settings: any other setting of `ContrastiveDivergenceSettings`, and `hidden`, `hidden_group_size` and
            `learn_variance` of `RBMTrainingSettings`, by name; `preprocessing`, a dict of `PreprocessingSettings`.
        random_state: an int, a numpy RandomState or None.

    Attributes:
        rbm_: the trained RBM.
        preprocessor_: fitted on the rows of `fit` or of the first `partial_fit`; None where they are taken as they are.
        components_: (n_components, visible units) the weights; a visible unit is a column of rows as they are.
        history_: one dict of metrics an epoch of `fit`.

    Examples:
        >>> from layerwise.estimators import RBMTransformer
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.pipeline import make_pipeline
        >>> X, y = load_digits(return_X_y=True)
        >>> rbm = RBMTransformer(64, visible="bernoulli", learning_rate=0.1, random_state=0)
        >>> make_pipeline(rbm, LogisticRegression(max_iter=500)).fit(X / 16, y).score(X / 16, y) > 0.9
        True
    """

    n_components: int = 100
    _: KW_ONLY
    visible: str = "gaussian"
    learning_rate: float = 0.03
    n_iter: int = 10
    batch_size: int = 100
    steps: int = 1
    chain: str = "data"
    centered: bool | None = None
    weight_decay: float = 2e-4
    preprocess: bool | None = None
    settings: dict[str, Any] | None = None
    random_state: Any = None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a new RBM on the rows (n, features); y is not read.

        Raises:
            ParameterError: an argument has a wrong value, or another one leaves it without a use.
            UnitsError: the units are Bernoulli and a value lies outside [0, 1].
        """
        rows = self._rows(X, reset=True)
        settings = self._initialize(rows)
        self.history_ = fit(
            self._plan,
            rows,
            epochs=settings.epochs,
            batch_size=min(settings.batch_size, len(rows)),
            rng=self._order,
            name="RBMTransformer",
            quiet=True,
        ).history
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Take one step on one batch of rows; the first call initialises the RBM."""
        first = not hasattr(self, "rbm_")
        rows = self._rows(X, reset=first)
        if first:
            self._initialize(rows)
        self._plan.training_step(rows[slice(None)])
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the mean hidden activations, shape (n, n_components)."""
        parts = [self.rbm_.hidden_mean(part) for part in self._parts(X)]
        return torch.cat(parts).numpy()

    def score_samples(self, X: Any) -> np.ndarray:
        """Return each row's log pseudo-likelihood in nats, exact, shape (n,)."""
        parts = [log_pseudo_likelihood(self.rbm_, part) for part in self._parts(X)]
        return torch.cat(parts).numpy()

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log pseudo-likelihood of the rows in nats; y is not read."""
        return float(self.score_samples(X).mean())

    def gibbs(self, v: Any) -> Any:
        """Return rows (n, features) after one Gibbs step from the rows v; each call goes on with random numbers.

        Those of a preprocessed table are a DataFrame in its own units.
        """
        parts = [sample_rows(self.rbm_, part, 1, self._samples) for part in self._parts(v)]
        found = torch.cat(parts).numpy()
        table: Any = self.preprocessor_
        return found if table is None else table.reading.as_written(table.restore_inputs(found))

    def save(self, folder: str | Path) -> Path:
        """Write the fitted transformer to a folder: safetensors and JSON, no pickle."""
        check_is_fitted(self, "rbm_")
        return save_state(self.__getstate__(), folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return the transformer that `save` wrote; it goes on as the saved one would have.

        Raises:
            DataError: the folder holds none.
        """
        found = cls()
        found.__setstate__(load_state(folder))
        return found

    @property
    def components_(self) -> np.ndarray:
        """The weights, shape (n_components, visible units)."""
        check_is_fitted(self, "rbm_")
        return self.rbm_.weight.t().numpy()

    @property
    def _n_features_out(self) -> int:
        return self.n_components

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _rows(self, X: Any, *, reset: bool) -> Rows:
        preprocess = needs_preprocessing(X) if self.preprocess is None else self.preprocess
        if preprocess if reset else self.preprocessor_ is not None:
            frame = raw_rows(self, X, reset=reset, image_shape=None)
            if reset:
                settings = (self.settings or {}).get("preprocessing", {})
                self.preprocessor_: LabelledPreprocessor | None = fit_table(frame, settings, self.visible)
            assert self.preprocessor_ is not None
            return TensorData(torch.from_numpy(self.preprocessor_.inputs(frame)))
        if reset:
            self.preprocessor_ = None
        checked = validate_data(self, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=reset)
        if issparse(checked):
            return SparseTensorData(checked, dtype=torch.from_numpy(checked.data[:0]).dtype)
        return TensorData(torch.from_numpy(np.array(checked, order="C")))

    def _parts(self, X: Any) -> Iterator[torch.Tensor]:
        check_is_fitted(self, "rbm_")
        rows = self._rows(X, reset=False)
        for start in range(0, len(rows), AT_A_TIME):
            yield rows[slice(start, start + AT_A_TIME)].inputs.to(self.rbm_.weight.dtype)

    def _training_settings(self) -> RBMTrainingSettings:
        more = {name: value for name, value in (self.settings or {}).items() if name != "preprocessing"}
        for name in more:
            if name in ARGUMENTS:
                raise ParameterError(f"settings: {name} is the argument {ARGUMENTS[name]}")
            if name not in MORE_SETTINGS:
                raise ParameterError(f"settings: unknown '{name}'{nearest(name, list(MORE_SETTINGS))}")
        if self.visible not in ("gaussian", "bernoulli"):
            raise ParameterError(f"visible is gaussian or bernoulli, not {self.visible!r}")
        own = {name: getattr(self, argument) for name, argument in ARGUMENTS.items()}
        try:
            return RBMTrainingSettings(**own, **more)
        except ValidationError as error:
            raise ParameterError(
                "wrong arguments: " + "; ".join(describe_errors(error, ARGUMENTS))
            ) from error

    def _initialize(self, rows: Rows) -> RBMTrainingSettings:
        settings = self._training_settings()
        first = rows[slice(0, 1)].inputs
        seeds = check_random_state(self.random_state).randint(2**31 - 1, size=4)
        weights, states, order, samples = (torch.Generator().manual_seed(int(seed)) for seed in seeds)
        shape = RBMConfig(
            n_visible=first.shape[1],
            n_hidden=settings.n_hidden,
            visible=self.visible,
            dropout=settings.dropout,
            **{name: getattr(settings, name) for name in SHAPE},
        )
        rbm = RBM(shape, weights).to(first.dtype)
        require_useful_settings([rbm], settings)
        if isinstance(rows, TensorData):
            rbm.initialize_from(rows.inputs)
        else:
            _initialize_by_columns(rbm, rows)
        self._plan = ContrastiveDivergence(rbm, settings, states)
        self._order, self._samples = order, samples
        self.rbm_ = rbm
        return settings

    def __getstate__(self) -> dict[str, Any]:
        """Return what pickle and joblib keep; a torch generator goes as its state."""
        state = dict(super().__getstate__())
        if "rbm_" in state:
            plan = state.pop("_plan")
            state["_plan_state"] = {name: value.numpy() for name, value in plan.state_dict().items()}
            state["_plan_settings"] = plan.settings.model_dump()
            state["_shape"] = state.pop("rbm_").config.model_dump()
            state |= {name: state[name].get_state().numpy() for name in ("_order", "_samples")}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on from what `__getstate__` returned."""
        state = dict(state)
        if "_plan_state" in state:
            plan_state = {
                name: torch.from_numpy(np.array(value)) for name, value in state.pop("_plan_state").items()
            }
            settings = RBMTrainingSettings(**state.pop("_plan_settings"))
            rbm = RBM(RBMConfig(**state.pop("_shape"))).to(plan_state["weight"].dtype)
            plan = ContrastiveDivergence(rbm, settings, torch.Generator())
            plan.load_state_dict(plan_state)
            state |= {"_plan": plan, "rbm_": rbm}
            for name in ("_order", "_samples"):
                rng = torch.Generator()
                rng.set_state(torch.from_numpy(np.array(state[name])))
                state[name] = rng
        super().__setstate__(state)


def _initialize_by_columns(rbm: RBM, rows: SparseTensorData) -> None:
    """Set the visible biases (and variances) as `RBM.initialize_from` does, from few dense columns at a time."""
    columns = rows.matrix.tocsc()
    for start in range(0, columns.shape[1], AT_A_TIME):
        at = slice(start, start + AT_A_TIME)
        part = torch.from_numpy(columns[:, at].toarray())
        config = rbm.config.model_copy(update={"n_visible": part.shape[1]})
        small = RBM(config).to(part.dtype)
        small.initialize_from(part)
        rbm.visible_bias[at] = small.visible_bias
        for (units, _), (own, _) in zip(small.learned_variances(), rbm.learned_variances(), strict=True):
            own.log_variance[at] = units.log_variance
