"""Evaluation on the test rows: metrics, baselines, model card and figures."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.evaluation import figure_nodes as plots
from layerwise.pipelines.evaluation.nodes import (
    evaluate,
    evaluate_stack,
    measure_importance,
    write_model_card,
)


def create_pipeline(pretrained: bool = True) -> Pipeline:
    """Return the evaluation of a trained network, and of the pretrained stack it started from."""
    rows = ["labelled", "validation", "test"]
    nodes = [
        Node(
            evaluate,
            [
                *["network", *rows, "data_spec", "params:evaluation", "params:seed"],
                *([] if pretrained else ["members"]),
            ],
            ["metrics", "predictions"],
            name="evaluate",
        ),
        Node(
            write_model_card,
            ["metrics", "data_spec", "parameters"],
            "model_card",
            name="write_model_card",
        ),
        _figure(plots.plot_predictions, ["network", "test", "data_spec", "metrics"]),
        Node(
            measure_importance,
            ["network", "validation", "data_spec", "params:evaluation", "params:seed"],
            "importance",
            name="measure_importance",
        ),
        _figure(plots.plot_importance, ["importance", "data_spec"]),
        _figure(plots.plot_comparison, ["metrics"]),
        _figure(plots.plot_ranking_curves, ["network", "test", "data_spec"]),
        _figure(plots.plot_calibration, ["network", "test", "data_spec"]),
        _figure(plots.plot_augmentation, ["labelled", "data_spec", "params:finetuning", "params:seed"]),
        _figure(plots.plot_latent_map, ["network", "test", "data_spec"]),
    ]
    if not pretrained:
        nodes += [
            _figure(plots.plot_learning_curves, ["finetuning_history"]),
            _figure(plots.plot_grid, ["finetuning_history"]),
            Node(
                plots.plot_network_features,
                ["network", "data_spec"],
                "figure_features",
                name="plot_features",
            ),
        ]
        return Pipeline(nodes)
    sampling = ["stack", "training", "data_spec", "preprocessor", "pretraining_history"]
    return Pipeline(
        [
            *nodes,
            Node(
                evaluate_stack,
                ["stack", "test", "pretraining_history"],
                "stack_metrics",
                name="evaluate_stack",
            ),
            _figure(plots.plot_learning_curves, ["finetuning_history", "pretraining_history"]),
            _figure(plots.plot_features, ["stack", "data_spec"]),
            _figure(plots.plot_reconstructions, ["pretraining_history", "data_spec", "preprocessor"]),
            _figure(plots.plot_samples, [*sampling, "params:evaluation", "params:seed"]),
        ]
    )


def _figure(function, inputs: list[str]) -> Node:  # type: ignore[no-untyped-def]
    name = function.__name__
    return Node(function, inputs, name.replace("plot_", "figure_"), name=name)
