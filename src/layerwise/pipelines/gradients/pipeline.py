"""A study of vanishing and exploding gradients: initializers, remedies and long-range memory."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.gradients import nodes


def create_pipeline() -> Pipeline:
    """Return preprocessing, the survey, the remedies, the recurrent networks and the report."""
    rows = ["labelled", "validation", "data_spec", "params:gradients", "params:seed"]
    whole = preprocessing.create_pipeline(pretrained=False) + Pipeline(
        [
            Node(nodes.survey_initializers, rows, "survey", name="survey_initializers"),
            Node(nodes.try_remedies, rows, "remedies", name="try_remedies"),
            Node(
                nodes.measure_long_range_memory,
                ["params:gradients", "params:seed"],
                "long_range_memory",
                name="measure_long_range_memory",
            ),
            Node(nodes.plot_gradients, ["survey"], "figure_gradients", name="plot_gradients"),
            Node(nodes.plot_remedies, ["remedies"], "figure_remedies", name="plot_remedies"),
            Node(
                nodes.plot_long_range_memory,
                ["long_range_memory"],
                "figure_long_range_memory",
                name="plot_long_range_memory",
            ),
            Node(
                nodes.write_report,
                ["survey", "remedies", "long_range_memory", "params:gradients"],
                "report",
                name="write_report",
            ),
        ]
    )
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="gradients", inputs={"raw"}, parameters=parameters)
