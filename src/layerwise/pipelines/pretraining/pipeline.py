"""Learn the hidden layers from rows without labels."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.pretraining.nodes import pretrain_stack
from layerwise.pipelines.previews import StackPreview


def create_pipeline(name: str = "pretraining") -> Pipeline:
    """Return the pretraining of the pipeline `name`."""
    inputs = ["training", "validation", "description", "params:dbn", "params:pretraining", "params:seed"]
    return Pipeline(
        [
            Node(
                pretrain_stack,
                inputs,
                ["stack", "pretraining_history"],
                name="pretrain_stack",
                preview_fn=StackPreview(name),
            )
        ]
    )
