"""Train the whole network on labelled rows: from a pretrained stack, or from random weights."""

import logging
from dataclasses import replace
from typing import Any

from torch import nn

from layerwise.checkpointing import Progress
from layerwise.data import DataSpec, TensorData, rows_for_training
from layerwise.evaluation.metrics import LoggedMetric, LoggedMetrics
from layerwise.models import MLP, CalibratedNetwork, Members
from layerwise.models.autoencoder import StackedAutoencoders
from layerwise.models.rbm import DBM, DBN, MeanFieldNetwork
from layerwise.parameters import DBMSettings, DBNSettings, EvaluationSettings
from layerwise.pipelines.views import log_diagnoses
from layerwise.training.autoencoder import SAESettings
from layerwise.training.diagnostics import LayerStatistics
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.supervised import (
    FinetuningHistory,
    FinetuningSettings,
    GridSettings,
    MLPSettings,
    calibrate,
    finetuning_device,
    fit_network,
    new_network,
    train_grid,
)
from layerwise.utils.ranks import in_ranks

log = logging.getLogger(__name__)


def initialize_from_rbms(
    stack: DBN, columns: DataSpec, dbn: DBNSettings, settings: FinetuningSettings, seed: int
) -> MLP:
    """Return a network whose hidden layers are those of the pretrained DBN, under a random output layer."""
    network = initialize_like_rbms(columns, dbn, settings, seed)
    stack.copy_to(network)
    return network


def initialize_like_rbms(columns: DataSpec, dbn: DBNSettings, settings: FinetuningSettings, seed: int) -> MLP:
    """Return a network of the DBN's shape with random weights."""
    return new_network(dbn.layers, columns, settings, seed)


def initialize_from_dbm(
    stack: DBM, columns: DataSpec, dbm: DBMSettings, settings: FinetuningSettings, seed: int
) -> MeanFieldNetwork:
    """Return a network whose hidden layers are those of the deep Boltzmann machine, under a random output layer."""
    return MeanFieldNetwork.of(stack, new_network(dbm.layers, columns, settings, seed))


def initialize_from_encoders(
    stack: StackedAutoencoders,
    columns: DataSpec,
    sae: SAESettings,
    pretraining: PretrainingSettings,
    settings: FinetuningSettings,
    seed: int,
) -> MLP:
    """Return a network whose hidden layers are the pretrained encoders, under a random output layer."""
    network = initialize_like_encoders(columns, sae, pretraining, settings, seed)
    stack.copy_to(network)
    return network


def initialize_like_encoders(
    columns: DataSpec,
    sae: SAESettings,
    pretraining: PretrainingSettings,
    settings: FinetuningSettings,
    seed: int,
) -> MLP:
    """Return a network of the encoders' shape with random weights."""
    shape = sae.resolved(sae.variant)
    layers = MLPSettings(
        hidden_sizes=sae.hidden_sizes,
        activation="sigmoid" if pretraining.method == "rbm" else shape["latent_activation"],
        initializer=shape["initializer"],
    )
    return new_network(layers, columns, settings, seed)


def initialize_network(
    training: TensorData, columns: DataSpec, mlp: MLPSettings, settings: FinetuningSettings, seed: int
) -> MLP:
    """Return a feed-forward network with random weights; the training rows decide the bins of its numbers."""
    return new_network(mlp, columns, settings, seed, training)


@in_ranks
def finetune_network(
    network: MLP,
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: FinetuningSettings,
    seed: int,
    layer_statistics: bool = False,
    pretraining: PretrainingSettings | None = None,
) -> tuple[MLP, FinetuningHistory]:
    """Train the network on the labelled rows, or its output layer alone with `pretraining.freeze`."""
    freeze, watched = pretraining is not None and pretraining.freeze, []
    if layer_statistics:
        device = finetuning_device(network, labelled, settings)
        watched = [LayerStatistics(network.to(device), labelled)]
    options: dict[str, Any] = {"callbacks": watched, "freeze": freeze}
    progress = fit_network(network, labelled, validation, columns, settings, seed, **options)
    for each in watched:
        log_diagnoses(each.diagnoses())
    return network, _history_of(progress, watched)


@in_ranks
def finetune_mean_field_network(
    network: MLP,
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: FinetuningSettings,
    seed: int,
    layer_statistics: bool = False,
    pretraining: PretrainingSettings | None = None,
) -> tuple[MLP, FinetuningHistory]:
    """Train the network of a deep Boltzmann machine; rows that stay the same are inferred once."""
    if not (settings.augmentation.chosen or columns.dynamic_binarization):
        labelled, validation = (
            replace(rows, inputs=network.embed(rows.inputs)) for rows in (labelled, validation)
        )
    return finetune_network(
        network, labelled, validation, columns, settings, seed, layer_statistics, pretraining
    )


def _history_of(progress: Progress, watched: list[LayerStatistics]) -> FinetuningHistory:
    return FinetuningHistory(
        epochs=tuple(progress.history),
        stopped=progress.stop,
        seconds=progress.seconds,
        best_epoch=progress.best_epoch,
        layer_statistics=tuple(epoch.metrics() for each in watched for epoch in each.epochs),
        diagnoses=tuple(diagnosis for each in watched for diagnosis in each.diagnoses()),
    )


def calibrate_network(
    network: MLP, validation: TensorData, columns: DataSpec, settings: EvaluationSettings
) -> CalibratedNetwork:
    """Calibrate the network's probabilities on the validation rows."""
    assert settings.calibration != "none"
    found = calibrate(network, columns.task, validation, settings.calibration)
    if settings.calibration == "temperature":
        log.info("The logits are divided by %.3f", float(found.temperature))
    return found


def train_networks(
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    mlp: MLPSettings,
    settings: FinetuningSettings,
    seed: int,
    seeds: int,
    grid: GridSettings,
) -> tuple[MLP, FinetuningHistory, Members, LoggedMetrics]:
    """Train networks of several seeds, at each point of a grid if there is one; the best point's first is the run's.

    Returns:
        That network, its history, the best point's networks, and the means of their metrics by epoch.
    """
    points = grid.points()
    member_seeds = [seed + k for k in range(seeds)] * max(1, len(points))
    networks = [new_network(mlp, columns, settings, each) for each in member_seeds]
    device = finetuning_device(nn.ModuleList(networks), labelled, settings)
    trained = train_grid(
        [network.to(device) for network in networks],
        member_seeds,
        points,
        rows_for_training(labelled, device),
        rows_for_training(validation, device),
        columns,
        settings,
    )
    log.info("%s", trained)
    members = trained.members().cpu()
    epochs = [
        LoggedMetric(name=name, value=value, step=k + 1)
        for k, means in enumerate(trained.mean_epochs())
        for name, value in means.items()
    ]
    return members.member(0), trained.finetuning_history(), members, LoggedMetrics(tuple(epochs))
