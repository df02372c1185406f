"""Evaluation of a trained model on new labelled rows, and their drift from its training rows."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.evaluate import nodes
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the steps from a model and labelled rows to metrics, drift, figures and a report."""
    evaluation, reporting = Stage("evaluation", "evaluate"), Stage("reporting", "evaluate")
    scored = ["model", "scored_rows"]
    return Pipeline(
        [
            evaluation.node(nodes.score_rows, ["model", "rows", "params:evaluate"], "scored_rows"),
            evaluation.node(
                nodes.measure_rows,
                [*scored, "params:evaluate", "params:seed"],
                ["metrics", "metrics_new_rows"],
            ),
            evaluation.node(nodes.measure_drift, scored, ["drift", "metrics_drift"]),
            reporting.figure(nodes.plot_drift, ["drift", "scored_rows"]),
            reporting.figure(nodes.plot_predictions, scored),
            reporting.figure(nodes.plot_calibration, scored),
            reporting.node(nodes.write_report, [*scored, "metrics", "drift"], "report"),
        ]
    )
