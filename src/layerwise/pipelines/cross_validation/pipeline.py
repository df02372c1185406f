"""The cross-validation of a supervised pipeline, which `split.folds` asks for."""

from collections.abc import Iterable

from kedro.pipeline import Node, Pipeline

from layerwise.data import split_folds
from layerwise.pipelines.cross_validation import nodes
from layerwise.pipelines.stage import Stage, with_first


def create_pipeline(pipeline: str = "cross_validation", measured: Pipeline | None = None) -> Pipeline:
    """Return the split into folds and the cross-validation of a pipeline.

    Args:
        pipeline: its name.
        measured: its nodes, from raw rows to the metrics of the network.
    """
    if measured is None:
        return Pipeline([])
    run = nodes_of_a_fold(pipeline, measured)
    inputs = {"raw": "raw", "folds": "folds"} | inputs_of_a_fold([run], {"seed"})
    preprocessing, evaluation = Stage("preprocessing", pipeline), Stage("evaluation", pipeline)
    return Pipeline(
        [
            preprocessing.node(
                split_folds, ["raw", "params:problem", "params:split", "params:seed"], "folds"
            ),
            evaluation.node(
                with_first(nodes.cross_validate, run), inputs, "cross_validation", "cross_validate"
            ),
        ]
    )


def nodes_of_a_fold(pipeline: str, measured: Pipeline) -> nodes.FoldNodes:
    """Return the nodes of a supervised pipeline that run on each fold: all from its split to the network's metrics.

    Args:
        pipeline: its name.
        measured: its nodes.
    """
    return nodes.FoldNodes(chosen_nodes(pipeline, measured, f"{pipeline}.network_metrics"), pipeline)


def chosen_nodes(pipeline: str, measured: Pipeline, *outputs: str) -> list[Node]:
    """Return the nodes that lead to some outputs, without those that read the cells and split the rows.

    Args:
        pipeline: its name.
        measured: its nodes.
        outputs: what they lead to.
    """
    given = {f"{pipeline}.split", f"{pipeline}.rows"}
    return [node for node in measured.to_outputs(*outputs).nodes if not given & set(node.outputs)]


def inputs_of_a_fold(of: Iterable[nodes.FoldNodes], also: set[str]) -> dict[str, str]:
    """Return the data sets that nodes of folds take beside the rows and their split, by the names of arguments.

    Args:
        of: the nodes of one pipeline or of several.
        also: keys of further parameters.
    """
    found = {key: f"params:{key}" for key in also}
    for each in of:
        made = {name for node in each.nodes for name in node.outputs}
        made |= {"raw", f"{each.pipeline}.rows", f"{each.pipeline}.split"}
        read = {name for node in each.nodes for name in node.inputs} - made
        found |= {name.removeprefix("params:"): name for name in read}
    return dict(sorted(found.items()))
