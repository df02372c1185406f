"""Learn the hidden layers from rows without labels."""

from typing import Any

from layerwise.data.tensors import Description, Rows
from layerwise.models.autoencoder.stacked import StackedAutoencoders, from_machines
from layerwise.models.rbm.dbn import DBN, DBNConfig
from layerwise.parameters.networks import DBNSettings
from layerwise.training.autoencoder.stack_settings import SAESettings
from layerwise.training.autoencoder.stacking import new_stack, pretrain_layers, train_unrolled
from layerwise.training.plan import TrainingError
from layerwise.training.rbm.pretraining import Pretrained, PretrainingSettings, pretrain
from layerwise.utils.devices import best_device
from layerwise.utils.random_streams import generator_for


def pretrain_stack(
    training: Rows,
    validation: Rows,
    description: dict[str, Any],
    dbn: DBNSettings,
    settings: PretrainingSettings,
    seed: int,
) -> tuple[DBN, dict[str, Any]]:
    """Train the machines bottom up; with method `none` they stay as they were drawn."""
    if settings.method == "autoencoder":
        raise TrainingError(
            "pretraining.method: autoencoder makes a stack of autoencoders, which is another pipeline: "
            "kedro run --pipelines=sae"
        )
    stack = _new_machines(dbn.hidden_sizes, description, settings, seed)
    if settings.method == "none":
        return stack, NOTHING
    return stack, _history(_pretrain_machines(stack, training, validation, description, settings, seed))


def pretrain_autoencoders(
    training: Rows,
    validation: Rows,
    description: dict[str, Any],
    sae: SAESettings,
    settings: PretrainingSettings,
    seed: int,
) -> tuple[StackedAutoencoders, dict[str, Any]]:
    """Train the autoencoders bottom up; with method `rbm` machines first, then the deep autoencoder they unroll to."""
    columns, device = Description(**description), best_device()
    rows, held_out = training.to(device), validation.to(device)
    if settings.method == "rbm":
        machines = _new_machines(sae.hidden_sizes, description, settings, seed)
        first = _pretrain_machines(machines, training, validation, description, settings, seed)
        stack = from_machines(machines)
        if not sae.unrolled_epochs:
            return stack, _history(first)
        fresh, batch_size = columns.fresh_binarisation, settings.batch_size
        result = train_unrolled(stack, rows, held_out, sae, batch_size, seed, fresh)
        both = Pretrained(
            first.history | result.history, result.stages, result.row, first.seconds + result.seconds
        )
        return stack, _history(both)
    stack = new_stack(sae, columns, generator_for(seed, "stack")).to(device)
    if settings.method == "none":
        return stack, NOTHING
    return stack, _history(pretrain_layers(stack, rows, held_out, columns, sae, settings, seed))


NOTHING: dict[str, Any] = {"layers": {}, "stages": [], "row": [], "seconds": 0.0}


def _new_machines(
    hidden_sizes: tuple[int, ...], description: dict[str, Any], settings: PretrainingSettings, seed: int
) -> DBN:
    columns = Description(**description)
    visible = settings.visible
    if visible == "auto":
        visible = "bernoulli" if columns.bounded or columns.image_shape else "gaussian"
    shape = DBNConfig(n_visible=columns.n_inputs, hidden_sizes=hidden_sizes, visible=visible)
    return DBN(shape, generator_for(seed, "stack")).to(best_device())


def _pretrain_machines(
    stack: DBN,
    training: Rows,
    validation: Rows,
    description: dict[str, Any],
    settings: PretrainingSettings,
    seed: int,
) -> Pretrained:
    device, fresh = best_device(), Description(**description).fresh_binarisation
    return pretrain(stack, training.to(device), validation.to(device), settings, seed, fresh=fresh)


def _history(result: Pretrained) -> dict[str, Any]:
    stages = [
        {"epoch": epoch, "reconstruction": row.tolist(), "loss": loss} for epoch, row, loss in result.stages
    ]
    return {
        "layers": result.history,
        "stages": stages,
        "row": result.row.tolist(),
        "seconds": result.seconds,
    }
