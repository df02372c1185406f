"""A study of vanishing and exploding gradients: initializers, remedies and long-range memory."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.gradients import nodes
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return preprocessing, the survey, the remedies, the recurrent networks and the report."""
    training, reporting = Stage("training", "gradients"), Stage("reporting", "gradients")
    settings = ["params:gradients", "params:seed"]
    rows = ["labelled", "validation", "data_spec", *settings]
    return preprocessing.create_pipeline("gradients") + Pipeline(
        [
            training.node(nodes.survey_initializers, rows, "survey"),
            training.measure(nodes.try_remedies, rows, "remedies"),
            training.measure(nodes.measure_long_range_memory, settings, "long_range_memory"),
            reporting.figure(nodes.plot_gradients, ["survey", "params:gradients"]),
            reporting.figure(nodes.plot_remedies, ["remedies"]),
            reporting.figure(nodes.plot_long_range_memory, ["long_range_memory"]),
            reporting.node(
                nodes.write_report, ["survey", "remedies", "long_range_memory", "params:gradients"], "report"
            ),
        ]
    )
