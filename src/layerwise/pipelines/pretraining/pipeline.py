"""The pretraining stage: greedy layer-wise training of the hidden layers without labels."""

from collections.abc import Callable

from kedro.pipeline import Pipeline

from layerwise.pipelines.facts import current_facts
from layerwise.pipelines.pretraining import nodes
from layerwise.pipelines.previews import StackPreview
from layerwise.pipelines.stage import Stage


def create_pipeline(pipeline: str = "pretraining", stack: str = "dbn") -> Pipeline:
    """Return the pretraining of a pipeline: of RBMs (`dbn`), or of autoencoders (`sae`)."""
    inputs = [
        "training",
        "validation",
        "data_spec",
        f"{stack}_settings",
        "pretraining_settings",
        "params:seed",
        *(["unlabelled"] if current_facts().are_partly_labelled else []),
    ]
    pretrain: Callable[..., object] = nodes.pretrain_rbms
    if stack == "sae":
        with_rbms = current_facts().parameter("pretraining.method") == "rbm"
        pretrain = nodes.pretrain_unrolled_rbms if with_rbms else nodes.pretrain_autoencoders
    outputs = ["stack", "pretraining_history"]
    return Pipeline(
        [
            Stage("pretraining", pipeline).node(
                pretrain, inputs, outputs, "pretrain_stack", StackPreview(pipeline)
            )
        ]
    )
