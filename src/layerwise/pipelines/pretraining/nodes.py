"""Pretrain the hidden layers on rows without labels: a stack of RBMs or of autoencoders."""

from layerwise.data import DataSpec, TensorData, with_unlabelled
from layerwise.models.autoencoder import StackedAutoencoders, from_dbn
from layerwise.models.rbm import DBN
from layerwise.parameters import DBNSettings
from layerwise.training import PretrainingHistory, TrainingError
from layerwise.training.autoencoder import SAESettings, build_stack, pretrain_layers, train_unrolled
from layerwise.training.rbm import PretrainingSettings, pretrain_new_dbn
from layerwise.utils import choose_device, torch_rng


def pretrain_rbms(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    dbn: DBNSettings,
    settings: PretrainingSettings,
    seed: int,
    unlabelled: TensorData | None = None,
) -> tuple[DBN, PretrainingHistory]:
    """Train the RBMs bottom up."""
    if settings.method == "autoencoder":
        raise TrainingError(
            "pretraining.method: autoencoder makes a stack of autoencoders, which is another pipeline: "
            "kedro run --pipelines=sae"
        )
    training = with_unlabelled(training, unlabelled)
    stack, result = pretrain_new_dbn(dbn.hidden_sizes, training, validation, columns, settings, seed)
    return stack, PretrainingHistory.of(result)


def pretrain_autoencoders(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    sae: SAESettings,
    settings: PretrainingSettings,
    seed: int,
    unlabelled: TensorData | None = None,
) -> tuple[StackedAutoencoders, PretrainingHistory]:
    """Train the autoencoders bottom up."""
    stack = build_stack(sae, columns, torch_rng(seed, "stack"))
    device = choose_device(stack, settings.batch_size, "pretraining")
    rows, held_out = with_unlabelled(training, unlabelled).to(device), validation.to(device)
    result = pretrain_layers(stack.to(device), rows, held_out, columns, sae, settings, seed)
    return stack.cpu(), PretrainingHistory.of(result)


def pretrain_unrolled_rbms(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    sae: SAESettings,
    settings: PretrainingSettings,
    seed: int,
    unlabelled: TensorData | None = None,
) -> tuple[StackedAutoencoders, PretrainingHistory]:
    """Train RBMs bottom up, then the deep autoencoder that they unroll to (Hinton & Salakhutdinov 2006)."""
    training = with_unlabelled(training, unlabelled)
    dbn, result = pretrain_new_dbn(sae.hidden_sizes, training, validation, columns, settings, seed)
    stack = from_dbn(dbn)
    if sae.unrolled_epochs:
        device = choose_device(stack, settings.batch_size, "unrolled")
        stack, rows, held_out = stack.to(device), training.to(device), validation.to(device)
        unrolled = train_unrolled(
            stack, rows, held_out, sae, settings.batch_size, seed, columns.dynamic_binarization
        )
        result = result.followed_by(unrolled)
    return stack.cpu(), PretrainingHistory.of(result)
