"""Pretrain the hidden layers on rows without labels: a stack of RBMs or of autoencoders."""

from layerwise.data import DataSpec, TensorData
from layerwise.models.autoencoder import StackedAutoencoders, from_dbn
from layerwise.models.rbm import DBN, DBNConfig
from layerwise.parameters import DBNSettings
from layerwise.training import PretrainingHistory, PretrainingResult, TrainingError
from layerwise.training.autoencoder import SAESettings, build_stack, pretrain_layers, train_unrolled
from layerwise.training.rbm import PretrainingSettings, pretrain_dbn
from layerwise.utils import choose_device, torch_rng


def pretrain_stack(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    dbn: DBNSettings,
    settings: PretrainingSettings,
    seed: int,
) -> tuple[DBN, PretrainingHistory]:
    """Train the RBMs bottom up; with method `none` they keep their random weights."""
    if settings.method == "autoencoder":
        raise TrainingError(
            "pretraining.method: autoencoder makes a stack of autoencoders, which is another pipeline: "
            "kedro run --pipelines=sae"
        )
    stack = _new_dbn(dbn.hidden_sizes, columns, settings, seed)
    if settings.method == "none":
        return stack, EMPTY_HISTORY
    device = choose_device(stack, settings.batch_size, "pretraining")
    rows, held_out = training.to(device), validation.to(device)
    result = _pretrain_dbn(stack.to(device), rows, held_out, columns, settings, seed)
    return stack.cpu(), PretrainingHistory.of(result)


def pretrain_autoencoders(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    sae: SAESettings,
    settings: PretrainingSettings,
    seed: int,
) -> tuple[StackedAutoencoders, PretrainingHistory]:
    """Train the autoencoders bottom up; method `rbm`: RBMs, then the deep autoencoder they unroll to."""
    if settings.method == "rbm":
        dbn = _new_dbn(sae.hidden_sizes, columns, settings, seed)
        device = choose_device(dbn, settings.batch_size, "pretraining")
        rows, held_out = training.to(device), validation.to(device)
        first = _pretrain_dbn(dbn.to(device), rows, held_out, columns, settings, seed)
        stack = from_dbn(dbn)
        if not sae.unrolled_epochs:
            return stack.cpu(), PretrainingHistory.of(first)
        dynamic_binarization, batch_size = columns.dynamic_binarization, settings.batch_size
        result = train_unrolled(stack, rows, held_out, sae, batch_size, seed, dynamic_binarization)
        both = PretrainingResult(
            first.history | result.history,
            result.reconstruction_history,
            result.row,
            first.seconds + result.seconds,
        )
        return stack.cpu(), PretrainingHistory.of(both)
    stack = build_stack(sae, columns, torch_rng(seed, "stack"))
    if settings.method == "none":
        return stack, EMPTY_HISTORY
    device = choose_device(stack, settings.batch_size, "pretraining")
    rows, held_out = training.to(device), validation.to(device)
    result = pretrain_layers(stack.to(device), rows, held_out, columns, sae, settings, seed)
    return stack.cpu(), PretrainingHistory.of(result)


EMPTY_HISTORY = PretrainingHistory(layers={}, seconds=0.0)


def _new_dbn(
    hidden_sizes: tuple[int, ...], columns: DataSpec, settings: PretrainingSettings, seed: int
) -> DBN:
    visible = settings.visible
    if visible == "auto":
        visible = "bernoulli" if columns.bounded or columns.image_shape else "gaussian"
    shape = DBNConfig(n_visible=columns.n_inputs, hidden_sizes=hidden_sizes, visible=visible)
    return DBN(shape, torch_rng(seed, "stack"))


def _pretrain_dbn(
    stack: DBN,
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: PretrainingSettings,
    seed: int,
) -> PretrainingResult:
    return pretrain_dbn(
        stack, training, validation, settings, seed, dynamic_binarization=columns.dynamic_binarization
    )
