"""The fine-tuning stage: supervised training of the whole network."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.facts import ProblemFacts, calibrates, current_facts, trained_network
from layerwise.pipelines.finetuning import nodes
from layerwise.pipelines.finetuning.warm_start import initialize_from_model
from layerwise.pipelines.previews import NetworkPreview
from layerwise.pipelines.stage import Stage, sampled, with_first
from layerwise.training.supervised import GridSettings

ROWS = ["labelled", "validation", "data_spec"]
SETTINGS = ["finetuning_settings", "params:seed"]


def create_pipeline(pipeline: str = "finetuning", key: str = "mlp", pretrained: bool = False) -> Pipeline:
    """Return the fine-tuning of a pipeline.

    Args:
        pipeline: its name.
        key: of the settings that give the network's shape: `dbn`, `dbm`, `sae` or `mlp`.
        pretrained: whether a pretrained stack is what the hidden layers start from.
    """
    stage, facts = Stage("finetuning", pipeline), current_facts()
    trained, calibration = trained_network(facts), list[Node]()
    if calibrates(facts):
        inputs = [trained, "validation", "data_spec", "params:evaluation"]
        calibration = [stage.node(nodes.calibrate_network, inputs, "network")]
    if key == "mlp" and trains_several():
        return Pipeline([_several_networks(stage, trained), *calibration])
    return Pipeline(
        [
            _start(stage, facts, key, pretrained),
            stage.node(
                nodes.finetune_mean_field_network if key == "dbm" else nodes.finetune_network,
                [
                    *["initial_network", *ROWS, *SETTINGS, "params:layer_statistics"],
                    *(["pretraining_settings"] if pretrained else []),
                ],
                [trained, "finetuning_history"],
                "train_network" if key == "mlp" else "finetune_network",
                NetworkPreview(pipeline),
            ),
            *calibration,
        ]
    )


def _start(stage: Stage, facts: ProblemFacts, key: str, pretrained: bool) -> Node:
    if facts.parameter("finetuning.init_from"):
        function = with_first(initialize_from_model, facts.parameter(key) or {})
        inputs, outputs = ["finetuning_source", "finetuning_settings"], ["initial_network", "initial_model"]
        return stage.node(function, inputs, outputs, "initialize_network")
    methods = ["pretraining_settings"] if key == "sae" else []
    bins = sampled("training") if stage.streams_rows else "training"  # of numbers, which quantiles decide
    first = [bins] if key == "mlp" else ["stack"] if pretrained else []
    inputs = [*first, "data_spec", f"{key}_settings", *methods, *SETTINGS]
    initialize: dict[tuple[str, bool], Callable[..., object]] = {
        ("dbn", True): nodes.initialize_from_rbms,
        ("dbn", False): nodes.initialize_like_rbms,
        ("dbm", True): nodes.initialize_from_dbm,
        ("sae", True): nodes.initialize_from_encoders,
        ("sae", False): nodes.initialize_like_encoders,
        ("mlp", False): nodes.initialize_network,
    }
    return stage.node(initialize[key, pretrained], inputs, "initial_network", "initialize_network")


def trains_several() -> bool:
    """Return whether `mlp` trains several networks at once: of several seeds, or over a grid."""
    facts = current_facts()
    return (facts.parameter("seeds") or 1) > 1 or has_grid()


def has_grid() -> bool:
    """Return whether some settings are chosen from a grid."""
    return bool(GridSettings.model_validate(current_facts().parameter("grid")).points())


def _several_networks(stage: Stage, trained: str) -> Node:
    return stage.node(
        nodes.train_networks,
        [*ROWS, "mlp_settings", *SETTINGS, "params:seeds", "params:grid"],
        [trained, "finetuning_history", "members", "metrics_epochs"],
        "train_network",
        preview=NetworkPreview(stage.pipeline),
    )
