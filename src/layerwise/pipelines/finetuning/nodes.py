"""Train the whole network on labelled rows: from a pretrained stack, or from random weights."""

import logging
from collections.abc import Sequence

from layerwise.data import DataSpec, TensorData
from layerwise.models import MLP, MLPConfig, for_each_layer
from layerwise.models.autoencoder import StackedAutoencoders
from layerwise.models.rbm import DBN
from layerwise.parameters import DBNSettings, MLPSettings
from layerwise.training import TrainingError
from layerwise.training.autoencoder import SAESettings
from layerwise.training.diagnostics import LayerStatistics
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.supervised import FinetuningHistory, FinetuningSettings, finetune
from layerwise.utils import choose_device, torch_rng

log = logging.getLogger(__name__)


def finetune_stack(
    stack: DBN,
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    dbn: DBNSettings,
    pretraining: PretrainingSettings,
    settings: FinetuningSettings,
    seed: int,
    layer_statistics: bool = False,
) -> tuple[MLP, FinetuningHistory]:
    """Put an output layer on the DBN and train all of it; with method `none` all weights start at random."""
    layers = MLPSettings(
        hidden_sizes=dbn.hidden_sizes, activation="sigmoid", initializer=dbn.random_initializer
    )
    network = new_network(layers, columns, settings, seed)
    if pretraining.method != "none":
        stack.copy_to(network)
    return _finetune(
        network, labelled, validation, columns, settings, seed, pretraining.freeze, layer_statistics
    )


def finetune_encoders(
    stack: StackedAutoencoders,
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    sae: SAESettings,
    pretraining: PretrainingSettings,
    settings: FinetuningSettings,
    seed: int,
    layer_statistics: bool = False,
) -> tuple[MLP, FinetuningHistory]:
    """Put an output layer on the encoders and train all of it; with method `none` they start at random."""
    shape = sae.resolved(sae.variant)
    uses_rbms = pretraining.method == "rbm"
    layers = MLPSettings(
        hidden_sizes=sae.hidden_sizes,
        activation="sigmoid" if uses_rbms else shape["latent_activation"],
        initializer=shape["initializer"],
    )
    network = new_network(layers, columns, settings, seed)
    if pretraining.method != "none":
        stack.copy_to(network)
    return _finetune(
        network, labelled, validation, columns, settings, seed, pretraining.freeze, layer_statistics
    )


def finetune_random_start(
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    mlp: MLPSettings,
    settings: FinetuningSettings,
    seed: int,
    layer_statistics: bool = False,
    silent: bool = False,
) -> tuple[MLP, FinetuningHistory]:
    """Train a feed-forward network from random weights."""
    network = new_network(mlp, columns, settings, seed)
    return _finetune(network, labelled, validation, columns, settings, seed, False, layer_statistics, silent)


def new_network(layers: MLPSettings, columns: DataSpec, settings: FinetuningSettings, seed: int) -> MLP:
    """Return a network for preprocessed rows with the random weights of its seed."""
    try:
        for_each_layer(settings.dropout, len(layers.hidden_sizes), "finetuning.dropout")
    except ValueError as error:
        raise TrainingError(str(error)) from error
    shape = MLPConfig(
        n_inputs=columns.n_inputs,
        n_outputs=columns.n_outputs,
        input_dropout=settings.input_dropout,
        dropout=settings.dropout,
        dropconnect=settings.dropconnect,
        dropconnect_masks=settings.dropconnect_masks,
        output="exponential" if settings.loss == "poisson" else "linear",
        **layers.model_dump(),
    )
    return MLP(shape, torch_rng(seed, "network"))


def _finetune(
    network: MLP,
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: FinetuningSettings,
    seed: int,
    freeze: bool,
    layer_statistics: bool = False,
    silent: bool = False,
) -> tuple[MLP, FinetuningHistory]:
    device = choose_device(network, settings.effective_batch_size(len(labelled)), "fine-tuning")
    probe = LayerStatistics(network.to(device), labelled.to(device), report=not silent)
    progress = finetune(
        network,
        columns.task,
        labelled.to(device),
        validation.to(device),
        settings,
        seed,
        freeze=freeze,
        dynamic_binarization=columns.dynamic_binarization,
        image_shape=columns.image_shape,
        callbacks=[probe] if layer_statistics else [],
        silent=silent,
    )
    if layer_statistics:
        _log_diagnoses(probe.diagnoses())
    return network.cpu(), FinetuningHistory(
        epochs=tuple(progress.history),
        stopped=progress.stop,
        seconds=progress.seconds,
        layer_statistics=tuple(each.metrics() for each in probe.epochs) if layer_statistics else (),
        diagnoses=tuple(probe.diagnoses()) if layer_statistics else (),
    )


def _log_diagnoses(diagnoses: Sequence[str]) -> None:
    for diagnosis in diagnoses:
        log.warning(diagnosis)
    if not diagnoses:
        log.info("healthy: gradients, updates and activations are as they should be")
