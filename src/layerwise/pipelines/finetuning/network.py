"""Make the network of a problem's rows: its shape by the settings, its random weights by the seed."""

from __future__ import annotations

from typing import Any, Literal

import torch

from layerwise.data import DataSpec, Task, TensorData
from layerwise.models import (
    MLP,
    EnsembleConfig,
    MLPConfig,
    NumberEmbeddingConfig,
    PiecewiseLinearEmbedding,
    for_each_layer,
    quantile_edges,
)
from layerwise.parameters import MLPSettings
from layerwise.training import TrainingError
from layerwise.training.supervised import FinetuningSettings
from layerwise.utils import torch_rng

# A bin has at least so many training rows.
ROWS_OF_A_BIN = 40
COMBINED: dict[Task, Literal["sigmoid", "softmax"]] = {
    "binary": "sigmoid",
    "multilabel": "sigmoid",
    "multiclass": "softmax",
}


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
