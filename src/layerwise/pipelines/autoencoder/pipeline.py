"""The autoencoder: preprocessing, training, evaluation, downstream tasks, figures."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.autoencoder import downstream, downstream_images, figure_nodes, nodes
from layerwise.pipelines.previews import AutoencoderPreview


def create_pipeline() -> Pipeline:
    """Return the whole pipeline; everything but the raw rows and the parameters lives in `autoencoder`."""
    settings, seed = "params:autoencoder", "params:seed"
    net = "autoencoder_network"
    own = Pipeline(
        [
            Node(
                nodes.train_network,
                ["training", "validation", "data_spec", settings, seed, "params:layer_statistics"],
                [net, "autoencoder_history"],
                name="train_autoencoder",
                preview_fn=AutoencoderPreview("autoencoder"),
            ),
            Node(
                nodes.evaluate_reconstruction,
                [net, "training", "test", "data_spec"],
                "reconstruction_metrics",
                name="evaluate_reconstruction",
            ),
            Node(
                nodes.estimate_likelihood,
                [net, "test", "data_spec", "preprocessor", settings, seed],
                "likelihood",
                name="estimate_likelihood",
            ),
            Node(
                nodes.probe_latent,
                [net, "labelled", "validation", "test", "data_spec", settings, seed],
                "probe",
                name="probe_latent",
            ),
            Node(
                downstream.compress,
                [net, "training", "test", "data_spec", settings],
                "compression",
                name="compress",
            ),
            Node(
                downstream_images.denoise,
                [net, "test", "data_spec", settings, seed],
                "denoising",
                name="denoise",
            ),
            Node(
                downstream.detect_anomalies,
                ["training", "validation", "test", "data_spec", settings, seed],
                "anomalies",
                name="detect_anomalies",
            ),
            Node(
                downstream.impute_missing_cells,
                [net, "training", "test", "data_spec", settings, seed],
                "imputation",
                name="impute_missing_cells",
            ),
            Node(
                downstream_images.model_sequences,
                ["training", "validation", "test", "data_spec", settings, seed],
                ["sequences_network", "sequences"],
                name="model_sequences",
            ),
            Node(
                downstream.recommend,
                [net, "training", "test", "data_spec", "preprocessor"],
                "recommendation",
                name="recommend",
            ),
            _figure(figure_nodes.plot_learning_curves, ["autoencoder_history"]),
            _figure(figure_nodes.plot_reconstructions, ["autoencoder_history", "data_spec", "preprocessor"]),
            _figure(figure_nodes.plot_features, [net, "data_spec"]),
            _figure(figure_nodes.plot_hidden_activations, [net, "test"]),
            _figure(figure_nodes.plot_latent_map, [net, "test", "data_spec"]),
            _figure(figure_nodes.plot_comparison, [net, "training", "test", "data_spec"]),
            _figure(figure_nodes.plot_samples, [net, "training", "data_spec", "preprocessor", seed]),
            _figure(figure_nodes.plot_interpolation, [net, "test", "data_spec"]),
            _figure(figure_nodes.plot_compression, ["compression"]),
            _figure(figure_nodes.plot_denoising, [net, "test", "denoising", "data_spec", settings, seed]),
            _figure(figure_nodes.plot_anomalies, ["anomalies"]),
            _figure(figure_nodes.plot_imputation, ["imputation"]),
            _figure(figure_nodes.plot_sequences, ["sequences_network", "sequences", "test", "data_spec"]),
        ]
    )
    whole = preprocessing.create_pipeline(pretrained=False, supervised=False) + own
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="autoencoder", inputs={"raw"}, parameters=parameters)


def _figure(function: Callable[..., object], inputs: list[str]) -> Node:
    name = function.__name__
    return Node(function, inputs, name.replace("plot_", "figure_"), name=name)
