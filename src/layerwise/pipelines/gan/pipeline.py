"""The `gan` pipeline: preprocessing, a feature classifier, training, evaluation of samples, figures."""

from kedro.pipeline import Pipeline

from layerwise.evaluation.reports import gan as report
from layerwise.pipelines import preprocessing
from layerwise.pipelines.gan import evaluation, figure_nodes as plots, nodes
from layerwise.pipelines.stage import Stage

NAME = "gan"
SETTINGS = ["params:gan", "params:seed"]
GENERATOR = ["generator", "conditions", "encoding"]


def create_pipeline() -> Pipeline:
    """Return the whole pipeline."""
    before = preprocessing.create_pipeline(NAME, pretrained=False)
    return before + _training() + _evaluation() + _reporting()


def _training() -> Pipeline:
    stage = Stage("training", NAME)
    return Pipeline(
        [
            stage.node(
                nodes.train_feature_classifier,
                ["training", "validation", "data_spec", *SETTINGS],
                ["feature_classifier", "feature_classifier_history"],
            ),
            stage.node(
                nodes.train_gan,
                [
                    *["raw", "split", "training", "validation", "data_spec", "feature_classifier"],
                    *["params:problem", "params:preprocessing", *SETTINGS],
                ],
                ["generator", "discriminator", "gan_history", "animation", "conditions", "encoding"],
            ),
        ]
    )


def _evaluation() -> Pipeline:
    stage = Stage("evaluation", NAME)
    rows = ["raw", "split", "preprocessor", "training", "validation", "test", "data_spec"]
    return Pipeline(
        [
            stage.node(
                evaluation.evaluate_samples,
                [*GENERATOR, *rows, "feature_classifier", *SETTINGS],
                "sample_metrics",
            ),
            stage.node(
                nodes.synthesize,
                [*GENERATOR, "preprocessor", "data_spec", "params:synthesize", "params:seed"],
                "synthetic",
            ),
        ]
    )


def _reporting() -> Pipeline:
    stage = Stage("reporting", NAME)
    rows = ["preprocessor", "training", "test", "data_spec"]
    return Pipeline(
        [
            stage.node(
                report.write_report,
                ["sample_metrics", "gan_history", "feature_classifier_history", "data_spec"],
                "report",
            ),
            stage.figure(plots.plot_learning_curves, ["gan_history"]),
            stage.figure(plots.plot_samples, [*GENERATOR, "raw", "split", "data_spec", *SETTINGS]),
            stage.figure(plots.plot_sample_progress, ["animation"]),
            stage.figure(plots.plot_classes, ["sample_metrics", "data_spec"]),
            stage.figure(plots.plot_memorization, [*GENERATOR, *rows, "params:seed"]),
        ]
    )
