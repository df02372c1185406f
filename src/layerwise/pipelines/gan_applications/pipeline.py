"""The `gan_applications` pipeline: applications of GANs to images, each with a figure."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.gan.nodes import train_feature_classifier
from layerwise.pipelines.gan_applications import nodes


def create_pipeline() -> Pipeline:
    """Return preprocessing, three GANs on pairs of images, the HTML demo and the report."""
    rows = ["training", "validation", "test", "data_spec", "params:gan_applications", "params:seed"]
    own = Pipeline(
        [
            Node(
                train_feature_classifier,
                ["training", "validation", "data_spec", "params:gan", "params:seed"],
                ["feature_classifier", "feature_classifier_history"],
                name="train_feature_classifier",
            ),
            Node(
                nodes.translate,
                rows,
                ["translator", "figure_translation", "translation"],
                name="translate",
            ),
            Node(
                nodes.sharpen,
                rows,
                ["sharpener", "figure_super_resolution", "super_resolution"],
                name="sharpen",
            ),
            Node(
                nodes.predict_frames,
                rows,
                ["predictor", "figure_next_frame", "next_frame"],
                name="predict_frames",
            ),
            Node(
                nodes.make_demo,
                [
                    "training",
                    "validation",
                    "data_spec",
                    "feature_classifier",
                    "params:gan_applications",
                    "params:seed",
                ],
                ["generator", "demo", "figure_latent_traversal"],
                name="make_demo",
            ),
            Node(
                nodes.write_report,
                ["translation", "super_resolution", "next_frame"],
                "report",
                name="write_report",
            ),
        ]
    )
    whole = preprocessing.create_pipeline(pretrained=False) + own
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="gan_applications", inputs={"raw"}, parameters=parameters)
