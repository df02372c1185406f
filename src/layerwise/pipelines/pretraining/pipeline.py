"""The pretraining stage: hidden layers learn layer by layer, without labels."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.pretraining.nodes import pretrain_autoencoders, pretrain_stack
from layerwise.pipelines.previews import StackPreview
from layerwise.pipelines.stage import Stage


def create_pipeline(pipeline: str = "pretraining", stack: str = "dbn") -> Pipeline:
    """Return the pretraining of a pipeline: of RBMs (`dbn`), or of autoencoders (`sae`)."""
    settings = [f"params:{stack}", "params:pretraining", "params:seed"]
    return Pipeline(
        [
            Stage("pretraining", pipeline).node(
                pretrain_autoencoders if stack == "sae" else pretrain_stack,
                ["training", "validation", "data_spec", *settings],
                ["stack", "pretraining_history"],
                name="pretrain_stack",
                preview=StackPreview(pipeline),
            )
        ]
    )
