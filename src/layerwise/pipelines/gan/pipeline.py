"""The `gan` pipeline: preprocessing, a feature classifier, training, evaluation of samples, figures."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.evaluation.reports import gan as report
from layerwise.pipelines import preprocessing
from layerwise.pipelines.gan import evaluation, figure_nodes as plots, nodes


def create_pipeline() -> Pipeline:
    """Return the whole pipeline; everything but the raw rows and the parameters lives in the namespace `gan`."""
    settings = ["params:gan", "params:seed"]
    own = Pipeline(
        [
            Node(
                nodes.train_feature_classifier,
                ["training", "validation", "data_spec", "params:gan", "params:seed"],
                ["feature_classifier", "feature_classifier_history"],
                name="train_feature_classifier",
            ),
            Node(
                nodes.train_gan,
                [
                    "raw", "split", "training", "validation", "data_spec", "feature_classifier",
                    "params:problem", "params:preprocessing", *settings,
                ],
                ["generator", "discriminator", "gan_history", "animation", "conditions", "encoding"],
                name="train_gan",
            ),
            Node(
                evaluation.evaluate_samples,
                [
                    "generator", "conditions", "encoding", "raw", "split", "preprocessor", "training", "validation",
                    "test", "data_spec", "feature_classifier", *settings,
                ],
                "sample_metrics",
                name="evaluate_samples",
            ),
            Node(
                nodes.synthesize,
                [
                    "generator", "conditions", "encoding", "preprocessor", "data_spec",
                    "params:synthesize", "params:seed",
                ],
                "synthetic",
                name="synthesize",
            ),
            Node(
                report.write_report,
                ["sample_metrics", "gan_history", "feature_classifier_history", "data_spec"],
                "report",
                name="write_report",
            ),
            _figure(plots.plot_learning_curves, ["gan_history"]),
            _figure(
                plots.plot_samples,
                ["generator", "conditions", "encoding", "raw", "split", "data_spec", *settings],
            ),
            _figure(plots.plot_sample_progress, ["animation"]),
            _figure(plots.plot_classes, ["sample_metrics", "data_spec"]),
            _figure(
                plots.plot_memorization,
                [
                    "generator", "conditions", "encoding", "preprocessor", "training", "test", "data_spec",
                    "params:seed",
                ],
            ),
        ]
    )  # fmt: skip
    whole = preprocessing.create_pipeline(pretrained=False) + own
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="gan", inputs={"raw"}, parameters=parameters)


def _figure(function: Callable[..., object], inputs: list[str]) -> Node:
    name = function.__name__
    return Node(function, inputs, name.replace("plot_", "figure_"), name=name)
