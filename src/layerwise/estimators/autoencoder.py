"""Autoencoders as scikit-learn's transformer and outlier detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from layerwise.data import ImageShape, rows_for_training
from layerwise.estimators.base import NetworkEstimator
from layerwise.estimators.settings import settings_under
from layerwise.evaluation.unsupervised import AnomalyReference, make_scorer
from layerwise.inference import ModelParts
from layerwise.inference.tasks import as_written, latent_size, raw_frame
from layerwise.parameters import TaskSettings
from layerwise.parameters.sizing import size_autoencoder
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.utils import Config, choose_device, torch_rng


@dataclass(eq=False, repr=False)
class AutoencoderEstimator(NetworkEstimator):
    """What the transformer and the detector share: the arguments, and how the network learns."""

    arguments: ClassVar[Mapping[str, str]] = settings_under(
        "autoencoder", "variant", "hidden_sizes", "latent_size", "activation", "loss", "corruption", "sparsity",
        "beta", "learning_rate", "epochs", "batch_size", "patience",
    )  # fmt: skip
    models: ClassVar[Mapping[str, type[Config]]] = {"autoencoder": AutoencoderSettings}

    latent_size: int | None = None
    _: KW_ONLY
    variant: str = "compression"
    hidden_sizes: Any = None
    activation: Any = None
    loss: str = "auto"
    corruption: str | None = None
    sparsity: str | None = None
    beta: float = 1.0
    learning_rate: float = 1e-3
    epochs: int | None = None
    batch_size: int | None = None
    patience: int | None = None
    validation_fraction: float = 0.1
    image_shape: ImageShape | None = None
    settings: dict[str, Any] | None = None
    random_state: Any = None

    def _fit_network(self, X: Any) -> Self:
        rows = self._fit_rows(X)
        settings = size_autoencoder(rows.columns, rows.training, self._settings["autoencoder"])
        network = build_autoencoder(settings, rows.columns, torch_rng(self._seed, "autoencoder"))
        device = choose_device(network, settings.batch_size, "autoencoder")
        training, validation = (rows_for_training(part, device) for part in (rows.training, rows.validation))
        progress, _ = train_autoencoder(
            network.to(device), training, validation, rows.columns, settings, self._seed, silent=True
        )
        network = network.cpu().eval()
        reference = AnomalyReference.of(network, rows.training.inputs, rows.validation.inputs, rows.columns)
        return self._keep(network, rows, progress.history, ModelParts(reference=reference))

    def reconstruct(self, X: Any) -> Any:
        """Return the rows as the network reconstructs them: in raw units, a DataFrame of a DataFrame."""
        found = as_written(self.model_, raw_frame(self.model_, self._apply(self.network_.reconstruct, X)))
        return found if hasattr(X, "columns") else found.to_numpy()


class AutoencoderTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, AutoencoderEstimator):
    """Encode rows by an autoencoder's latent units: what the pipeline `autoencoder` trains.

    The columns of a DataFrame may be numbers, categories, dates and texts, with empty cells. Numbers are scaled; give
    images their `image_shape`.

    Args:
        latent_size: units of the latent; None: the variant's own.
        variant: "compression", "overcomplete", "denoising", "sparse", "contractive", "variational", ...
        hidden_sizes: units of each hidden layer of the encoder; None: the variant's own.
        activation: of the hidden layers; None: the variant's own.
        loss: of a reconstruction; "auto" follows from the columns.
        corruption: noise on the encoder's input; None: the variant's own.
        sparsity: "kl", "l1", "top_k" or "none"; None: the variant's own.
        beta: weight of the KL divergence of a variational one.
        learning_rate: size of the steps.
        epochs: passes over the training rows; None: by the rows, as the pipelines have it.
        batch_size: rows a step; None: by the rows.
        patience: epochs without a better loss on held-out rows before early stopping.
        validation_fraction: of the rows, held out to choose the best epoch.
        image_shape: of rows that are images, (height, width) or (height, width, 3), with pixels from 0 to 1 or 255.
        settings: all other settings of the pipeline `autoencoder`, by their names in `conf/`, such as
            `{"autoencoder": {"tied": True}, "preprocessing": {"scaling": "quantile"}}`.
        random_state: an int is the `seed` of the pipelines; a numpy RandomState or None is drawn from.

    Attributes:
        network_: the trained network.
        history_: one dict of metrics an epoch.
        model_: the network with its preprocessing, as the pipelines save it.
        n_features_in_: columns of the rows.

    Examples:
        >>> from sklearn.datasets import load_iris
        >>> from layerwise.estimators import AutoencoderTransformer
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> autoencoder = AutoencoderTransformer(2, epochs=20, random_state=0).set_output(transform="pandas")
        >>> autoencoder.fit_transform(X).shape
        (150, 2)
        >>> list(autoencoder.reconstruct(X.head(1))) == list(X)
        True
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a new network on the rows; y is not read. It ends with the weights of its best epoch.

        Raises:
            ParameterError: an argument has a wrong value, or another one leaves it without a use.
            DataError: the rows cannot be used as they are.
        """
        return self._fit_network(X)

    def transform(self, X: Any) -> np.ndarray:
        """Return the latent units of each row, (n, latent_size) float32."""
        return self._apply(self.network_.encode, X)

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the mean loss of the rows' reconstructions; y is not read."""
        return -float(self._apply(self.network_.reconstruction_loss, X).mean())

    @property
    def _n_features_out(self) -> int:
        found = latent_size(self.model_)
        assert found is not None
        return found

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


@dataclass(eq=False, repr=False)
class AutoencoderDetector(OutlierMixin, AutoencoderEstimator):
    """Detect anomalies by the density of latent and reconstruction error: what the pipeline `autoencoder` trains.

    The rows of `fit` are taken for normal but for `contamination` of them. Of a variational autoencoder the loss has
    the KL divergence (An & Cho 2015).

    Args:
        contamination: the fraction of the rows of `fit` that is called anomalous, at most 0.5.
        latent_size, variant, hidden_sizes, activation, loss, corruption, sparsity, beta, learning_rate, epochs,
        batch_size, patience, validation_fraction, image_shape, settings, random_state: as `AutoencoderTransformer`
            has them.

    Attributes:
        offset_: the score below which a row is anomalous.
        network_: the trained network.
        history_: one dict of metrics an epoch.
        model_: the network with its preprocessing, as the pipelines save it.
        n_features_in_: columns of the rows.

    Examples:
        >>> from sklearn.datasets import load_iris
        >>> from layerwise.estimators import AutoencoderDetector
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> detector = AutoencoderDetector(epochs=20, random_state=0).fit(X)
        >>> int((detector.predict(X) == -1).sum())
        15
        >>> int(detector.predict(X.tail(1) + 10)[0])
        -1
    """

    arguments: ClassVar[Mapping[str, str]] = {
        **AutoencoderEstimator.arguments,
        "contamination": "predict.contamination",
    }
    models: ClassVar[Mapping[str, type[Config]]] = {**AutoencoderEstimator.models, "predict": TaskSettings}

    contamination: float = 0.1
    latent_size: int | None = field(default=None, kw_only=True)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a new network on the rows, and find the score below which `contamination` of them lie; y is not read.

        Raises:
            ParameterError: an argument has a wrong value, or another one leaves it without a use.
            DataError: the rows cannot be used as they are.
        """
        self._fit_network(X)
        self.offset_ = float(np.percentile(self.score_samples(X), 100 * self.contamination))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Return how normal each row is, (n,): the log density of its latent and reconstruction error together."""
        check_is_fitted(self, "model_")
        reference = self.model_.parts.reference
        assert reference is not None
        score = make_scorer(self.network_, self.model_.columns, reference.density)
        return -self._apply(lambda rows: score(rows)[:, 0], X).astype(np.float64)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return `score_samples` less `offset_`, (n,): below 0 for anomalies."""
        found: np.ndarray = self.score_samples(X) - self.offset_
        return found

    def predict(self, X: Any) -> np.ndarray:
        """Return -1 for anomalies and 1 for normal rows, (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)
