"""Nodes that plot an autoencoder's training, latents and downstream tasks."""

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from layerwise.data import DataSpec, TensorData
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.evaluation import plots
from layerwise.evaluation.demos import render_vae_demo
from layerwise.evaluation.plots import (
    format_denoising,
    name_noise,
    plot_activations,
    plot_anomaly_scores,
    plot_imputation_errors,
    plot_rate_distortion,
)
from layerwise.evaluation.unsupervised import (
    AnomalyReport,
    CompressionReport,
    DenoisingReport,
    ImputationReport,
    fit_pca,
)
from layerwise.models.autoencoder import (
    VAE,
    BaseAutoencoder,
    LatentVariableModel,
    SequenceAutoencoder,
    encode_rows,
    reconstruct_rows,
)
from layerwise.pipelines.autoencoder.downstream_images import add_noise, image_shape_of
from layerwise.pipelines.views import latent_map_figure
from layerwise.training.autoencoder import AutoencoderHistory, AutoencoderSettings
from layerwise.utils import torch_rng

SHOWN = 10
# Pairs of images that are interpolated.
PAIRS = 3
# Rows whose latents the page begins with, and by which it chooses the axes.
DEMO_ROWS = 100


def plot_learning_curves(history: AutoencoderHistory) -> Figure:
    """Plot every metric by epoch."""
    return plots.plot_learning_curves(
        {"autoencoder": history.epochs}, kept={"autoencoder": history.best_epoch}
    )


def plot_features(network: BaseAutoencoder, test: TensorData, columns: DataSpec) -> Figure:
    """Plot the weights of the first layer, those of pixels by how much these vary over the test rows."""
    weight = network.first_weight()
    assert weight is not None
    return plots.plot_features(
        weight.t().cpu(),
        image_shape=columns.image_shape,
        feature_names=columns.feature_names,
        rows=test.inputs,
    )


def plot_hidden_activations(network: nn.Module, test: TensorData) -> Figure:
    """Plot the latents of test rows, and the mean activation of each unit."""
    return plot_activations(encode_rows(network, test.inputs[:2000]), title="Latent activations")


def plot_latent_map(network: nn.Module, test: TensorData, columns: DataSpec) -> Figure:
    """Plot the test rows' latents in the plane of their first two principal components."""
    rows = test[slice(0, 5000)]
    return latent_map_figure(encode_rows(network, rows.inputs), rows, columns)


def plot_comparison(network: nn.Module, training: TensorData, test: TensorData, columns: DataSpec) -> Figure:
    """Plot test images beside their reconstructions from the latent and from as many principal components.

    An autoencoder that has learnt the rows reconstructs noise as something like a row; one that has learnt the
    identity returns the noise.
    """
    rows = test.inputs[:SHOWN]
    size = encode_rows(network, rows[:1]).shape[1]
    components = fit_pca(training.inputs, n_components := min(size, columns.n_inputs))
    noise = torch.rand(rows.shape, generator=torch_rng(0, "comparison"))
    lines = {
        "image": rows,
        f"from a latent of {size}": reconstruct_rows(network, rows),
        f"from {n_components} principal components": components.decode(components.encode(rows)),
        "noise": noise,
        "noise, reconstructed": reconstruct_rows(network, noise),
    }
    title = "Test images, noise, and their reconstructions"
    shown = {name: each.clamp(0, 1) for name, each in lines.items()}
    return plots.plot_image_rows(shown, image_shape_of(columns), title=title)


def plot_image_samples(network: LatentVariableModel, columns: DataSpec, seed: int) -> Figure:
    """Plot the mean images that a variational autoencoder generates from latents sampled from the prior."""
    with torch.no_grad():
        means = network.cpu().sample(64, torch_rng(seed, "samples"))
    title = "Samples: means given latents of the prior"
    return plots.plot_samples(means.clamp(0, 1), image_shape_of(columns), title=title)


def plot_sampled_marginals(
    network: LatentVariableModel, training: TensorData, preprocessor: LabelledPreprocessor, seed: int
) -> Figure:
    """Plot each column's distribution, of training rows and of rows that the autoencoder generates."""
    with torch.no_grad():
        generated = network.cpu().sample(1000, torch_rng(seed, "samples"), sample_outputs=True)
    real = preprocessor.restore_inputs(training.inputs.numpy())
    return plots.plot_marginals(real, preprocessor.restore_inputs(generated.numpy()))


def plot_interpolation(network: BaseAutoencoder, test: TensorData, columns: DataSpec) -> Figure:
    """Plot images interpolated between the latents of two test rows, and between their pixels."""
    fraction, network = torch.linspace(0, 1, SHOWN)[:, None], network.cpu()
    lines: dict[str, Tensor] = {}
    for k in range(PAIRS):
        first, second = _two_of_other_classes(test, k)
        latents = encode_rows(network, torch.stack([first, second]))
        with torch.no_grad():
            path = network.decode((1 - fraction) * latents[:1] + fraction * latents[1:])
        lines[f"latents {k + 1}"] = path.clamp(0, 1)
        lines[f"pixels {k + 1}"] = (1 - fraction) * first + fraction * second
    title = "Interpolation between latents, and between pixels"
    return plots.plot_image_rows(lines, image_shape_of(columns), title=title)


def _two_of_other_classes(test: TensorData, k: int) -> tuple[Tensor, Tensor]:
    first = test.inputs[k]
    if test.targets is None:
        return first, test.inputs[-1 - k]
    other = (test.targets.reshape(-1) != test.targets.reshape(-1)[k]).nonzero()[k]
    return first, test.inputs[other[0]]


def plot_compression(compression: CompressionReport) -> Figure:
    """Plot size against error."""
    return plot_rate_distortion(
        compression.model_dump()["curves"], compression.raw_bytes, compression.shared_bytes
    )


def plot_denoising(
    network: nn.Module,
    test: TensorData,
    denoising: DenoisingReport,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> Figure:
    """Plot corrupted images and their reconstructions."""
    rows = test.inputs[:SHOWN]
    kind, corrupted = add_noise(rows, columns, settings, seed)
    lines = {
        "image": rows,
        f"with {name_noise(kind)}": corrupted,
        "denoised": reconstruct_rows(network, corrupted).clamp(0, 1),
    }
    title = "\n".join(format_denoising(denoising.model_dump()))
    return plots.plot_image_rows(lines, image_shape_of(columns), title=title)


def plot_anomalies(anomalies: AnomalyReport) -> Figure:
    """Plot the scores of normal rows and of anomalies."""
    found = anomalies.model_dump()
    return plot_anomaly_scores(
        found["scores"], found["is_anomaly"], found["methods"], found["score"], found["anomaly"]
    )


def plot_imputation(imputation: ImputationReport) -> Figure:
    """Plot the error of imputed cells by column."""
    return plot_imputation_errors(imputation.model_dump())


def plot_sequences(network: SequenceAutoencoder, test: TensorData, columns: DataSpec) -> Figure:
    """Plot upper halves, their reconstructions, and the predicted lower halves."""
    shape = image_shape_of(columns)
    height, series = shape[0], test.inputs[:SHOWN].reshape(-1, shape[0], columns.n_inputs // shape[0])
    past = series[:, : height // 2]
    with torch.no_grad():
        reconstructed, predicted = network.reconstruct(past), network.predict(past, height - height // 2)
    gray = torch.full_like(predicted, 0.5)
    lines = {
        "image": series,
        "given": torch.cat([past, gray], 1),
        "reconstructed": torch.cat([reconstructed, gray], 1),
        "predicted": torch.cat([past, predicted], 1),
    }
    flat = {name: each.reshape(len(each), -1) for name, each in lines.items()}
    return plots.plot_image_rows(flat, shape, title="Images as sequences of lines")


def write_demo(network: VAE, test: TensorData, columns: DataSpec) -> str:
    """Write an HTML page with the decoder itself, to walk through two axes of the latent."""
    assert columns.image_shape is not None
    latents = encode_rows(network, test.inputs[:DEMO_ROWS])
    return render_vae_demo(network, columns.image_shape, latents)
