"""The restricted Boltzmann machine: preprocessing, training, likelihood, probe, label units, figures."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.previews import RBMPreview
from layerwise.pipelines.rbm import collections, figure_nodes, nodes


def create_pipeline() -> Pipeline:
    """Return the whole pipeline; everything but the raw rows and the parameters lives in the namespace `rbm`."""
    settings = ["params:rbm", "params:seed"]
    own = Pipeline(
        [
            Node(
                nodes.train_rbm,
                ["training", "validation", "data_spec", *settings],
                ["rbm", "rbm_history"],
                name="train_rbm",
                preview_fn=RBMPreview("rbm"),
            ),
            Node(
                nodes.measure_likelihood,
                ["rbm", "training", "test", "data_spec", *settings],
                "likelihood",
                name="measure_likelihood",
            ),
            Node(
                nodes.probe_features,
                ["rbm", "labelled", "validation", "test", "data_spec", *settings],
                "probe",
                name="probe_features",
            ),
            Node(
                nodes.train_classification_rbm,
                ["labelled", "validation", "data_spec", *settings],
                ["classification_rbm", "classification_rbm_history"],
                name="train_classification_rbm",
            ),
            Node(
                nodes.evaluate_classification_rbm,
                ["classification_rbm", "classification_rbm_history", "test", "data_spec", *settings],
                "classification_metrics",
                name="evaluate_classification_rbm",
            ),
            Node(
                collections.recommend,
                ["rbm", "training", "test", "data_spec", "preprocessor"],
                "recommendation",
                name="recommend",
            ),
            Node(
                collections.find_topics,
                ["rbm", "training", "test", "data_spec", *settings],
                "topics",
                name="find_topics",
            ),
            _figure(figure_nodes.plot_learning_curves, ["rbm_history", "classification_rbm_history"]),
            _figure(figure_nodes.plot_filters, ["rbm", "data_spec"]),
            _figure(figure_nodes.plot_hidden_activations, ["rbm", "test"]),
            _figure(figure_nodes.plot_latent_map, ["rbm", "test", "data_spec"]),
            _figure(figure_nodes.plot_reconstructions, ["rbm_history", "data_spec", "preprocessor"]),
            _figure(figure_nodes.plot_samples, ["rbm", "training", "data_spec", "preprocessor", *settings]),
            _figure(figure_nodes.plot_inpainting, ["rbm", "test", "data_spec", *settings]),
        ]
    )
    whole = preprocessing.create_pipeline(pretrained=False, supervised=False) + own
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="rbm", inputs={"raw"}, parameters=parameters)


def _figure(function: Callable[..., object], inputs: list[str]) -> Node:
    name = function.__name__
    return Node(function, inputs, name.replace("plot_", "figure_"), name=name)
