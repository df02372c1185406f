"""Raw rows to matrices."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.preprocessing.nodes import (
    fit_on_training_rows,
    keep_labels,
    keep_rows,
    prepare,
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
                fit_on_training_rows,
                ["raw", "split", "params:problem", "params:preparation", "params:seed"],
                "preparation",
                name="fit_preparation",
            ),
            Node(
                prepare,
                ["raw", "split", "preparation", *settings],
                ["training", "validation", "test", "description", "example"],
                name="prepare_rows",
            ),
            Node(
                keep_labels if supervised else keep_rows,
                ["training", "description", "params:labelled_rows", "params:seed"],
                "labelled",
                name="keep_labels",
            ),
        ]
    )
