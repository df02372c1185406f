"""The deep Boltzmann machine: preprocessing, pretraining layer by layer and together, fine-tuning, evaluation."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.composition import compose
from layerwise.sweeping import SUPERVISED

OBJECTIVE = SUPERVISED


def create_pipeline() -> Pipeline:
    """Return the whole pipeline."""
    return compose("dbm", "dbm")
