"""Supervised training of the whole network."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.finetuning.network_stack import train_networks
from layerwise.pipelines.finetuning.nodes import finetune_encoders, finetune_stack
from layerwise.pipelines.previews import NetworkPreview


def create_pipeline(name: str = "finetuning", pretrained: bool = True, stack: str = "dbn") -> Pipeline:
    """Return the fine-tuning of the pipeline `name`: from a pretrained stack, or from random weights."""
    rows = ["labelled", "validation", "data_spec"]
    outputs = ["network", "finetuning_history"]
    settings = ["params:finetuning", "params:seed", "params:layer_statistics"]
    preview = NetworkPreview(name)
    if pretrained:
        inputs = ["stack", *rows, f"params:{stack}", "params:pretraining", *settings]
        function = finetune_encoders if stack == "sae" else finetune_stack
        node = Node(function, inputs, outputs, name="finetune_network", preview_fn=preview)
    else:
        inputs = [*rows, "params:mlp", *settings, "params:seeds", "params:grid"]
        node = Node(train_networks, inputs, [*outputs, "members"], name="train_network", preview_fn=preview)
    return Pipeline([node])
