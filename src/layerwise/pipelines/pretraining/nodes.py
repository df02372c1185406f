"""Pretrain the hidden layers on rows without labels: a stack of RBMs or of autoencoders."""

import logging
from dataclasses import replace

from torch import nn

from layerwise.data import DataSpec, TensorData, rows_for_training, with_unlabelled
from layerwise.inference import TrainedModel
from layerwise.models.autoencoder import StackedAutoencoders, from_dbn
from layerwise.models.rbm import DBM, DBN, DBMConfig
from layerwise.parameters import DBMSettings, DBNSettings
from layerwise.training import InitialModel, PretrainingHistory, TrainingError
from layerwise.training.autoencoder import SAESettings, build_stack, pretrain_layers, train_unrolled
from layerwise.training.rbm import PretrainingSettings, pretrain_new_dbn
from layerwise.training.rbm.dbm import pretrain_dbm, train_jointly
from layerwise.utils import choose_device, torch_rng
from layerwise.utils.ranks import in_ranks

log = logging.getLogger(__name__)


@in_ranks
def pretrain_rbms(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    dbn: DBNSettings,
    settings: PretrainingSettings,
    seed: int,
    unlabelled: TensorData | None = None,
    source: TrainedModel | None = None,
) -> tuple[DBN, PretrainingHistory]:
    """Train the RBMs bottom up, the lowest from those of a trained model if there is one."""
    if settings.method == "autoencoder":
        raise TrainingError(
            "pretraining.method: autoencoder makes a stack of autoencoders, which is another pipeline: "
            "kedro run --pipelines=sae"
        )
    training = with_unlabelled(training, unlabelled)
    stack, result = pretrain_new_dbn(
        dbn.hidden_sizes,
        training,
        validation,
        columns,
        settings,
        seed,
        source=_started(source, columns),
    )
    return stack, PretrainingHistory.of(result, _initial_model(source))


@in_ranks
def pretrain_dbm_stack(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    dbm: DBMSettings,
    settings: PretrainingSettings,
    seed: int,
    unlabelled: TensorData | None = None,
    source: TrainedModel | None = None,
) -> tuple[DBM, PretrainingHistory]:
    """Train both layers of a deep Boltzmann machine with doubled weights, then all of it together."""
    bottom, top = dbm.hidden_sizes
    shape = DBMConfig(
        n_visible=columns.n_inputs, hidden_sizes=(bottom, top), mean_field_steps=dbm.mean_field_steps
    )
    stack = DBM(shape)
    device = choose_device(stack, settings.batch_size, "pretraining")
    rows = rows_for_training(with_unlabelled(training, unlabelled), device)
    held_out = rows_for_training(validation, device)
    dynamic = columns.dynamic_binarization
    result = pretrain_dbm(stack.to(device), rows, held_out, settings, seed, dynamic)
    history, seconds = train_jointly(stack, rows, held_out, dbm, settings.batch_size, seed, dynamic)
    layers = result.history | {"joint": history}
    return stack.cpu(), PretrainingHistory.of(
        replace(result, history=layers, seconds=result.seconds + seconds)
    )


@in_ranks
def pretrain_autoencoders(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    sae: SAESettings,
    settings: PretrainingSettings,
    seed: int,
    unlabelled: TensorData | None = None,
    source: TrainedModel | None = None,
) -> tuple[StackedAutoencoders, PretrainingHistory]:
    """Train the autoencoders bottom up, from those of a trained stack if there is one."""
    stack = build_stack(sae, columns, torch_rng(seed, "stack"))
    started = _started(source, columns)
    if started is not None:
        network, name = started
        if not isinstance(network, StackedAutoencoders) or network.config != stack.config:
            raise TrainingError(
                f"pretraining.init_from: {name} is no stack of the same autoencoders; its shape is {network.config}"
            )
        stack.load_state_dict(network.state_dict())
    device = choose_device(stack, settings.batch_size, "pretraining")
    rows = rows_for_training(with_unlabelled(training, unlabelled), device)
    held_out = rows_for_training(validation, device)
    result = pretrain_layers(stack.to(device), rows, held_out, columns, sae, settings, seed)
    return stack.cpu(), PretrainingHistory.of(result, _initial_model(source))


@in_ranks
def pretrain_unrolled_rbms(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    sae: SAESettings,
    settings: PretrainingSettings,
    seed: int,
    unlabelled: TensorData | None = None,
    source: TrainedModel | None = None,
) -> tuple[StackedAutoencoders, PretrainingHistory]:
    """Train RBMs bottom up, then the deep autoencoder that they unroll to (Hinton & Salakhutdinov 2006)."""
    training = with_unlabelled(training, unlabelled)
    dbn, result = pretrain_new_dbn(
        sae.hidden_sizes,
        training,
        validation,
        columns,
        settings,
        seed,
        source=_started(source, columns),
    )
    stack = from_dbn(dbn)
    if sae.unrolled_epochs:
        device = choose_device(stack, settings.batch_size, "unrolled")
        rows, held_out = (rows_for_training(part, device) for part in (training, validation))
        unrolled = train_unrolled(
            stack.to(device), rows, held_out, sae, settings.batch_size, seed, columns.dynamic_binarization
        )
        result = result.followed_by(unrolled)
    return stack.cpu(), PretrainingHistory.of(result, _initial_model(source))


def _started(source: TrainedModel | None, columns: DataSpec) -> tuple[nn.Module, str] | None:
    """Return a trained model's network and name, after its columns were compared with these; None without a model."""
    if source is None:
        return None
    name = source.manifest.registered_name
    difference = columns.difference_of_inputs(source.columns)
    if difference:
        raise TrainingError(f"pretraining.init_from: {name} does not fit these rows: {difference}")
    log.info("The lowest layers start from %s", name)
    return source.network.cpu(), name


def _initial_model(source: TrainedModel | None) -> InitialModel | None:
    if source is None:
        return None
    manifest = source.manifest
    return InitialModel(name=manifest.registered_name, run_id=manifest.run_id, sha256=source.sha256)
