"""A GAN of a table's rows in scikit-learn's manner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from layerwise.data import DataError
from layerwise.data.preprocessing import encode_parts
from layerwise.estimators.base import NetworkEstimator
from layerwise.estimators.rows import Targets
from layerwise.estimators.settings import settings_under
from layerwise.inference import ModelParts
from layerwise.inference.tasks import answer_rows, condition_rows, parse_settings
from layerwise.parameters.sizing import size_gan
from layerwise.training.gan import GANSettings, train_table_gan
from layerwise.utils import Config, choose_device, nearest


@dataclass(eq=False, repr=False)
class TabularGAN(NetworkEstimator):
    """Generate rows like those of a table by a conditional GAN: what the pipeline `gan` trains (Xu et al. 2019).

    Args:
        target: a column of categories that every row is conditional on; None: those of other columns alone.
        objective: of generator and discriminator, such as "non_saturating", "hinge" or "wasserstein_penalty".
        generator_sizes: units of the generator's layers.
        discriminator_sizes: units of the discriminator's layers.
        latent_size: numbers of the noise.
        generator_learning_rate: of the generator.
        discriminator_learning_rate: of the discriminator.
        discriminator_steps: discriminator steps for each generator step.
        dropout: fraction of the discriminator's units left out.
        pac: rows that the discriminator scores together.
        epochs: passes over the training rows; None: by the rows, as the pipelines have it.
        batch_size: rows a step; None: by the rows.
        validation_fraction: of the rows, held out to watch the training.
        settings: all other settings of the pipeline `gan`, by their names in `conf/`, such as
            `{"gan": {"ema_decay": 0.99, "table": {"components": 5}}}`.
        random_state: an int is the `seed` of the pipelines; a numpy RandomState or None is drawn from.

    Attributes:
        network_: the trained generator.
        history_: one dict of metrics an epoch.
        diagnoses_: a sentence for each failure of the training.
        model_: the generator with its encoding, as the pipelines save it.
        n_features_in_: columns of the rows.

    Examples:
        >>> from sklearn.datasets import load_iris
        >>> from layerwise.estimators import TabularGAN
        >>> table = load_iris(as_frame=True).frame
        >>> gan = TabularGAN("target", generator_sizes=(32,), discriminator_sizes=(32,), epochs=3, random_state=0)
        >>> rows = gan.fit(table).sample(5, {"target": 2})
        >>> list(rows) == list(table), list(rows["target"])
        (True, [2, 2, 2, 2, 2])
    """

    arguments: ClassVar[Mapping[str, str]] = settings_under(
        "gan", "objective", "generator_sizes", "discriminator_sizes", "latent_size", "generator_learning_rate",
        "discriminator_learning_rate", "discriminator_steps", "dropout", "pac", "epochs", "batch_size",
    )  # fmt: skip
    models: ClassVar[Mapping[str, type[Config]]] = {"gan": GANSettings}

    target: str | None = None
    _: KW_ONLY
    objective: str = "non_saturating"
    generator_sizes: Any = (256, 512)
    discriminator_sizes: Any = (512, 256)
    latent_size: int = 100
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    discriminator_steps: int = 1
    dropout: float = 0.0
    pac: int = 1
    epochs: int | None = None
    batch_size: int | None = None
    validation_fraction: float = 0.1
    settings: dict[str, Any] | None = None
    random_state: Any = None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a generator and a discriminator on the rows; y is not read.

        Raises:
            ParameterError: an argument has a wrong value, or another one leaves it without a use.
            DataError: the rows cannot be used as they are.
        """
        rows = self._fit_rows(X)
        settings = size_gan(rows.columns, rows.training, self._settings["gan"])
        frame = rows.preprocessor.read(rows.raw)
        problem, preprocessing = rows.preprocessor.problem, rows.preprocessor.settings
        components = settings.table.components
        encoding, *parts = encode_parts(frame, rows.split, problem, preprocessing, components, self._seed)
        device = choose_device(settings.count_parameters(encoding.width), settings.batch_size, "gan")
        training, validation = (torch.from_numpy(part).to(device) for part in parts)
        result = train_table_gan(
            training, validation, encoding, rows.columns, settings, self._seed, silent=True
        )
        found = ModelParts(encoding=encoding)
        if result.training_conditions is not None:
            found = found.with_conditions(result.training_conditions.cpu())
        self.diagnoses_ = list(result.diagnoses)
        return self._keep(result.generator.cpu(), rows, result.history, found)

    def sample(self, n: int = 10, conditions: Any = None, random_state: int | None = None) -> Any:
        """Return generated rows, a DataFrame in the columns and types of the rows of `fit`.

        Args:
            n: rows; of a DataFrame of conditions one for each of its rows.
            conditions: categories that all rows have, by column; or a DataFrame whose filled cells are those of a row.
            random_state: an int draws the same rows again; None: the estimator's, if that is one.

        Raises:
            TaskError: a condition is a number, a category that training never had, or never met.
        """
        check_is_fitted(self, "model_")
        given = None if conditions is None else condition_rows(self.model_, conditions, n)
        seed = self.random_state if random_state is None else random_state
        settings = {"task": "sample", "seed": seed if isinstance(seed, int | np.integer) else -1}
        settings |= {"n": n} if given is None else {}
        found = answer_rows(self.model_, given, parse_settings(settings))
        return found.reset_index(drop=True)

    def _targets(self, X: Any, y: Any) -> Targets | None:
        """Return the column that every row is conditional on."""
        if self.target is None:
            return None
        names = [str(name) for name in getattr(X, "columns", [])]
        if self.target not in names:
            raise DataError(f"target: the table has no column '{self.target}'{nearest(self.target, names)}")
        values = X[self.target].to_numpy()
        classes = np.unique(values)
        if len(classes) < 2:
            raise DataError(f"target: '{self.target}' has one value only, and is no condition")
        return Targets("binary" if len(classes) == 2 else "multiclass", values, classes, (self.target,))
