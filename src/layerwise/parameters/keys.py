"""The parameter model of every top-level key in `conf/`: one model a key, the same for all pipelines."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, NonNegativeInt, PositiveInt, TypeAdapter

from layerwise.checkpointing import CheckpointSettings
from layerwise.data import PreprocessingSettings, Problem, SplitSettings
from layerwise.parameters.compare import CompareSettings
from layerwise.parameters.compute import ComputeSettings, TrackingSettings
from layerwise.parameters.evaluation import EvaluationSettings
from layerwise.parameters.inference import EvaluateSettings, PredictSettings
from layerwise.parameters.networks import DBMSettings, DBNSettings, RBMSettings
from layerwise.training.autoencoder import AutoencoderSettings, SAESettings
from layerwise.training.diagnostics import GradientStudySettings
from layerwise.training.gan import GANSettings, PairSettings, RingSettings
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.supervised import FinetuningSettings, GridSettings, MLPSettings
from layerwise.utils import setting

PARAMETERS: dict[str, Any] = {
    "seed": Annotated[NonNegativeInt, setting(0, "of every stream of random numbers")],
    "problem": Problem,
    "split": SplitSettings,
    "preprocessing": PreprocessingSettings,
    "labelled_rows": Annotated[
        PositiveInt | None,
        setting(
            None,
            "fine-tune on so many labels, in the proportions of the classes, and pretrain on all rows; null: all",
        ),
    ],
    "pretraining": PretrainingSettings,
    "dbn": DBNSettings,
    "dbm": DBMSettings,
    "mlp": MLPSettings,
    "rbm": RBMSettings,
    "autoencoder": AutoencoderSettings,
    "sae": SAESettings,
    "finetuning": FinetuningSettings,
    "evaluation": EvaluationSettings,
    "refit": Annotated[
        bool,
        setting(
            False,
            "mlp, dbn, sae: register a network that is trained anew on all rows, once the other one has been measured",
        ),
    ],
    "layer_statistics": Annotated[
        bool, setting(False, "watch every layer while a network learns, and say in words what is wrong")
    ],
    "seeds": Annotated[
        int,
        setting(
            1,
            "mlp: so many networks at once, of the seeds seed, seed + 1, ...: mean and standard deviation",
            ge=1,
            le=1000,
        ),
    ],
    "grid": GridSettings,
    "gradients": GradientStudySettings,
    "gan": GANSettings,
    "ring": RingSettings,
    "gan_applications": PairSettings,
    "synthesize": Annotated[
        PositiveInt | None,
        setting(None, "gan: generated rows to write into a CSV file; null: ten, as an example"),
    ],
    "compare": CompareSettings,
    "compute": ComputeSettings,
    "tracking": TrackingSettings,
    "checkpoints": CheckpointSettings,
    "resume": Annotated[
        bool | str,
        setting(False, "true: go on with the run of the same command that was cut off; or that run's id"),
    ],
    "predict": PredictSettings,
    "evaluate": EvaluateSettings,
}


def default_of(key: str) -> Any:
    """Return a top-level key's default as plain data; nothing for settings of which some have no default."""
    kind = PARAMETERS[key]
    if not is_model(kind):
        found = TypeAdapter(kind).get_default_value()
        return None if found is None else found.value
    required = any(field.is_required() for field in kind.model_fields.values())
    if required:
        return {}
    return kind().model_dump(mode="json") | dict.fromkeys(kind.names_by_rule())


def is_model(kind: Any) -> bool:
    """Return whether a key holds settings, not one value."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def without_empty_keys(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters with the defaults in every key of settings that has nothing under it: `finetuning:`."""
    empty = [key for key, value in parameters.items() if value is None and is_model(PARAMETERS.get(key))]
    return parameters | {key: default_of(key) for key in empty}
