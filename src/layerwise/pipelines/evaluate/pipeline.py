"""A trained model on new labelled rows: how good it is there, and how far they lie from its training rows."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.evaluate import nodes


def create_pipeline() -> Pipeline:
    """Return the steps from a model and labelled rows to measures, drift, figures and a report."""
    whole = Pipeline(
        [
            Node(nodes.answer_rows, ["model", "rows", "params:evaluate"], "answered", name="answer_rows"),
            Node(
                nodes.measure_rows,
                ["model", "answered", "params:evaluate", "params:seed"],
                "measures",
                name="measure_rows",
            ),
            Node(nodes.measure_drift, ["model", "answered"], "drift", name="measure_drift"),
            Node(nodes.draw_drift, ["drift", "answered"], "figure_drift", name="draw_drift"),
            Node(
                nodes.draw_predictions, ["model", "answered"], "figure_predictions", name="draw_predictions"
            ),
            Node(
                nodes.draw_calibration, ["model", "answered"], "figure_calibration", name="draw_calibration"
            ),
            Node(
                nodes.write_report, ["model", "answered", "measures", "drift"], "report", name="write_report"
            ),
        ]
    )
    return Pipeline(whole, namespace="evaluate", parameters={"params:evaluate", "params:seed"})
