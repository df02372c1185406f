"""The preprocessing stage: raw rows to training, validation, test and labelled rows."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.preprocessing.nodes import (
    choose_labelled_rows,
    fit_preprocessor,
    preprocess_rows,
    select_rows,
    split_rows,
)
from layerwise.pipelines.stage import Stage


def create_pipeline(
    pipeline: str = "preprocessing",
    pretrained: bool = True,
    supervised: bool = True,
    problem: str = "params:problem",
) -> Pipeline:
    """Return the nodes from `raw` to training, validation, test and labelled rows.

    Args:
        pipeline: the name of the pipeline that they belong to.
        pretrained: whether layers are pretrained, whose batch size has to fit the rows.
        supervised: whether a task without labels is refused.
        problem: the first node's dataset of the problem, where another node checks it before.
    """
    stage = Stage("preprocessing", pipeline)
    settings = ["params:finetuning", *(["params:pretraining"] if pretrained else [])]
    return Pipeline(
        [
            stage.node(split_rows, ["raw", problem, "params:split", "params:seed"], "split"),
            stage.node(
                fit_preprocessor,
                ["raw", "split", "params:problem", "params:preprocessing", "params:seed"],
                "preprocessor",
            ),
            stage.node(
                preprocess_rows,
                ["raw", "split", "preprocessor", *settings],
                ["training", "validation", "test", "data_spec", "input_example"],
            ),
            stage.node(
                choose_labelled_rows if supervised else select_rows,
                ["training", "data_spec", "params:labelled_rows", "params:seed"],
                "labelled",
                name="choose_labelled_rows",
            ),
        ]
    )
