"""The forest fires exercise as it is usually taught, beside its correction."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.composition import compose
from layerwise.pipelines.forest_fires_classic import nodes

NAME = "forest_fires_classic"


def create_pipeline() -> Pipeline:
    """Return preprocessing, training, evaluation and the exercise; other problems are refused first."""
    return compose(NAME, pretrained=False, problem="exercise_problem", more=_exercise())


def _exercise() -> Pipeline:
    """Return the check of the problem, the network without `area`, and the report of the three accuracies."""
    settings = ["problem", "preprocessing", "labelled_rows", "mlp", "finetuning", "seed"]
    other = ["network_without_area", "test_without_area", "data_spec_without_area"]
    return Pipeline(
        [
            Node(nodes.require_exercise, ["params:problem"], "exercise_problem", name="require_exercise"),
            Node(
                nodes.train_without_area,
                ["raw", "split", *(f"params:{name}" for name in settings)],
                other,
                name="train_without_area",
            ),
            Node(
                nodes.measure_exercise,
                ["network", "test", "data_spec", *other, "params:evaluation", "params:seed"],
                "exercise",
                name="measure_exercise",
            ),
            Node(nodes.plot_accuracies, ["exercise"], "figure_accuracies", name="plot_accuracies"),
            Node(nodes.write_report, ["raw", "exercise"], "report", name="write_report"),
        ]
    )
