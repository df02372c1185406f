"""Evaluation of a trained model on new labelled rows, and their drift from its training rows."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.evaluate import nodes


def create_pipeline() -> Pipeline:
    """Return the steps from a model and labelled rows to metrics, drift, figures and a report."""
    whole = Pipeline(
        [
            Node(nodes.score_rows, ["model", "rows", "params:evaluate"], "scored_rows", name="score_rows"),
            Node(
                nodes.evaluate_rows,
                ["model", "scored_rows", "params:evaluate", "params:seed"],
                "metrics",
                name="evaluate_rows",
            ),
            Node(nodes.measure_drift, ["model", "scored_rows"], "drift", name="measure_drift"),
            Node(nodes.plot_drift, ["drift", "scored_rows"], "figure_drift", name="plot_drift"),
            Node(
                nodes.plot_predictions,
                ["model", "scored_rows"],
                "figure_predictions",
                name="plot_predictions",
            ),
            Node(
                nodes.plot_calibration,
                ["model", "scored_rows"],
                "figure_calibration",
                name="plot_calibration",
            ),
            Node(
                nodes.write_report,
                ["model", "scored_rows", "metrics", "drift"],
                "report",
                name="write_report",
            ),
        ]
    )
    return Pipeline(whole, namespace="evaluate", parameters={"params:evaluate", "params:seed"})
