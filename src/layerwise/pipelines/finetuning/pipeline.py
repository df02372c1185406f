"""The fine-tuning stage: supervised training of the whole network."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.finetuning.network_stack import train_networks
from layerwise.pipelines.finetuning.nodes import finetune_encoders, finetune_stack
from layerwise.pipelines.previews import NetworkPreview
from layerwise.pipelines.stage import Stage


def create_pipeline(pipeline: str = "finetuning", pretrained: bool = True, stack: str = "dbn") -> Pipeline:
    """Return the fine-tuning of a pipeline: from a pretrained stack, or from random weights."""
    rows = ["labelled", "validation", "data_spec"]
    outputs = ["network", "finetuning_history"]
    settings = ["params:finetuning", "params:seed", "params:layer_statistics"]
    stage, preview = Stage("finetuning", pipeline), NetworkPreview(pipeline)
    if pretrained:
        inputs = ["stack", *rows, f"params:{stack}", "params:pretraining", *settings]
        function = finetune_encoders if stack == "sae" else finetune_stack
        return Pipeline([stage.node(function, inputs, outputs, "finetune_network", preview)])
    inputs = [*rows, "params:mlp", *settings, "params:seeds", "params:grid"]
    return Pipeline([stage.node(train_networks, inputs, [*outputs, "members"], "train_network", preview)])
