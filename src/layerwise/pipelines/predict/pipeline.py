"""The predict pipeline: from a trained model and the rows of a file to predictions."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.facts import current_facts
from layerwise.pipelines.predict.nodes import detect_anomalies, predict_rows, sample_rows
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the pipeline from a model and rows to its answers; rows that are sampled freely come from none."""
    stage, facts = Stage("prediction", "predict"), current_facts()
    if facts.parameter("predict.task") == "sample" and not facts.parameter("predict.input"):
        return Pipeline([stage.node(sample_rows, ["model", "params:predict"], "predictions")])
    inputs = ["model", "rows", "params:predict"]
    if facts.parameter("predict.task") != "anomaly":
        return Pipeline([stage.node(predict_rows, inputs, "predictions")])
    # Imported here, as it imports matplotlib, which no other task needs.
    from layerwise.pipelines.predict.figure_nodes import plot_unusual_rows

    outputs = ["predictions", "unusual_rows"]
    return Pipeline(
        [
            stage.node(detect_anomalies, inputs, outputs, predict_rows.__name__),
            Stage("reporting", "predict").figure(plot_unusual_rows, ["model", "rows", "unusual_rows"]),
        ]
    )
