"""The comparison of pipelines: folds, trainings, leaderboard."""

from kedro.pipeline import Pipeline

from layerwise.parameters import CompareSettings
from layerwise.pipelines.compare import nodes
from layerwise.pipelines.composition import compose_supervised
from layerwise.pipelines.cross_validation.pipeline import inputs_of_a_fold, nodes_of_a_fold
from layerwise.pipelines.facts import current_facts
from layerwise.pipelines.preprocessing.nodes import read_rows
from layerwise.pipelines.stage import UNREAD, Stage, reads_cells, with_first

NAME = "compare"


def create_pipeline() -> Pipeline:
    """Return the pipeline; it has the nodes of the models that `compare.models` names, and reads their parameters."""
    given = current_facts().parameter("compare.models") or CompareSettings().models
    candidates = {name: nodes_of_a_fold(name, compose_supervised(name)) for name in given}
    preprocessing, evaluation = Stage("preprocessing", NAME), Stage("evaluation", NAME)
    reporting = Stage("reporting", NAME)
    inputs = {"raw": "raw", "folds": "folds"}
    inputs |= inputs_of_a_fold(candidates.values(), {"problem", "compare", "seed"})
    read = preprocessing.node(read_rows, [UNREAD, "params:problem", "params:preprocessing"], "rows")
    return Pipeline(
        [
            *([read] if reads_cells() else []),
            preprocessing.node(
                nodes.split_folds, ["raw", "params:problem", "params:split", "params:seed"], "folds"
            ),
            evaluation.node(
                with_first(nodes.compare_models, candidates), inputs, "leaderboard", "compare_models"
            ),
            reporting.node(nodes.write_leaderboard, ["leaderboard"], "leaderboard_page"),
        ]
    )
