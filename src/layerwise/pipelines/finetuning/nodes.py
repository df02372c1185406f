"""Learn the whole network from labels."""

import logging
from typing import Any

from layerwise.data.tensors import Description, Rows
from layerwise.models.autoencoder.stacked import StackedAutoencoders
from layerwise.models.mlp import MLP, MLPConfig, for_each_layer
from layerwise.models.rbm.dbn import DBN
from layerwise.parameters.networks import DBNSettings, MLPSettings
from layerwise.training.autoencoder.stack_settings import SAESettings
from layerwise.training.diagnostics.layer_statistics import HealthProbe
from layerwise.training.plan import TrainingError
from layerwise.training.rbm.pretraining import PretrainingSettings
from layerwise.training.supervised.finetuning import finetune
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.devices import best_device
from layerwise.utils.random_streams import generator_for

log = logging.getLogger(__name__)


def finetune_stack(
    stack: DBN,
    labelled: Rows,
    validation: Rows,
    description: dict[str, Any],
    dbn: DBNSettings,
    pretraining: PretrainingSettings,
    settings: FinetuningSettings,
    seed: int,
    health: bool = False,
) -> tuple[MLP, dict[str, Any]]:
    """Put a task head on the stack and train all of it; with method `none` the same net starts at random."""
    layers = MLPSettings(
        hidden_sizes=dbn.hidden_sizes, activation="sigmoid", initialiser=dbn.random_initialiser
    )
    network = new_network(layers, description, settings, seed)
    if pretraining.method != "none":
        stack.copy_to(network)
    return _finetune(network, labelled, validation, description, settings, seed, pretraining.freeze, health)


def finetune_encoders(
    stack: StackedAutoencoders,
    labelled: Rows,
    validation: Rows,
    description: dict[str, Any],
    sae: SAESettings,
    pretraining: PretrainingSettings,
    settings: FinetuningSettings,
    seed: int,
    health: bool = False,
) -> tuple[MLP, dict[str, Any]]:
    """Put a task head on the stacked encoders and train all of it; with method `none` the net starts at random."""
    shape = sae.of_variant(sae.variant)
    machines = pretraining.method == "rbm"
    layers = MLPSettings(
        hidden_sizes=sae.hidden_sizes,
        activation="sigmoid" if machines else shape["code_activation"],
        initialiser=shape["initialiser"],
    )
    network = new_network(layers, description, settings, seed)
    if pretraining.method != "none":
        stack.copy_to(network)
    return _finetune(network, labelled, validation, description, settings, seed, pretraining.freeze, health)


def finetune_random_start(
    labelled: Rows,
    validation: Rows,
    description: dict[str, Any],
    mlp: MLPSettings,
    settings: FinetuningSettings,
    seed: int,
    health: bool = False,
    quiet: bool = False,
) -> tuple[MLP, dict[str, Any]]:
    """Train a feed-forward network from its random start."""
    network = new_network(mlp, description, settings, seed)
    return _finetune(network, labelled, validation, description, settings, seed, False, health, quiet)


def new_network(
    layers: MLPSettings, description: dict[str, Any], settings: FinetuningSettings, seed: int
) -> MLP:
    """Return a network for prepared rows, as its seed draws it."""
    columns = Description(**description)
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
    return MLP(shape, generator_for(seed, "network"))


def _finetune(
    network: MLP,
    labelled: Rows,
    validation: Rows,
    description: dict[str, Any],
    settings: FinetuningSettings,
    seed: int,
    freeze: bool,
    health: bool = False,
    quiet: bool = False,
) -> tuple[MLP, dict[str, Any]]:
    device = best_device()
    columns = Description(**description)
    probe = HealthProbe(network.to(device), labelled.to(device), report=not quiet)
    progress = finetune(
        network,
        columns.task,
        labelled.to(device),
        validation.to(device),
        settings,
        seed,
        freeze=freeze,
        fresh=columns.fresh_binarisation,
        image_shape=columns.image_shape,
        callbacks=[probe] if health else [],
        quiet=quiet,
    )
    history: dict[str, Any] = {
        "epochs": progress.history,
        "stopped": progress.stop,
        "seconds": progress.seconds,
    }
    if health:
        history |= {"health": [each.metrics() for each in probe.epochs], "verdicts": probe.verdicts()}
        for verdict in history["verdicts"] or [
            "healthy: gradients, updates and activities are as they should be"
        ]:
            log.warning(verdict) if history["verdicts"] else log.info(verdict)
    return network, history
