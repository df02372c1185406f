"""The RBM of the pipeline rbm, and what is reported of it."""

from __future__ import annotations

from layerwise.evaluation.likelihood import LikelihoodSettings
from layerwise.training.rbm import RBMTrainingSettings
from layerwise.utils import setting


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
