"""Learn the hidden layers from rows without labels."""

from typing import Any

from layerwise.data.rows import Description, Rows
from layerwise.models.dbn import DBN, DBNConfig
from layerwise.parameters import DBNSettings
from layerwise.seeding import generator_for
from layerwise.training.devices import best_device
from layerwise.training.pretraining import PretrainingSettings, pretrain


def pretrain_stack(
    training: Rows,
    validation: Rows,
    description: dict[str, Any],
    dbn: DBNSettings,
    settings: PretrainingSettings,
    seed: int,
) -> tuple[DBN, dict[str, Any]]:
    """Train the machines bottom up; with method `none` they stay as they were drawn."""
    columns = Description(**description)
    visible = settings.visible
    if visible == "auto":
        visible = "bernoulli" if columns.bounded or columns.image_shape else "gaussian"
    device = best_device()
    shape = DBNConfig(n_visible=columns.n_inputs, hidden_sizes=dbn.hidden_sizes, visible=visible)
    stack = DBN(shape, generator_for(seed, "stack")).to(device)
    if settings.method == "none":
        return stack, {"layers": {}, "stages": [], "row": [], "seconds": 0.0}
    result = pretrain(
        stack, training.to(device), validation.to(device), settings, seed, fresh=columns.fresh_binarisation
    )
    stages = [
        {"epoch": epoch, "reconstruction": row.tolist(), "loss": loss} for epoch, row, loss in result.stages
    ]
    return stack, {
        "layers": result.history,
        "stages": stages,
        "row": result.row.tolist(),
        "seconds": result.seconds,
    }
