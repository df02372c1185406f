"""The autoencoder: preprocessing, training, evaluation, downstream tasks, figures."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.autoencoder import downstream, downstream_images, figure_nodes as plots, nodes
from layerwise.pipelines.previews import AutoencoderPreview
from layerwise.pipelines.stage import Stage

NAME = "autoencoder"
NETWORK = "autoencoder_network"
SETTINGS = ["params:autoencoder", "params:seed"]


def create_pipeline() -> Pipeline:
    """Return the whole pipeline."""
    before = preprocessing.create_pipeline(NAME, pretrained=False, supervised=False)
    return before + _training() + _evaluation() + _downstream_tasks() + _reporting()


def _training() -> Pipeline:
    return Pipeline(
        [
            Stage("training", NAME).node(
                nodes.train_network,
                ["training", "validation", "data_spec", *SETTINGS, "params:layer_statistics"],
                [NETWORK, "autoencoder_history"],
                name="train_autoencoder",
                preview=AutoencoderPreview(NAME),
            )
        ]
    )


def _evaluation() -> Pipeline:
    stage = Stage("evaluation", NAME)
    return Pipeline(
        [
            stage.node(
                nodes.evaluate_reconstruction,
                [NETWORK, "training", "test", "data_spec"],
                "reconstruction_metrics",
            ),
            stage.node(
                nodes.estimate_likelihood,
                [NETWORK, "test", "data_spec", "preprocessor", *SETTINGS],
                "likelihood",
            ),
            stage.node(
                nodes.probe_latent,
                [NETWORK, "labelled", "validation", "test", "data_spec", *SETTINGS],
                "probe",
            ),
        ]
    )


def _downstream_tasks() -> Pipeline:
    stage = Stage("evaluation", NAME)
    rows = ["training", "validation", "test", "data_spec"]
    return Pipeline(
        [
            stage.node(
                downstream.compress,
                [NETWORK, "training", "test", "data_spec", "params:autoencoder"],
                "compression",
            ),
            stage.node(downstream_images.denoise, [NETWORK, "test", "data_spec", *SETTINGS], "denoising"),
            stage.node(downstream.detect_anomalies, [*rows, *SETTINGS], "anomalies"),
            stage.node(
                downstream.impute_missing_cells,
                [NETWORK, "training", "test", "data_spec", *SETTINGS],
                "imputation",
            ),
            stage.node(
                downstream_images.model_sequences, [*rows, *SETTINGS], ["sequences_network", "sequences"]
            ),
            stage.node(
                downstream.recommend,
                [NETWORK, "training", "test", "data_spec", "preprocessor"],
                "recommendation",
            ),
        ]
    )


def _reporting() -> Pipeline:
    stage = Stage("reporting", NAME)
    history = "autoencoder_history"
    return Pipeline(
        [
            stage.figure(plots.plot_learning_curves, [history]),
            stage.figure(plots.plot_reconstructions, [history, "data_spec", "preprocessor"]),
            stage.figure(plots.plot_features, [NETWORK, "data_spec"]),
            stage.figure(plots.plot_hidden_activations, [NETWORK, "test"]),
            stage.figure(plots.plot_latent_map, [NETWORK, "test", "data_spec"]),
            stage.figure(plots.plot_comparison, [NETWORK, "training", "test", "data_spec"]),
            stage.figure(
                plots.plot_samples, [NETWORK, "training", "data_spec", "preprocessor", "params:seed"]
            ),
            stage.figure(plots.plot_interpolation, [NETWORK, "test", "data_spec"]),
            stage.figure(plots.plot_compression, ["compression"]),
            stage.figure(plots.plot_denoising, [NETWORK, "test", "denoising", "data_spec", *SETTINGS]),
            stage.figure(plots.plot_anomalies, ["anomalies"]),
            stage.figure(plots.plot_imputation, ["imputation"]),
            stage.figure(plots.plot_sequences, ["sequences_network", "sequences", "test", "data_spec"]),
        ]
    )
