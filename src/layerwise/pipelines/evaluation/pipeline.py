"""The stages after training: metrics and baselines on the test rows; the model card and the figures."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.evaluation import figure_nodes as plots
from layerwise.pipelines.evaluation.likelihood_nodes import bound_log_prob
from layerwise.pipelines.evaluation.nodes import (
    evaluate,
    evaluate_stack,
    measure_importance,
    write_model_card,
)
from layerwise.pipelines.stage import Stage


def create_pipeline(pipeline: str = "evaluation", pretrained: bool = True, stack: str = "dbn") -> Pipeline:
    """Return evaluation and reporting of a trained network, and of the stack (`dbn` or `sae`) that it started from."""
    return _evaluation(pipeline, pretrained, stack) + _reporting(pipeline, pretrained)


def _evaluation(pipeline: str, pretrained: bool, stack: str) -> Pipeline:
    stage = Stage("evaluation", pipeline)
    rows = ["labelled", "validation", "test"]
    settings = ["params:evaluation", "params:seed"]
    nodes = [
        stage.node(
            evaluate,
            ["network", *rows, "data_spec", "preprocessor", *settings, *([] if pretrained else ["members"])],
            ["metrics", "predictions"],
        ),
        stage.node(measure_importance, ["network", "validation", "data_spec", *settings], "importance"),
    ]
    if pretrained:
        nodes.append(stage.node(evaluate_stack, ["stack", "test", "pretraining_history"], "stack_metrics"))
    if pretrained and stack == "dbn":
        nodes.append(
            stage.node(
                bound_log_prob,
                ["stack", "training", "test", "pretraining_history", "params:dbn", "params:seed"],
                "metrics_bound",
            )
        )
    return Pipeline(nodes)


def _reporting(pipeline: str, pretrained: bool) -> Pipeline:
    stage = Stage("reporting", pipeline)
    settings = ["params:evaluation", "params:seed"]
    nodes = [
        stage.node(write_model_card, ["metrics", "data_spec", "parameters"], "model_card"),
        stage.figure(plots.plot_predictions, ["network", "test", "data_spec", "metrics"]),
        stage.figure(plots.plot_importance, ["importance", "data_spec"]),
        stage.figure(plots.plot_comparison, ["metrics"]),
        stage.figure(plots.plot_ranking_curves, ["network", "test", "data_spec"]),
        stage.figure(plots.plot_calibration, ["network", "test", "data_spec"]),
        stage.figure(plots.plot_augmentation, ["labelled", "data_spec", "params:finetuning", "params:seed"]),
        stage.figure(plots.plot_latent_map, ["network", "test", "data_spec"]),
    ]
    if not pretrained:
        return Pipeline(
            [
                *nodes,
                stage.figure(plots.plot_learning_curves, ["finetuning_history"]),
                stage.figure(plots.plot_grid, ["finetuning_history"]),
                stage.figure(plots.plot_network_features, ["network", "data_spec"], "plot_features"),
            ]
        )
    history = "pretraining_history"
    return Pipeline(
        [
            *nodes,
            stage.figure(plots.plot_learning_curves, ["finetuning_history", history]),
            stage.figure(plots.plot_features, ["stack", "data_spec"]),
            stage.figure(plots.plot_reconstructions, [history, "data_spec", "preprocessor"]),
            stage.figure(
                plots.plot_samples, ["stack", "training", "data_spec", "preprocessor", history, *settings]
            ),
        ]
    )
