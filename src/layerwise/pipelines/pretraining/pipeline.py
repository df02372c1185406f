"""The pretraining stage: greedy layer-wise training of the hidden layers without labels."""

from collections.abc import Callable

from kedro.pipeline import Pipeline

from layerwise.pipelines.facts import current_facts
from layerwise.pipelines.pretraining import nodes
from layerwise.pipelines.previews import StackPreview
from layerwise.pipelines.stage import Stage


def create_pipeline(pipeline: str = "pretraining", stack: str = "dbn") -> Pipeline:
    """Return the pretraining of a pipeline: of RBMs (`dbn`, `dbm`), or of autoencoders (`sae`)."""
    facts = current_facts()
    inputs = {
        "training": "training",
        "validation": "validation",
        "columns": "data_spec",
        stack: f"{stack}_settings",
        "settings": "pretraining_settings",
        "seed": "params:seed",
    }
    if facts.are_partly_labelled:
        inputs["unlabelled"] = "unlabelled"
    if facts.parameter("pretraining.init_from"):
        inputs["source"] = "pretraining_source"
    pretrain: Callable[..., object] = nodes.pretrain_rbms
    if stack == "dbm":
        pretrain = nodes.pretrain_dbm_stack
    if stack == "sae":
        with_rbms = facts.parameter("pretraining.method") == "rbm"
        pretrain = nodes.pretrain_unrolled_rbms if with_rbms else nodes.pretrain_autoencoders
    outputs = ["stack", "pretraining_history"]
    return Pipeline(
        [
            Stage("pretraining", pipeline).node(
                pretrain, inputs, outputs, "pretrain_stack", StackPreview(pipeline)
            )
        ]
    )
