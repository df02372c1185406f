"""The preprocessing pipeline: raw rows to training, validation, test and labelled rows."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.preprocessing.nodes import (
    choose_labelled_rows,
    fit_preprocessor,
    preprocess_rows,
    select_rows,
    split_rows,
)


def create_pipeline(
    pretrained: bool = True, supervised: bool = True, problem: str = "params:problem"
) -> Pipeline:
    """Return the pipeline from `raw` to training, validation, test and labelled rows.

    Args:
        pretrained: whether layers are pretrained, whose batch size has to fit the rows.
        supervised: whether a task without labels is refused.
        problem: the first node's dataset of the problem, where another node checks it before.
    """
    settings = ["params:finetuning", *(["params:pretraining"] if pretrained else [])]
    return Pipeline(
        [
            Node(
                split_rows,
                ["raw", problem, "params:split", "params:seed"],
                "split",
                name="split_rows",
            ),
            Node(
                fit_preprocessor,
                ["raw", "split", "params:problem", "params:preprocessing", "params:seed"],
                "preprocessor",
                name="fit_preprocessor",
            ),
            Node(
                preprocess_rows,
                ["raw", "split", "preprocessor", *settings],
                ["training", "validation", "test", "data_spec", "input_example"],
                name="preprocess_rows",
            ),
            Node(
                choose_labelled_rows if supervised else select_rows,
                ["training", "data_spec", "params:labelled_rows", "params:seed"],
                "labelled",
                name="choose_labelled_rows",
            ),
        ]
    )
