"""The networks of the pipelines dbn and mlp."""

from __future__ import annotations

from pydantic import PositiveInt, model_validator

from layerwise.evaluation.likelihood import LikelihoodSettings
from layerwise.models import (
    LEAKY_SLOPE,
    Activation,
    BiasInitializer,
    Initializer,
    Normalization,
    NumberEmbeddingName,
    PreluSlopes,
    for_each_layer,
)
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
    likelihood: BoundSettings = BoundSettings()


class MLPSettings(Config):
    """The feed-forward network of `kedro run --pipelines=mlp`."""

    hidden_sizes: ByRule[tuple[PositiveInt, ...]] = setting(
        (500, 500, 1000),
        "units of each hidden layer, any number of layers; null: by rows and columns, see Sizes",
        "few and small for few rows", by_rule=True,
    )  # fmt: skip
    activation: Activation | tuple[Activation, ...] = setting(
        "relu", "of the hidden layers: one for all, or a list; the output's follows from the task", "relu"
    )
    leaky_slope: float = setting(
        LEAKY_SLOPE, "the slope of leaky_relu below 0", "0.3 as Keras has it", "other activations", ge=0
    )
    prelu_slopes: PreluSlopes = setting(
        "layer", "prelu learns one slope a layer, or one a unit", "unit as in the paper", "other activations"
    )
    normalization: Normalization = setting(
        "none", "standardise each hidden layer's pre-activations: over the batch, or over the layer's units",
        "deep nets; batch for large batches, layer for any", "batch: batches of 1 row",
    )  # fmt: skip
    initializer: Initializer = setting(
        "he_uniform", "how the hidden weights start", "he with relu, glorot with tanh"
    )
    initializer_gain: float = setting(
        1.0, "multiplies the hidden weights' start", "experiments with gradients", gt=0
    )
    output_initializer: Initializer = setting(
        "glorot_uniform", "how the output's weights start", "glorot_uniform"
    )
    bias_initializer: BiasInitializer = setting(
        "zeros", "how the hidden biases start; the output's are 0", "zeros"
    )
    bias_constant: float = setting(
        0.0, "the value of bias_initializer: constant", "0.1 keeps relu units alive at first",
        "other values of bias_initializer",
    )  # fmt: skip

    number_embedding: ByRule[NumberEmbeddingName] = setting(
        "none", "what the first layer sees of a table's numbers, see Embeddings; null: by the kind of rows, see Sizes",
        "piecewise_linear for tables", "images, seeds above 1, grid", by_rule=True,
    )  # fmt: skip
    number_bins: int = setting(
        24, "most bins of piecewise_linear for a column", "8 to 64", "other embeddings", ge=2
    )
    ensemble_members: ByRule[int] = setting(
        1, "members of an ensemble that share their weights (Gorishniy et al. 2025, TabM); 1: one network; null: by "
        "the kind of rows, see Sizes", "8 to 32 for tables", "dropconnect, seeds above 1, grid", by_rule=True, ge=1,
    )  # fmt: skip

    @model_validator(mode="after")
    def _fits(self) -> MLPSettings:
        if self.hidden_sizes is None:  # of a list of activations the rule makes as many layers
            activations = self.activation if isinstance(self.activation, tuple) else (self.activation,)
        else:
            activations = for_each_layer(self.activation, len(self.hidden_sizes), "activation")
        for name, of in (("leaky_slope", "leaky_relu"), ("prelu_slopes", "prelu")):
            if self.changed(name) and of not in activations:
                raise ValueError(f"no layer has the activation {of}: there is no use for {name}")
        if self.normalization == "batch" and self.changed("bias_initializer"):
            raise ValueError(
                "normalization batch has no use for bias_initializer: hidden layers have no bias before it"
            )
        if self.changed("bias_constant") and self.bias_initializer != "constant":
            raise ValueError(f"bias_initializer {self.bias_initializer} has no use for bias_constant")
        if self.changed("number_bins") and self.number_embedding not in (None, "piecewise_linear"):
            raise ValueError(f"number_embedding {self.number_embedding} has no use for number_bins")
        return self
