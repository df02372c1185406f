"""The `gan_applications` pipeline: applications of GANs to images, each with a figure."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.gan.nodes import train_feature_classifier
from layerwise.pipelines.gan.pipeline import CLASSIFIER_EPOCHS
from layerwise.pipelines.gan_applications import figure_nodes as plots, nodes
from layerwise.pipelines.stage import Stage

NAME = "gan_applications"
SPEC, SEED = "image_spec", "params:seed"
SETTINGS = ["params:gan_applications", SEED]


def create_pipeline() -> Pipeline:
    """Return preprocessing, three GANs on pairs of images, the HTML demo and the report."""
    check = Stage("preprocessing", NAME).node(nodes.require_images, ["data_spec"], SPEC)
    before = preprocessing.create_pipeline(NAME, labelled=False)
    return before + Pipeline([check, *_training(), *_evaluation(), *_reporting()])


def _training() -> list[Node]:
    stage, rows = Stage("training", NAME), ["training", "validation", "test", SPEC]
    own = ["training", "validation", SPEC]
    classifier = ["feature_classifier", "feature_classifier_history", "metrics_feature_classifier"]
    return [
        stage.node(train_feature_classifier, [*own, CLASSIFIER_EPOCHS, SEED], classifier),
        stage.node(nodes.train_translator, [*rows, *SETTINGS], ["translator", "pairs_translation"]),
        stage.node(nodes.train_sharpener, [*rows, *SETTINGS], ["sharpener", "pairs_super_resolution"]),
        stage.node(
            nodes.train_frame_predictor, [*rows, *SETTINGS], ["predictor", "pairs_next_frame", "videos"]
        ),
        stage.node(nodes.train_demo_generator, [*own, "feature_classifier", *SETTINGS], "generator"),
    ]


def _evaluation() -> list[Node]:
    stage = Stage("evaluation", NAME)

    def outputs(name: str) -> list[str]:
        return [f"images_{name}", name, f"metrics_{name}"]

    return [
        stage.node(
            nodes.measure_translation, ["translator", "pairs_translation", SEED], outputs("translation")
        ),
        stage.node(
            nodes.measure_super_resolution,
            ["sharpener", "pairs_super_resolution", SPEC, SEED],
            outputs("super_resolution"),
        ),
        stage.node(
            nodes.measure_next_frame, ["predictor", "pairs_next_frame", SPEC, SEED], outputs("next_frame")
        ),
    ]


def _reporting() -> list[Node]:
    stage = Stage("reporting", NAME)
    return [
        stage.figure(plots.plot_translation, ["pairs_translation", "images_translation", SPEC]),
        stage.figure(
            plots.plot_super_resolution, ["pairs_super_resolution", "images_super_resolution", SPEC]
        ),
        stage.figure(plots.plot_next_frame, ["predictor", "videos", SPEC, *SETTINGS]),
        stage.figure(plots.plot_latent_traversal, ["generator", SPEC, SEED]),
        stage.node(nodes.write_demo, ["generator", SPEC], "demo"),
        stage.node(nodes.write_report, ["translation", "super_resolution", "next_frame"], "report"),
    ]
