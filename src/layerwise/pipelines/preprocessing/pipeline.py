"""Raw rows to matrices."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.preprocessing.nodes import (
    fit_preprocessor,
    preprocess_rows,
    select_labelled_rows,
    select_rows,
    split_rows,
)


def create_pipeline(
    pretrained: bool = True, supervised: bool = True, problem: str = "params:problem"
) -> Pipeline:
    """Return the way from `raw` to training, validation, test and labelled rows.

    Args:
        pretrained: whether there is a stack, whose batches have to fit the rows.
        supervised: whether rows without labels are refused.
        problem: what the first step takes the problem from; another than the parameters when it is checked before.
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
                select_labelled_rows if supervised else select_rows,
                ["training", "data_spec", "params:labelled_rows", "params:seed"],
                "labelled",
                name="select_labelled_rows",
            ),
        ]
    )
