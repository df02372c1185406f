"""The predict pipeline: one node, from a trained model and the rows of a file to predictions."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.predict.nodes import predict_rows
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the pipeline from a model and rows to their predictions."""
    stage = Stage("prediction", "predict")
    return Pipeline([stage.node(predict_rows, ["model", "rows", "params:predict"], "predictions")])
