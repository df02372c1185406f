"""The stage that fits a model of scikit-learn in place of a network."""

from collections.abc import Callable

from kedro.pipeline import Pipeline

from layerwise.models import EstimatorNetwork
from layerwise.pipelines.facts import calibrates, current_facts, trained_network
from layerwise.pipelines.finetuning import nodes as finetuning
from layerwise.pipelines.scikit_learn import nodes
from layerwise.pipelines.stage import Stage

FITS: dict[str, Callable[..., EstimatorNetwork]] = {
    "linear": nodes.fit_linear,
    "forest": nodes.fit_forest,
    "boosting": nodes.fit_boosting,
}


def create_pipeline(pipeline: str) -> Pipeline:
    """Return the fit of a model, and its calibration where that is asked for.

    Args:
        pipeline: its name, which is the model's: `linear`, `forest` or `boosting`.
    """
    stage, fitted = Stage("training", pipeline), trained_network(current_facts())
    found = [stage.node(FITS[pipeline], ["labelled", "data_spec", "params:seed"], fitted, "fit_model")]
    if calibrates(current_facts()):
        inputs = [fitted, "validation", "data_spec", "params:evaluation"]
        found.append(stage.node(finetuning.calibrate_network, inputs, "network"))
    return Pipeline(found)
