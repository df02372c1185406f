"""Make the network of a problem's rows: its shape by the settings, its random weights by the seed."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import PositiveInt, model_validator

from layerwise.data import DataSpec, Task, TensorData
from layerwise.models import (
    LEAKY_SLOPE,
    MLP,
    Activation,
    BiasInitializer,
    EnsembleConfig,
    Initializer,
    MLPConfig,
    Normalization,
    NumberEmbeddingConfig,
    NumberEmbeddingName,
    PiecewiseLinearEmbedding,
    PreluSlopes,
    for_each_layer,
    quantile_edges,
)
from layerwise.training.plan import TrainingError
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils import ByRule, Config, setting, torch_rng

# A bin has at least so many training rows.
ROWS_OF_A_BIN = 40
COMBINED: dict[Task, Literal["sigmoid", "softmax"]] = {
    "binary": "sigmoid",
    "multilabel": "sigmoid",
    "multiclass": "softmax",
}


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


def new_network(
    layers: MLPSettings,
    columns: DataSpec,
    settings: FinetuningSettings,
    seed: int,
    training: TensorData | None = None,
) -> MLP:
    """Return a network for preprocessed rows with the random weights of its seed.

    Args:
        layers: its shape.
        columns: what the rows are.
        settings: say what is dropped at random, and the loss, by which an ensemble's outputs are averaged.
        seed: of the run.
        training: the rows by which numbers are cut into bins; needed for `number_embedding: piecewise_linear` alone.

    Raises:
        TrainingError: a list of dropout rates has another length than the hidden layers.
    """
    try:
        for_each_layer(settings.dropout, len(layers.hidden_sizes), "finetuning.dropout")
    except ValueError as error:
        raise TrainingError(str(error)) from error
    own = layers.model_dump(exclude={"number_embedding", "number_bins", "ensemble_members"})
    embedding, edges = _number_embedding(layers, columns, training)
    shape = MLPConfig(
        n_inputs=columns.n_inputs,
        n_outputs=columns.n_outputs,
        input_dropout=settings.input_dropout,
        dropout=settings.dropout,
        dropconnect=settings.dropconnect,
        dropconnect_masks=settings.dropconnect_masks,
        output="exponential" if settings.loss == "poisson" else "linear",
        number_embedding=embedding,
        ensemble=_ensemble(layers, columns, settings),
        **own,
    )
    network = MLP(shape, torch_rng(seed, "network"))
    if edges:
        found = network.number_embedding
        assert isinstance(found, PiecewiseLinearEmbedding)
        found.set_edges(edges)
    return network


def _ensemble(layers: MLPSettings, columns: DataSpec, settings: FinetuningSettings) -> EnsembleConfig | None:
    if layers.ensemble_members == 1:
        return None
    if settings.dropconnect:
        raise TrainingError(
            "an ensemble shares its connections: take finetuning.dropout in place of dropconnect, or set "
            "mlp.ensemble_members: 1"
        )
    # The scores of a hinge are no log-odds.
    if settings.loss == "hinge" or columns.task not in COMBINED:
        return EnsembleConfig(members=layers.ensemble_members)
    return EnsembleConfig(members=layers.ensemble_members, combine=COMBINED[columns.task])


def _number_embedding(
    layers: MLPSettings, columns: DataSpec, training: TensorData | None
) -> tuple[NumberEmbeddingConfig | None, list[torch.Tensor]]:
    """Return the embedding of the number columns and, of a piecewise linear one, the edges of each column's bins."""
    name: Any = layers.number_embedding
    numbers = tuple(
        block.start for block in columns.blocks if block.kind in ("real", "count") and len(block.columns) == 1
    )
    if name == "none" or not numbers:
        return None, []
    if name == "periodic":
        return NumberEmbeddingConfig(name=name, columns=numbers), []
    if training is None:
        raise TrainingError("the bins of mlp.number_embedding: piecewise_linear come from training rows")
    bins = max(2, min(layers.number_bins, len(training) // ROWS_OF_A_BIN))
    edges = [quantile_edges(training.inputs[:, column], bins) for column in numbers]
    widths = tuple(len(each) - 1 for each in edges)
    return NumberEmbeddingConfig(name=name, columns=numbers, bins=widths), edges
