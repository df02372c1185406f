"""The feed-forward network: preprocessing, training from random weights, evaluation."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.composition import compose
from layerwise.sweeping import SUPERVISED

OBJECTIVE = SUPERVISED


def create_pipeline() -> Pipeline:
    """Return the whole pipeline."""
    return compose("mlp", "mlp")
