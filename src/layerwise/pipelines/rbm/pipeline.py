"""The restricted Boltzmann machine: preprocessing, training, likelihood, probe, label units, figures."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.previews import RBMPreview
from layerwise.pipelines.rbm import collections, figure_nodes as plots, nodes
from layerwise.pipelines.stage import Stage

NAME = "rbm"


def create_pipeline() -> Pipeline:
    """Return the whole pipeline."""
    before = preprocessing.create_pipeline(NAME, pretrained=False, supervised=False)
    return before + _training() + _evaluation() + _reporting()


def _training() -> Pipeline:
    stage = Stage("training", NAME)
    settings = ["params:rbm", "params:seed"]
    return Pipeline(
        [
            stage.node(
                nodes.train_rbm,
                ["training", "validation", "data_spec", *settings],
                ["rbm", "rbm_history"],
                preview=RBMPreview(NAME),
            ),
            stage.node(
                nodes.train_classification_rbm,
                ["labelled", "validation", "data_spec", *settings],
                ["classification_rbm", "classification_rbm_history"],
            ),
        ]
    )


def _evaluation() -> Pipeline:
    stage = Stage("evaluation", NAME)
    settings = ["params:rbm", "params:seed"]
    classifier = ["classification_rbm", "classification_rbm_history"]
    return Pipeline(
        [
            stage.node(
                nodes.measure_likelihood, ["rbm", "training", "test", "data_spec", *settings], "likelihood"
            ),
            stage.node(
                nodes.probe_features,
                ["rbm", "labelled", "validation", "test", "data_spec", *settings],
                "probe",
            ),
            stage.node(
                nodes.evaluate_classification_rbm,
                [*classifier, "test", "data_spec", *settings],
                "classification_metrics",
            ),
            stage.node(
                collections.recommend,
                ["rbm", "training", "test", "data_spec", "preprocessor"],
                "recommendation",
            ),
            stage.node(
                collections.find_topics, ["rbm", "training", "test", "data_spec", *settings], "topics"
            ),
        ]
    )


def _reporting() -> Pipeline:
    stage = Stage("reporting", NAME)
    settings = ["params:rbm", "params:seed"]
    return Pipeline(
        [
            stage.figure(plots.plot_learning_curves, ["rbm_history", "classification_rbm_history"]),
            stage.figure(plots.plot_filters, ["rbm", "data_spec"]),
            stage.figure(plots.plot_hidden_activations, ["rbm", "test"]),
            stage.figure(plots.plot_latent_map, ["rbm", "test", "data_spec"]),
            stage.figure(plots.plot_reconstructions, ["rbm_history", "data_spec", "preprocessor"]),
            stage.figure(plots.plot_samples, ["rbm", "training", "data_spec", "preprocessor", *settings]),
            stage.figure(plots.plot_inpainting, ["rbm", "test", "data_spec", *settings]),
        ]
    )
