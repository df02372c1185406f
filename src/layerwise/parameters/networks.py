"""The networks of the pipelines rbm, dbn and dbm, and what is reported of them."""

from __future__ import annotations

from pydantic import PositiveInt

from layerwise.evaluation.likelihood import LikelihoodSettings
from layerwise.models import Initializer
from layerwise.training.rbm import RBMTrainingSettings
from layerwise.training.rbm.dbm import DBMTrainingSettings
from layerwise.training.supervised import MLPSettings
from layerwise.utils import ByRule, Config, setting


class BoundSettings(LikelihoodSettings):
    """How log Z of the stack's top RBM is computed, for the bound on the log-probability of test rows."""

    chains: int = setting(20, "annealed chains of each start", "more for a narrower interval", "exact", ge=2)
    temperatures: int = setting(300, "steps of the annealing", "10000 for a report", "exact", ge=3)
    reverse_steps: int = setting(
        100, "Gibbs steps from training rows to the rows that annealing goes back from", "", "exact", ge=0
    )


class DBNSettings(Config):
    """The stack of RBMs of `kedro run --pipelines=dbn`."""

    hidden_sizes: ByRule[tuple[PositiveInt, ...]] = setting(
        (500, 500, 1000), "units of each hidden layer; null: by rows and columns, see Sizes",
        "few and small for few rows", by_rule=True, min_length=1,
    )  # fmt: skip
    random_initializer: Initializer = setting(
        "glorot_uniform", "how the same network starts with pretraining.method: none"
    )
    class_samples: bool = setting(
        True,
        "of images with one class each: train a second top RBM, with label units, and sample every class",
    )
    likelihood: BoundSettings = BoundSettings()

    @property
    def layers(self) -> MLPSettings:
        """The feed-forward network that a pretrained stack becomes."""
        return MLPSettings(
            hidden_sizes=self.hidden_sizes, activation="sigmoid", initializer=self.random_initializer
        )


class DBMSettings(DBMTrainingSettings):
    """The deep Boltzmann machine of `kedro run --pipelines=dbm`."""

    likelihood: BoundSettings = BoundSettings()

    @property
    def layers(self) -> MLPSettings:
        """The hidden layers of the feed-forward network that a deep Boltzmann machine becomes."""
        return MLPSettings(hidden_sizes=self.hidden_sizes, activation="sigmoid", initializer="glorot_uniform")


class RBMSettings(RBMTrainingSettings):
    """The RBM of `kedro run --pipelines=rbm`, and what is reported of it."""

    classification_rbm: bool = setting(
        True, "train a second RBM, with label units (Larochelle & Bengio 2008)"
    )
    probe: bool = setting(True, "fit linear models on the features, the raw rows and their components")
    likelihood: LikelihoodSettings = LikelihoodSettings()
    perplexity_documents: int = setting(
        50, "test documents whose perplexity is taken", "", "other rows", ge=1
    )
    bootstrap: int = setting(1000, "resamples of the test rows for each interval; 0 for none", "", ge=0)
    samples: int = setting(64, "samples that the RBM draws for its figure", "", ge=1, le=400)
    sampling_steps: int = setting(1000, "Gibbs steps of each of these samples", "", ge=1)
