"""The network that fine-tuning starts from where it is a trained one."""

import logging
from collections.abc import Mapping
from typing import Any

from layerwise.inference import TrainedModel
from layerwise.models import MLP, CalibratedNetwork, MLPConfig
from layerwise.training import InitialModel, TrainingError
from layerwise.training.supervised import FinetuningSettings, MLPSettings

log = logging.getLogger(__name__)
# What the settings of fine-tuning say of a network, and no weight depends on.
OF_FINETUNING = ("input_dropout", "dropout", "dropconnect", "dropconnect_masks")


def initialize_from_model(
    given: Mapping[str, Any], source: TrainedModel, settings: FinetuningSettings
) -> tuple[MLP, InitialModel]:
    """Return a network with the shape and the weights of a trained one, and what it was.

    Args:
        given: the settings of the network's shape, as they were configured.
        source: a supervised network, calibrated or not.
        settings: say what is dropped at random.

    Raises:
        TrainingError: it is no feed-forward network, or settings ask for another shape.
    """
    name, trained = source.manifest.registered_name, source.network
    if isinstance(trained, CalibratedNetwork):
        trained = trained.network
    if not isinstance(trained, MLP):
        raise TrainingError(
            f"finetuning.init_from: {name} is a {type(trained).__name__}, and fine-tuning starts from a network that "
            "predicts"
        )
    for setting, wanted in _stated(given).items():
        found = getattr(trained.config, setting)
        if found != wanted:
            raise TrainingError(
                f"finetuning.init_from: {name} has {setting} {found}, and the settings say {wanted}; leave them out"
            )
    if (settings.loss == "poisson") != (trained.config.output == "exponential"):
        raise TrainingError(f"finetuning.init_from: {name} was trained with another kind of finetuning.loss")
    own = {field: getattr(settings, field) for field in OF_FINETUNING}
    network = type(trained)(trained.config.model_copy(update=own))
    network.load_state_dict(trained.cpu().state_dict())
    log.info("The network starts from %s: %s", name, list(network.config.hidden_sizes))
    return network, InitialModel(name=name, run_id=source.manifest.run_id, sha256=source.sha256)


def _stated(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the settings of a network's shape say of it: sizes, and what is not as it is by default."""
    # What is null follows from the rows, and there from the source.
    fields = MLPSettings.model_fields
    known = {name: value for name, value in given.items() if name in fields and value is not None}
    layers = MLPSettings.model_validate(dict.fromkeys(MLPSettings.names_by_rule()) | known)
    found = {name: getattr(layers, name) for name in known if name in MLPConfig.model_fields}
    # An embedding has another form in a network's own shape, and follows from its source.
    stated = [n for n in found if n != "number_embedding" and (n == "hidden_sizes" or layers.changed(n))]
    return {name: found[name] for name in stated if found[name] is not None}
