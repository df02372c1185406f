"""A restricted Boltzmann machine as a scikit-learn transformer."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from layerwise.data import TensorData
from layerwise.models.rbm import RBM, RBMConfig, log_pseudo_likelihood
from layerwise.training import fit
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings


class RBMTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learn features of rows without labels: their mean hidden activations.

    Args:
        n_components: hidden units.
        visible: "gaussian" for any numbers (standardise them first), "bernoulli" for values from 0 to 1.
        learning_rate: step size of the gradient's mean over a batch; 0.1 suits Bernoulli units.
        n_iter: passes over the rows in `fit`.
        batch_size: rows in a batch.
        steps: Gibbs steps (the k of CD-k).
        chain: "data" for contrastive divergence, "persistent" or "tempered" for chains of its own.
        centered: whether gradients are centred.
        weight_decay: of the weights alone.
        random_state: an int, a numpy RandomState or None.

    Attributes:
        rbm_: the trained RBM.
        components_: (n_components, n_features_in_) the weights.
        history_: one dict of metrics an epoch of `fit`.
    """

    def __init__(
        self,
        n_components: int = 100,
        *,
        visible: str = "gaussian",
        learning_rate: float = 0.01,
        n_iter: int = 10,
        batch_size: int = 100,
        steps: int = 1,
        chain: str = "data",
        centered: bool = False,
        weight_decay: float = 2e-4,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.visible = visible
        self.learning_rate = learning_rate
        self.n_iter = n_iter
        self.batch_size = batch_size
        self.steps = steps
        self.chain = chain
        self.centered = centered
        self.weight_decay = weight_decay
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a new RBM on the rows (n, features); y is not read.

        Raises:
            UnitsError: the units are Bernoulli and a value lies outside [0, 1].
        """
        rows = self._rows(X, reset=True)
        self._initialize(rows)
        self.history_ = fit(
            self._plan,
            TensorData(rows),
            epochs=self.n_iter,
            batch_size=min(self.batch_size, len(rows)),
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
        self._plan.training_step(TensorData(rows))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the mean hidden activations, shape (n, n_components)."""
        check_is_fitted(self, "rbm_")
        return self.rbm_.hidden_mean(self._rows(X, reset=False)).numpy()

    def score_samples(self, X: Any) -> np.ndarray:
        """Return each row's log pseudo-likelihood in nats, exact, shape (n,)."""
        check_is_fitted(self, "rbm_")
        return log_pseudo_likelihood(self.rbm_, self._rows(X, reset=False)).numpy()

    @property
    def components_(self) -> np.ndarray:
        """The weights, shape (n_components, n_features_in_)."""
        check_is_fitted(self, "rbm_")
        return self.rbm_.weight.t().numpy()

    @property
    def _n_features_out(self) -> int:
        return self.n_components

    def _rows(self, X: Any, *, reset: bool) -> torch.Tensor:
        checked = validate_data(self, X, dtype=(np.float64, np.float32), reset=reset)
        return torch.from_numpy(np.array(checked, order="C"))

    def _initialize(self, rows: torch.Tensor) -> None:
        seeds = check_random_state(self.random_state).randint(2**31 - 1, size=3)
        weights, states, order = (torch.Generator().manual_seed(int(seed)) for seed in seeds)
        shape = RBMConfig(n_visible=rows.shape[1], n_hidden=self.n_components, visible=self.visible)
        settings = ContrastiveDivergenceSettings(
            **{
                name: getattr(self, name)
                for name in ("learning_rate", "steps", "chain", "centered", "weight_decay")
            }
        )
        rbm = RBM(shape, weights).to(rows.dtype)
        rbm.initialize_from(rows)
        self._plan = ContrastiveDivergence(rbm, settings, states)
        self._order = order
        self.rbm_ = rbm

    def __getstate__(self) -> dict[str, Any]:
        """Return what pickle and joblib keep; a torch generator goes as its state."""
        state = dict(super().__getstate__())
        if "rbm_" in state:
            plan = state.pop("_plan")
            state["_plan_state"] = {name: value.numpy() for name, value in plan.state_dict().items()}
            state["_settings"] = plan.settings.model_dump()
            state["_shape"] = state.pop("rbm_").config.model_dump()
            state["_order"] = state["_order"].get_state().numpy()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on from what `__getstate__` returned."""
        state = dict(state)
        if "_plan_state" in state:
            plan_state = {
                name: torch.from_numpy(np.array(value)) for name, value in state.pop("_plan_state").items()
            }
            settings = ContrastiveDivergenceSettings(**state.pop("_settings"))
            rbm = RBM(RBMConfig(**state.pop("_shape"))).to(plan_state["weight"].dtype)
            plan = ContrastiveDivergence(rbm, settings, torch.Generator())
            plan.load_state_dict(plan_state)
            order = torch.Generator()
            order.set_state(torch.from_numpy(np.array(state["_order"])))
            state |= {"_plan": plan, "rbm_": rbm, "_order": order}
        super().__setstate__(state)
