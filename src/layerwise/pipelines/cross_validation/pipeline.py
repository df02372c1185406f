"""The cross-validation of a supervised pipeline, which `split.folds` asks for."""

from functools import partial

from kedro.pipeline import Pipeline

from layerwise.pipelines.cross_validation import nodes
from layerwise.pipelines.stage import Stage


def create_pipeline(pipeline: str = "cross_validation", measured: Pipeline | None = None) -> Pipeline:
    """Return the split into folds and the cross-validation of a pipeline.

    Args:
        pipeline: its name.
        measured: its nodes, from raw rows to the metrics of the network.
    """
    if measured is None:
        return Pipeline([])
    run = nodes_of_a_fold(pipeline, measured)
    read = {name for node in run.nodes for name in node.inputs if name.startswith("params:")}
    keys = {name.removeprefix("params:") for name in read}
    inputs = {"raw": "raw", "folds": "folds"} | {key: f"params:{key}" for key in sorted(keys | {"seed"})}
    cross_validate = partial(nodes.cross_validate, run)
    # A partial has no name and no hints of its own, which Kedro asks for.
    cross_validate.__name__ = nodes.cross_validate.__name__  # type: ignore[attr-defined]
    cross_validate.__annotations__ = {}
    preprocessing, evaluation = Stage("preprocessing", pipeline), Stage("evaluation", pipeline)
    return Pipeline(
        [
            preprocessing.node(
                nodes.split_folds, ["raw", "params:problem", "params:split", "params:seed"], "folds"
            ),
            evaluation.node(cross_validate, inputs, "cross_validation", "cross_validate"),
        ]
    )


def nodes_of_a_fold(pipeline: str, measured: Pipeline) -> nodes.FoldNodes:
    """Return the nodes of a supervised pipeline that run on each fold: all from its split to the network's metrics.

    Args:
        pipeline: its name.
        measured: its nodes.
    """
    parts = measured.to_outputs(f"{pipeline}.network_metrics")
    split = f"{pipeline}.split"
    return nodes.FoldNodes([node for node in parts.nodes if split not in node.outputs], pipeline)
