"""The deep belief network: preprocessing, a stack of RBMs, fine-tuning, evaluation."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.composition import compose
from layerwise.sweeping import SUPERVISED

OBJECTIVE = SUPERVISED


def create_pipeline() -> Pipeline:
    """Return the whole pipeline."""
    return compose("dbn", "dbn")
