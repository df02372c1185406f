"""The predict pipeline: one node, from a trained model and the rows of a file to predictions."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.facts import current_facts
from layerwise.pipelines.predict.nodes import predict_rows, sample_rows
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the pipeline from a model and rows to its answers; rows that are sampled freely come from none."""
    stage, facts = Stage("prediction", "predict"), current_facts()
    if facts.parameter("predict.task") == "sample" and not facts.parameter("predict.input"):
        return Pipeline([stage.node(sample_rows, ["model", "params:predict"], "predictions")])
    return Pipeline([stage.node(predict_rows, ["model", "rows", "params:predict"], "predictions")])
