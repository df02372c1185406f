"""The restricted Boltzmann machine: preprocessing, training, likelihood, probe, label units, figures."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.previews import MachinePreview
from layerwise.pipelines.rbm import collections, nodes
from layerwise.pipelines.rbm import figure_nodes as draw


def create_pipeline() -> Pipeline:
    """Return the whole pipeline; everything but the raw rows and the parameters lives in the namespace `rbm`."""
    settings = ["params:rbm", "params:seed"]
    own = Pipeline(
        [
            Node(
                nodes.train_machine,
                ["training", "validation", "description", *settings],
                ["machine", "machine_history"],
                name="train_machine",
                preview_fn=MachinePreview("rbm"),
            ),
            Node(
                nodes.measure_likelihood,
                ["machine", "training", "test", "description", *settings],
                "likelihood",
                name="measure_likelihood",
            ),
            Node(
                nodes.probe_features,
                ["machine", "labelled", "validation", "test", "description", *settings],
                "probe",
                name="probe_features",
            ),
            Node(
                nodes.train_classifier,
                ["labelled", "validation", "description", *settings],
                ["classifier", "classifier_history"],
                name="train_classifier",
            ),
            Node(
                nodes.evaluate_classifier,
                ["classifier", "classifier_history", "test", "description", *settings],
                "classification",
                name="evaluate_classifier",
            ),
            Node(
                collections.recommend,
                ["machine", "training", "test", "description", "preparation"],
                "recommendation",
                name="recommend",
            ),
            Node(
                collections.find_topics,
                ["machine", "training", "test", "description", *settings],
                "topics",
                name="find_topics",
            ),
            _figure(draw.draw_learning_curves, ["machine_history", "classifier_history"]),
            _figure(draw.draw_filters, ["machine", "description"]),
            _figure(draw.draw_hidden_activity, ["machine", "test"]),
            _figure(draw.draw_code_map, ["machine", "test", "description"]),
            _figure(draw.draw_reconstructions, ["machine_history", "description", "preparation"]),
            _figure(draw.draw_samples, ["machine", "training", "description", "preparation", *settings]),
            _figure(draw.draw_inpainting, ["machine", "test", "description", *settings]),
        ]
    )
    whole = preprocessing.create_pipeline(pretrained=False, supervised=False) + own
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="rbm", inputs={"raw"}, parameters=parameters)


def _figure(function: Callable[..., object], inputs: list[str]) -> Node:
    name = function.__name__
    return Node(function, inputs, name.replace("draw_", "figure_"), name=name)
