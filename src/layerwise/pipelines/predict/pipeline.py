"""The predict pipeline: one node, from a trained model and the rows of a file to predictions."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.predict.nodes import predict_rows


def create_pipeline() -> Pipeline:
    """Return the pipeline from a model and rows to their predictions."""
    predict = Pipeline(
        [Node(predict_rows, ["model", "rows", "params:predict"], "predictions", name="predict_rows")]
    )
    return Pipeline(predict, namespace="predict", parameters={"params:predict"})
