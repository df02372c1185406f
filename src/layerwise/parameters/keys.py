"""The parameter model of every top-level key in `conf/`: one model a key, the same for all pipelines."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from layerwise.checkpointing.store import CheckpointSettings
from layerwise.data.problem import PreparationSettings, Problem, SplitSettings
from layerwise.evaluation.likelihood.log_probability import LikelihoodSettings
from layerwise.models.layers import Activation, BiasInitialiser, Initialiser, Normalisation
from layerwise.models.mlp import for_each_layer
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.autoencoder.stack_settings import SAESettings
from layerwise.training.diagnostics.gradient_study import LaboratorySettings
from layerwise.training.gan.gaussian_ring import RingSettings
from layerwise.training.gan.image_pairs import PairSettings
from layerwise.training.gan.settings import GANSettings
from layerwise.training.rbm.pretraining import PretrainingSettings
from layerwise.training.rbm.train import MachineSettings
from layerwise.training.supervised.grid import GridSettings
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.config import Config, setting


class DBNSettings(Config):
    """The stack of machines; `random_initialiser` is how the same net starts with `pretraining.method: none`."""

    hidden_sizes: tuple[PositiveInt, ...] = Field((500, 500, 1000), min_length=1)
    random_initialiser: Initialiser = "glorot_uniform"


class MLPSettings(Config):
    """The feed-forward network of `kedro run --pipelines=mlp`."""

    hidden_sizes: tuple[PositiveInt, ...] = setting(
        (500, 500, 1000), "units of each hidden layer, any number of layers", "few and small for few rows"
    )
    activation: Activation | tuple[Activation, ...] = setting(
        "relu", "of the hidden layers: one for all, or a list; the output's follows from the task", "relu"
    )
    normalisation: Normalisation = setting(
        "none", "standardise each hidden layer's total inputs: over the batch, or over the layer's units",
        "deep nets; batch for large batches, layer for any", "batch: batches of 1 row",
    )  # fmt: skip
    initialiser: Initialiser = setting(
        "he_uniform", "how the hidden weights start", "he with relu, glorot with tanh"
    )
    initialiser_gain: float = setting(
        1.0, "multiplies the hidden weights' start", "experiments with gradients", gt=0
    )
    output_initialiser: Initialiser = setting(
        "glorot_uniform", "how the output's weights start", "glorot_uniform"
    )
    bias_initialiser: BiasInitialiser = setting(
        "zeros", "how the hidden biases start; the output's are 0", "zeros"
    )
    bias_constant: float = setting(
        0.0, "the value of bias_initialiser: constant", "0.1 keeps relu units alive at first",
        "other bias initialisers",
    )  # fmt: skip

    @model_validator(mode="after")
    def _fits(self) -> MLPSettings:
        for_each_layer(self.activation, len(self.hidden_sizes), "activation")
        if self.bias_constant and self.bias_initialiser != "constant":
            raise ValueError(f"bias_initialiser {self.bias_initialiser} has no use for bias_constant")
        return self


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

    threshold: Literal["half", "f1", "accuracy", "cost"] = setting(
        "half", "the probability from which a binary answer is yes: 0.5, or the best on validation rows by a measure",
        "f1 or cost for rare classes", "tasks other than binary",
    )  # fmt: skip
    false_positive_cost: float = setting(
        1.0, "what a wrong yes costs", "threshold: cost", "other thresholds", ge=0
    )
    false_negative_cost: float = setting(
        1.0, "what a wrong no costs", "threshold: cost", "other thresholds", ge=0
    )
    bootstrap: int = setting(1000, "resamples of the test rows for each interval; 0 for none", "", ge=0)
    baselines: bool | Literal["auto"] = setting(
        "auto",
        "fit the usual models on the same rows and compare; auto: for tables",
        "true for small sets of images",
    )
    importance_repeats: int = setting(5, "shuffles of each column for its permutation importance", "", ge=1)
    samples: int = setting(64, "rows that a stack dreams up for its picture", "", ge=1, le=400)
    sampling_steps: int = setting(200, "Gibbs steps of each of these rows", "", ge=1)

    @model_validator(mode="after")
    def _costs_have_a_use(self) -> EvaluationSettings:
        if self.threshold != "cost" and (self.false_positive_cost, self.false_negative_cost) != (1, 1):
            raise ValueError(f"threshold {self.threshold} has no use for costs; set threshold: cost")
        return self


class PredictSettings(Config):
    """What `kedro run --pipelines=predict` reads, with which model, and where the answers go."""

    model: str | None = setting(
        None, "a run's id, a registered name@alias or name/version, or a model's folder"
    )
    input: str | None = setting(None, "the rows: CSV (also gz); for pictures also idx, npy, npz")
    output: str | None = setting(
        None,
        "the CSV file of answers; null: in data/07_model_output, by the model's problem and the input's name",
    )
    chunk_rows: int = setting(20_000, "rows in memory at a time", "fewer for wide tables", ge=1)
    strict: bool = setting(
        True,
        "refuse a row with an empty cell, category or sign that its column never had in training; false: impute it",
        "false where every row needs an answer",
    )


class EvaluateSettings(Config):
    """What `kedro run --pipelines=evaluate` measures: a model on new labelled rows."""

    model: str | None = setting(None, "as predict.model")
    input: str | None = setting(None, "new rows with their targets, in the forms of predict.input")
    labels: str | None = setting(None, "an idx or npy file with the labels of pictures", "", "tables")
    chunk_rows: int = setting(20_000, "rows in memory at a time", "fewer for wide tables", ge=1)
    strict: bool = setting(True, "as predict.strict; refused rows are counted and not measured")
    bootstrap: int = setting(1000, "resamples of the rows for each interval; 0 for none", "", ge=0)


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
    "autoencoder": AutoencoderSettings,
    "sae": SAESettings,
    "finetuning": FinetuningSettings,
    "evaluation": EvaluationSettings,
    "health": bool,
    "seeds": Annotated[int, Field(ge=1, le=1000)],
    "grid": GridSettings,
    "gradients": LaboratorySettings,
    "gan": GANSettings,
    "ring": RingSettings,
    "applications": PairSettings,
    "synthesize": PositiveInt | None,
    "checkpoints": CheckpointSettings,
    "resume": bool | str,
    "predict": PredictSettings,
    "evaluate": EvaluateSettings,
}
