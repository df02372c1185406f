"""The `gan_applications` pipeline: applications of GANs to images, each with a figure."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.gan.nodes import train_feature_classifier
from layerwise.pipelines.gan_applications import nodes
from layerwise.pipelines.stage import Stage

NAME = "gan_applications"


def create_pipeline() -> Pipeline:
    """Return preprocessing, three GANs on pairs of images, the HTML demo and the report."""
    training, reporting = Stage("training", NAME), Stage("reporting", NAME)
    settings = ["params:gan_applications", "params:seed"]
    rows = ["training", "validation", "test", "data_spec", *settings]
    return preprocessing.create_pipeline(NAME, pretrained=False) + Pipeline(
        [
            training.node(
                train_feature_classifier,
                ["training", "validation", "data_spec", "params:gan", "params:seed"],
                ["feature_classifier", "feature_classifier_history"],
            ),
            training.node(nodes.translate, rows, ["translator", "figure_translation", "translation"]),
            training.node(nodes.sharpen, rows, ["sharpener", "figure_super_resolution", "super_resolution"]),
            training.node(nodes.predict_frames, rows, ["predictor", "figure_next_frame", "next_frame"]),
            training.node(
                nodes.make_demo,
                ["training", "validation", "data_spec", "feature_classifier", *settings],
                ["generator", "demo", "figure_latent_traversal"],
            ),
            reporting.node(nodes.write_report, ["translation", "super_resolution", "next_frame"], "report"),
        ]
    )
