"""Evaluation of a trained model on new labelled rows, and their drift from its training rows."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.evaluate import nodes
from layerwise.pipelines.evaluation.pipeline import has_segments
from layerwise.pipelines.evaluation.segment_nodes import plot_segments
from layerwise.pipelines.facts import current_facts
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the steps from a model and labelled rows to metrics, drift, figures and a report."""
    evaluation, reporting = Stage("evaluation", "evaluate"), Stage("reporting", "evaluate")
    scored, by_segment = ["model", "scored_rows"], has_segments(current_facts())
    scoring = ["model", "rows", "params:evaluate", *(["params:evaluation"] if by_segment else [])]
    segments = ["segment_metrics"] if by_segment else []
    found = Pipeline(
        [
            evaluation.node(nodes.score_rows, scoring, "scored_rows"),
            evaluation.node(
                nodes.measure_rows,
                [*scored, "params:evaluate", "params:seed"],
                ["metrics", "metrics_new_rows"],
            ),
            evaluation.node(nodes.measure_drift, scored, ["drift", "metrics_drift"]),
            reporting.figure(nodes.plot_drift, ["drift", "scored_rows"]),
            reporting.figure(nodes.plot_predictions, scored),
            reporting.figure(nodes.plot_calibration, scored),
            reporting.node(nodes.write_report, [*scored, "metrics", "drift", *segments], "report"),
        ]
    )
    if not by_segment:
        return found
    inputs = [*scored, "params:evaluate", "params:seed"]
    return found + Pipeline(
        [
            evaluation.node(nodes.measure_new_segments, inputs, "segment_metrics"),
            reporting.figure(plot_segments, segments),
        ]
    )
