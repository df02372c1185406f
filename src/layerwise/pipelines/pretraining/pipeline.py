"""Greedy layer-wise pretraining of the hidden layers without labels."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.pretraining.nodes import pretrain_autoencoders, pretrain_stack
from layerwise.pipelines.previews import StackPreview


def create_pipeline(name: str = "pretraining", stack: str = "dbn") -> Pipeline:
    """Return the pretraining of the pipeline `name`: of RBMs (`dbn`), or of autoencoders (`sae`)."""
    shape = f"params:{stack}"
    inputs = ["training", "validation", "data_spec", shape, "params:pretraining", "params:seed"]
    return Pipeline(
        [
            Node(
                pretrain_autoencoders if stack == "sae" else pretrain_stack,
                inputs,
                ["stack", "pretraining_history"],
                name="pretrain_stack",
                preview_fn=StackPreview(name),
            )
        ]
    )
