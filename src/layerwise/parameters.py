"""The parameter model of every top-level key in `conf/`: one model a key, the same for all pipelines."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from layerwise.configuration import Config
from layerwise.data.problem import PreparationSettings, Problem, SplitSettings
from layerwise.evaluation.likelihood import LikelihoodSettings
from layerwise.models.layers import Activation, Initialiser
from layerwise.training.backpropagation import FinetuningSettings
from layerwise.training.machines import MachineSettings
from layerwise.training.pretraining import PretrainingSettings


class DBNSettings(Config):
    """The stack of machines; `random_initialiser` is how the same net starts with `pretraining.method: none`."""

    hidden_sizes: tuple[PositiveInt, ...] = Field((500, 500, 1000), min_length=1)
    random_initialiser: Initialiser = "glorot_uniform"


class MLPSettings(Config):
    """The feed-forward network of `kedro run --pipelines=mlp`."""

    hidden_sizes: tuple[PositiveInt, ...] = (500, 500, 1000)
    activation: Activation = "relu"
    initialiser: Initialiser = "he_uniform"
    output_initialiser: Initialiser = "glorot_uniform"


class RBMSettings(MachineSettings):
    """The machine of `kedro run --pipelines=rbm`, and what is reported of it.

    `classifier` trains a second machine with label units; `probe` fits linear models to the features. `documents`
    test documents have their perplexity taken. Chains for the pictures run `sampling_steps` steps.
    """

    classifier: bool = True
    probe: bool = True
    likelihood: LikelihoodSettings = LikelihoodSettings()
    documents: int = Field(50, ge=1)
    bootstrap: int = Field(1000, ge=0)
    samples: int = Field(64, ge=1, le=400)
    sampling_steps: int = Field(1000, ge=1)


class EvaluationSettings(Config):
    """What is reported of the trained network on the test rows."""

    threshold: Literal["half", "f1", "accuracy"] = "half"
    bootstrap: int = Field(1000, ge=0)
    baselines: bool = False
    samples: int = Field(64, ge=1, le=400)
    sampling_steps: int = Field(200, ge=1)


PARAMETERS: dict[str, Any] = {
    "seed": NonNegativeInt,
    "problem": Problem,
    "split": SplitSettings,
    "preparation": PreparationSettings,
    "labelled_rows": PositiveInt | None,
    "pretraining": PretrainingSettings,
    "dbn": DBNSettings,
    "mlp": MLPSettings,
    "rbm": RBMSettings,
    "finetuning": FinetuningSettings,
    "evaluation": EvaluationSettings,
}
