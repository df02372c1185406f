"""The forest fires exercise as it is usually taught, beside its correction."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.composition import compose
from layerwise.pipelines.forest_fires_classic import nodes
from layerwise.pipelines.stage import Stage

NAME = nodes.EXERCISE


def create_pipeline() -> Pipeline:
    """Return preprocessing, training, evaluation and the exercise; other problems are refused first."""
    return compose(NAME, "mlp", problem="exercise_problem") + _exercise()


def _exercise() -> Pipeline:
    """Return the check of the problem, the network without `area`, and the report of the three accuracies."""
    preprocessing, finetuning = Stage("preprocessing", NAME), Stage("finetuning", NAME)
    evaluation, reporting = Stage("evaluation", NAME), Stage("reporting", NAME)
    settings = [
        *("params:problem", "params:preprocessing", "params:labelled_rows"),
        *("mlp_settings", "finetuning_settings", "params:seed"),
    ]
    other = ["network_without_area", "test_without_area", "data_spec_without_area"]
    return Pipeline(
        [
            preprocessing.node(nodes.require_exercise, ["params:problem"], "exercise_problem"),
            finetuning.node(nodes.train_without_area, ["raw", "split", *settings], other),
            evaluation.measure(
                nodes.measure_exercise,
                ["network", "test", "data_spec", *other, "params:evaluation", "params:seed"],
                "exercise",
            ),
            reporting.figure(nodes.plot_accuracies, ["exercise"]),
            reporting.node(nodes.write_report, ["raw", "exercise"], "report"),
        ]
    )
