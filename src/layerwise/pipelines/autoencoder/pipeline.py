"""The autoencoder: preprocessing, training, measures, uses, figures."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.autoencoder import downstream as uses
from layerwise.pipelines.autoencoder import figure_nodes as draw
from layerwise.pipelines.autoencoder import nodes
from layerwise.pipelines.previews import AutoencoderPreview


def create_pipeline() -> Pipeline:
    """Return the whole pipeline; everything but the raw rows and the parameters lives in `autoencoder`."""
    settings, seed = "params:autoencoder", "params:seed"
    net = "autoencoder_network"
    own = Pipeline(
        [
            Node(
                nodes.train_network,
                ["training", "validation", "description", settings, seed, "params:health"],
                [net, "autoencoder_history"],
                name="train_autoencoder",
                preview_fn=AutoencoderPreview("autoencoder"),
            ),
            Node(
                nodes.measure_network,
                [net, "training", "test", "description"],
                "reconstruction_measures",
                name="measure_reconstruction",
            ),
            Node(
                nodes.measure_likelihood,
                [net, "test", "description", "preparation", settings, seed],
                "likelihood",
                name="measure_likelihood",
            ),
            Node(
                nodes.probe_codes,
                [net, "labelled", "validation", "test", "description", settings, seed],
                "probe",
                name="probe_codes",
            ),
            Node(
                uses.compress,
                [net, "training", "test", "description", settings],
                "compression",
                name="compress",
            ),
            Node(uses.denoise, [net, "test", "description", settings, seed], "denoising", name="denoise"),
            Node(
                uses.find_anomalies,
                ["training", "validation", "test", "description", settings, seed],
                "anomalies",
                name="find_anomalies",
            ),
            Node(
                uses.fill_in,
                [net, "training", "test", "description", settings, seed],
                "imputation",
                name="fill_in_missing_cells",
            ),
            Node(
                uses.model_sequences,
                ["training", "validation", "test", "description", settings, seed],
                ["sequences_network", "sequences"],
                name="model_sequences",
            ),
            Node(
                uses.recommend,
                [net, "training", "test", "description", "preparation"],
                "recommendation",
                name="recommend",
            ),
            _figure(draw.draw_learning_curves, ["autoencoder_history"]),
            _figure(draw.draw_reconstructions, ["autoencoder_history", "description", "preparation"]),
            _figure(draw.draw_features, [net, "description"]),
            _figure(draw.draw_hidden_activity, [net, "test"]),
            _figure(draw.draw_code_map, [net, "test", "description"]),
            _figure(draw.draw_comparison, [net, "training", "test", "description"]),
            _figure(draw.draw_samples, [net, "training", "description", "preparation", seed]),
            _figure(draw.draw_interpolation, [net, "test", "description"]),
            _figure(draw.draw_compression, ["compression"]),
            _figure(draw.draw_denoising, [net, "test", "denoising", "description", settings, seed]),
            _figure(draw.draw_anomalies, ["anomalies"]),
            _figure(draw.draw_imputation, ["imputation"]),
            _figure(draw.draw_sequences, ["sequences_network", "sequences", "test", "description"]),
        ]
    )
    whole = preprocessing.create_pipeline(pretrained=False, supervised=False) + own
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="autoencoder", inputs={"raw"}, parameters=parameters)


def _figure(function: Callable[..., object], inputs: list[str]) -> Node:
    name = function.__name__
    return Node(function, inputs, name.replace("draw_", "figure_"), name=name)
