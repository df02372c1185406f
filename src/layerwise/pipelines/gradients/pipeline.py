"""A laboratory for gradients: what vanishes, what explodes, and what helps."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.gradients import nodes


def create_pipeline() -> Pipeline:
    """Return preprocessing, the survey of starts, the cures, the recurrent nets and the report."""
    rows = ["labelled", "validation", "description", "params:gradients", "params:seed"]
    whole = preprocessing.create_pipeline(pretrained=False) + Pipeline(
        [
            Node(nodes.survey_starts, rows, "survey", name="survey_starts"),
            Node(nodes.try_cures, rows, "cures", name="try_cures"),
            Node(
                nodes.remember_first_symbol,
                ["params:gradients", "params:seed"],
                "recurrent",
                name="remember_first_symbol",
            ),
            Node(nodes.draw_gradients, ["survey"], "figure_gradients", name="draw_gradients"),
            Node(nodes.draw_cures, ["cures"], "figure_cures", name="draw_cures"),
            Node(nodes.draw_recurrent, ["recurrent"], "figure_recurrent", name="draw_recurrent"),
            Node(
                nodes.write_report,
                ["survey", "cures", "recurrent", "params:gradients"],
                "report",
                name="write_report",
            ),
        ]
    )
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="gradients", inputs={"raw"}, parameters=parameters)
