"""The parameter model of every top-level key in `conf/`: one model a key, the same for all pipelines."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from layerwise.configuration import Config
from layerwise.data.problem import PreparationSettings, Problem, SplitSettings
from layerwise.models.layers import Activation, Initialiser
from layerwise.training.backpropagation import FinetuningSettings
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
    "finetuning": FinetuningSettings,
    "evaluation": EvaluationSettings,
}
