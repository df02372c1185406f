"""The refit of a supervised network, which `refit: true` asks for."""

from collections.abc import Sequence

from kedro.pipeline import Pipeline

from layerwise.pipelines.cross_validation.nodes import FoldNodes
from layerwise.pipelines.cross_validation.pipeline import chosen_nodes, inputs_of_a_fold
from layerwise.pipelines.facts import current_facts, trained_network
from layerwise.pipelines.refit import nodes
from layerwise.pipelines.stage import Stage, with_first


def create_pipeline(
    pipeline: str = "refit", measured: Pipeline | None = None, sized: Sequence[str] = ()
) -> Pipeline:
    """Return the node that trains the network anew.

    Args:
        pipeline: the name of the pipeline that it belongs to.
        measured: the pipeline's nodes.
        sized: the keys of settings whose sizes the rows had decided.
    """
    if measured is None:
        return Pipeline([])
    parts = (
        f"{pipeline}.{trained_network(current_facts())}",
        f"{pipeline}.preprocessor",
        f"{pipeline}.training",
    )
    run = FoldNodes(chosen_nodes(pipeline, measured, *parts), pipeline)
    inputs = {
        "raw": "raw",
        "split": "split",
        "history": "finetuning_history",
        "network": "network",
        "report": "metrics",
    }
    inputs |= inputs_of_a_fold([run], {"refit"}) | {key: f"{key}_settings" for key in sized}
    outputs = ["refit_network", "refit_preprocessor", "refit_rows", "metrics_refit"]
    return Pipeline(
        [
            Stage("reporting", pipeline).node(
                with_first(nodes.refit_network, run), inputs, outputs, "refit_network", tag="training"
            )
        ]
    )
