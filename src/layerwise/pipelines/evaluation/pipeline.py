"""Read the test rows once, and say and draw what the network is worth."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.evaluation import figure_nodes as draw
from layerwise.pipelines.evaluation.nodes import (
    evaluate,
    evaluate_stack,
    measure_importance,
    write_model_card,
)


def create_pipeline(pretrained: bool = True) -> Pipeline:
    """Return the evaluation of a trained network, and of the stack it began as."""
    rows = ["labelled", "validation", "test"]
    nodes = [
        Node(
            evaluate,
            [
                *["network", *rows, "description", "preparation", "params:evaluation", "params:seed"],
                *([] if pretrained else ["members"]),
            ],
            ["measures", "predictions"],
            name="evaluate",
        ),
        Node(
            write_model_card,
            ["measures", "description", "parameters"],
            "model_card",
            name="write_model_card",
        ),
        _figure(draw.draw_predictions, ["network", "test", "description", "measures"]),
        Node(
            measure_importance,
            ["network", "validation", "description", "params:evaluation", "params:seed"],
            "importance",
            name="measure_importance",
        ),
        _figure(draw.draw_importance, ["importance", "description"]),
        _figure(draw.draw_comparison, ["measures"]),
        _figure(draw.draw_ranking_curves, ["network", "test", "description"]),
        _figure(draw.draw_calibration, ["network", "test", "description"]),
        _figure(draw.draw_augmentation, ["labelled", "description", "params:finetuning", "params:seed"]),
        _figure(draw.draw_code_map, ["network", "test", "description"]),
    ]
    if not pretrained:
        nodes += [
            _figure(draw.draw_learning_curves, ["finetuning_history"]),
            _figure(draw.draw_grid, ["finetuning_history"]),
            Node(
                draw.draw_network_features,
                ["network", "description"],
                "figure_features",
                name="draw_features",
            ),
        ]
        return Pipeline(nodes)
    sampling = ["stack", "training", "description", "preparation", "pretraining_history"]
    return Pipeline(
        [
            *nodes,
            Node(
                evaluate_stack,
                ["stack", "test", "pretraining_history"],
                "stack_measures",
                name="evaluate_stack",
            ),
            _figure(draw.draw_learning_curves, ["finetuning_history", "pretraining_history"]),
            _figure(draw.draw_features, ["stack", "description"]),
            _figure(draw.draw_reconstructions, ["pretraining_history", "description", "preparation"]),
            _figure(draw.draw_samples, [*sampling, "params:evaluation", "params:seed"]),
        ]
    )


def _figure(function, inputs: list[str]) -> Node:  # type: ignore[no-untyped-def]
    name = function.__name__
    return Node(function, inputs, name.replace("draw_", "figure_"), name=name)
