"""A trained model's answers to the rows of a file."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.predict.nodes import predict_rows


def create_pipeline() -> Pipeline:
    """Return the one step from a model and rows to their predictions."""
    whole = Pipeline(
        [Node(predict_rows, ["model", "rows", "params:predict"], "predictions", name="predict_rows")]
    )
    return Pipeline(whole, namespace="predict", parameters={"params:predict"})
