"""Nodes that plot an autoencoder's training, latents and downstream tasks."""

from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.plots import (
    format_denoising,
    plot_activations,
    plot_anomaly_scores,
    plot_imputation_errors,
    plot_rate_distortion,
)
from layerwise.evaluation.unsupervised import fit_pca
from layerwise.models.autoencoder import (
    BaseAutoencoder,
    LatentVariableModel,
    SequenceAutoencoder,
    encode_rows,
    reconstruct_rows,
)
from layerwise.pipelines.autoencoder.downstream_images import NOISES, add_noise
from layerwise.pipelines.evaluation.figure_nodes import plot_reconstruction_history
from layerwise.pipelines.views import latent_map_figure
from layerwise.training import ReconstructedRow
from layerwise.training.autoencoder import AutoencoderSettings
from layerwise.utils import torch_rng

SHOWN = 10
NO_IMAGE = "Ratings are rows of hundreds of columns: see recommendation.json."
NO_DOWNSTREAM_TASKS = "Downstream tasks are switched off (autoencoder.downstream_tasks)."


def plot_learning_curves(history: dict[str, Any]) -> Figure:
    """Plot every metric by epoch."""
    return plots.plot_learning_curves({"autoencoder": history["epochs"]})


def plot_reconstructions(history: dict[str, Any], columns: DataSpec, preprocessor: Any) -> Figure:
    """Plot one training row as it is reconstructed at four stages of training."""
    if not history["reconstruction_history"]:
        return plots.plot_note(NO_IMAGE)
    kept = ReconstructedRow(row=history["row"], reconstruction_history=history["reconstruction_history"])
    return plot_reconstruction_history(kept, columns, preprocessor)


def plot_features(network: nn.Module, columns: DataSpec) -> Figure:
    """Plot the weights of the first layer, of a fully connected network."""
    weight = network.first_weight() if isinstance(network, BaseAutoencoder) else None
    if weight is None:
        return plots.plot_note("Filters of 3 x 3, or of hundreds of users, show nothing by themselves.")
    return plots.plot_features(
        weight.t().cpu(), image_shape=columns.image_shape, feature_names=columns.feature_names
    )


def plot_hidden_activations(network: nn.Module, test: TensorData) -> Figure:
    """Plot the latents of test rows, and the mean activation of each unit."""
    return plot_activations(encode_rows(network, test.inputs[:2000]), title="Latent activations")


def plot_latent_map(network: nn.Module, test: TensorData, columns: DataSpec) -> Figure:
    """Plot the test rows' latents in the plane of their first two principal components."""
    rows = test[slice(0, 5000)]
    return latent_map_figure(encode_rows(network, rows.inputs), rows, columns)


def plot_comparison(network: nn.Module, training: TensorData, test: TensorData, columns: DataSpec) -> Figure:
    """Plot test rows beside their reconstructions from the latent and from as many principal components.

    An autoencoder that has learnt the rows reconstructs noise as something like a row; one that has learnt the
    identity returns the noise.
    """
    if columns.image_shape is None:
        return plots.plot_note(
            "Rows of a table are compared in reconstruction_metrics.json and in the reconstructions."
        )
    rows = test.inputs[:SHOWN]
    size = encode_rows(network, rows[:1]).shape[1]
    k = min(size, columns.n_inputs)
    components = fit_pca(training.inputs, k)
    noise = torch.rand(rows.shape, generator=torch_rng(0, "comparison"))
    lines = {
        "row": rows,
        f"latent of {size}": reconstruct_rows(network, rows),
        f"{k} components": components.decode(components.encode(rows)),
        "noise": noise,
        "noise, reconstructed": reconstruct_rows(network, noise),
    }
    shown = {name: each.clamp(0, 1) for name, each in lines.items()}
    return plots.plot_image_rows(
        shown, columns.image_shape, title="Test rows, noise, and their reconstructions"
    )


def plot_samples(
    network: nn.Module, training: TensorData, columns: DataSpec, preprocessor: Any, seed: int
) -> Figure:
    """Plot rows that a variational autoencoder generates from latents sampled from the prior."""
    if not isinstance(network, LatentVariableModel):
        return plots.plot_note(
            "Only a variational autoencoder has a prior to sample from (autoencoder.variant)."
        )
    rng = torch_rng(seed, "samples")
    with torch.no_grad():
        if columns.image_shape:
            means = network.cpu().sample(64, rng)
            return plots.plot_samples(
                means.clamp(0, 1), columns.image_shape, title="Samples: means given latents of the prior"
            )
        generated = network.cpu().sample(1000, rng, sample_outputs=True)
    real = preprocessor.restore_inputs(training.inputs.numpy())
    return plots.plot_marginals(real, preprocessor.restore_inputs(generated.numpy()))


def plot_interpolation(network: nn.Module, test: TensorData, columns: DataSpec) -> Figure:
    """Plot images interpolated between the latents of two test rows, and between their pixels."""
    if columns.image_shape is None:
        return plots.plot_note("Interpolation is plotted for images.")
    fraction = torch.linspace(0, 1, SHOWN)[:, None]
    lines: dict[str, Tensor] = {}
    assert isinstance(network, BaseAutoencoder)
    network = network.cpu()
    for k in range(3):
        first, second = _two_of_other_classes(test, k)
        latents = encode_rows(network, torch.stack([first, second]))
        with torch.no_grad():
            path = network.decode((1 - fraction) * latents[:1] + fraction * latents[1:])
        lines[f"latents {k + 1}"] = path.clamp(0, 1)
        lines[f"pixels {k + 1}"] = (1 - fraction) * first + fraction * second
    return plots.plot_image_rows(
        lines, columns.image_shape, title="Interpolation between latents, and between pixels"
    )


def _two_of_other_classes(test: TensorData, k: int) -> tuple[Tensor, Tensor]:
    first = test.inputs[k]
    if test.targets is None:
        return first, test.inputs[-1 - k]
    other = (test.targets.reshape(-1) != test.targets.reshape(-1)[k]).nonzero()[k]
    return first, test.inputs[other[0]]


def plot_compression(compression: dict[str, Any]) -> Figure:
    """Plot size against error."""
    if not compression:
        return plots.plot_note(
            "A latent as large as the row compresses nothing, or autoencoder.downstream_tasks is false."
        )
    return plot_rate_distortion(compression["curves"], compression["raw_bytes"])


def plot_denoising(
    network: nn.Module,
    test: TensorData,
    denoising: dict[str, Any],
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> Figure:
    """Plot corrupted images and their reconstructions."""
    if not denoising or columns.image_shape is None:
        return plots.plot_note("Denoising is for images (autoencoder.downstream_tasks).")
    rows = test.inputs[:SHOWN]
    lines = {"row": rows}
    for kind in NOISES:
        is_trained_kind = settings.resolved(settings.variant)["corruption"] in (kind, "auto")
        corrupted = add_noise(rows, kind, settings.corruption_level if is_trained_kind else None, seed)
        name = kind.replace("_", " ")
        lines |= {name: corrupted, f"{name}, denoised": reconstruct_rows(network, corrupted).clamp(0, 1)}
    return plots.plot_image_rows(lines, columns.image_shape, title="\n".join(format_denoising(denoising)))


def plot_anomalies(anomalies: dict[str, Any]) -> Figure:
    """Plot the scores of normal rows and of anomalies."""
    if not anomalies:
        return plots.plot_note(NO_DOWNSTREAM_TASKS)
    return plot_anomaly_scores(
        anomalies["scores"],
        anomalies["is_anomaly"],
        anomalies["methods"],
        anomalies["score"],
        anomalies["anomaly"],
    )


def plot_imputation(imputation: list[dict[str, Any]]) -> Figure:
    """Plot the error of imputed cells by column."""
    if not imputation:
        return plots.plot_note("Imputation is for tables (autoencoder.downstream_tasks).")
    return plot_imputation_errors(imputation)


def plot_sequences(
    sequences_network: SequenceAutoencoder,
    sequences: dict[str, Any],
    test: TensorData,
    columns: DataSpec,
) -> Figure:
    """Plot upper halves, their reconstructions, and the predicted lower halves."""
    if not sequences or columns.image_shape is None:
        return plots.plot_note("Sequences are the lines of images (autoencoder.downstream_tasks).")
    height, width = columns.image_shape
    series = test.inputs[:SHOWN].reshape(-1, height, width)
    past = series[:, : height // 2]
    with torch.no_grad():
        reconstructed = sequences_network.reconstruct(past)
        predicted = sequences_network.predict(past, height - height // 2)
    gray = torch.full_like(predicted, 0.5)
    lines = {
        "row": series,
        "input": torch.cat([past, gray], 1),
        "reconstructed": torch.cat([reconstructed, gray], 1),
        "predicted": torch.cat([past, predicted], 1),
    }
    flat = {name: each.reshape(len(each), -1) for name, each in lines.items()}
    return plots.plot_image_rows(flat, columns.image_shape, title="Images as sequences of lines")
