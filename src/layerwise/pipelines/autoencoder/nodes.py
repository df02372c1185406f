"""Nodes that train an autoencoder and evaluate its reconstructions, its latents and its likelihood."""

import copy
import logging
from typing import Any

import torch
from torch import nn

from layerwise.data import DataError, DataSpec, TensorData, validate_batch_size
from layerwise.evaluation.likelihood import elbo_terms, importance_weighted_log_prob
from layerwise.evaluation.unsupervised import (
    active_units,
    fit_pca,
    latent_statistics,
    reconstruction_metrics,
    reconstruction_sse,
)
from layerwise.models.autoencoder import (
    Autoencoder,
    BaseAutoencoder,
    LatentVariableModel,
    encode_rows,
    mean_jacobian_norm,
    reconstruct_rows,
    reconstruction_losses,
)
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.pipelines.views import describe_probe, probe_views
from layerwise.training.autoencoder import (
    AutoencoderSettings,
    build_autoencoder,
    train_autoencoder,
    train_rating_autoencoder,
)
from layerwise.training.diagnostics import LayerStatistics, sequential_view
from layerwise.utils import choose_device, dense_parameters, report_metrics, torch_rng

log = logging.getLogger(__name__)

# Rows whose Jacobians are computed: each is a matrix of its own.
JACOBIAN_ROWS = 1000


def train_network(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
    layer_statistics: bool,
) -> tuple[nn.Module, dict[str, Any]]:
    """Train the autoencoder on the rows without their labels; of ratings, one that ignores missing ones."""
    validate_batch_size(settings.batch_size, len(training), "autoencoder.batch_size")
    if columns.task == "documents":
        raise DataError("documents are counts of words, which no autoencoder here reads; run --pipelines=rbm")
    if columns.task == "ratings":
        # Its encoder and decoder are matrices of all columns by the latent units.
        latent_size = settings.resolved("denoising")["latent_size"]
        size = dense_parameters(columns.n_inputs, latent_size, columns.n_inputs)
        device = choose_device(size, settings.batch_size, "autoencoder")
        ratings, found = train_rating_autoencoder(
            training.to(device), validation.to(device), columns, settings, seed
        )
        return ratings.cpu(), found
    network = build_autoencoder(settings, columns, torch_rng(seed, "autoencoder"))
    device = choose_device(network, settings.batch_size, "autoencoder")
    network.to(device)
    probe = None
    if layer_statistics:
        probe = LayerStatistics(sequential_view(network), training.to(device))
    progress, reconstruction_history = train_autoencoder(
        network,
        training.to(device),
        validation.to(device),
        columns,
        settings,
        seed,
        callbacks=[] if probe is None else [probe],
    )
    history: dict[str, Any] = {
        "epochs": progress.history,
        "stopped": progress.stop,
        "seconds": progress.seconds,
        "row": reconstruction_history.row.tolist(),
        "reconstruction_history": [
            {"epoch": epoch, "reconstruction": row.tolist(), "loss": loss}
            for epoch, row, loss in reconstruction_history.entries
        ],
    }
    if probe is not None:
        history |= {
            "layer_statistics": [each.metrics() for each in probe.epochs],
            "diagnoses": probe.diagnoses(),
        }
        for diagnosis in history["diagnoses"]:
            log.warning(diagnosis)
        if not history["diagnoses"]:
            log.info("healthy: gradients, updates and activations are as they should be")
    return network, history


def evaluate_reconstruction(
    network: nn.Module, training: TensorData, test: TensorData, columns: DataSpec
) -> dict[str, Any]:
    """Evaluate reconstructions beside those of as many principal components, and the latents' statistics."""
    if columns.task in UNLABELLED:
        return {}
    assert isinstance(network, BaseAutoencoder)
    reconstructed, latents = reconstruct_rows(network, test.inputs), encode_rows(network, test.inputs)
    bounded = columns.bounded and bool(((reconstructed >= 0) & (reconstructed <= 1)).all())
    found: dict[str, Any] = {"reconstruction": reconstruction_metrics(test.inputs, reconstructed, bounded)}
    found["reconstruction"]["loss"] = float(reconstruction_losses(network, test.inputs).mean())
    k = min(latents.shape[1], columns.n_inputs)
    components = fit_pca(training.inputs, k)
    by_components = components.decode(components.encode(test.inputs))
    found["pca"] = {
        "components": k,
        "reconstruction_sse": float(reconstruction_sse(test.inputs, by_components).mean()),
    }
    found["latent"] = latent_statistics(latents)
    if isinstance(network, Autoencoder):
        found["jacobian_norm"] = mean_jacobian_norm(network.cpu(), test.inputs[:JACOBIAN_ROWS])
    if isinstance(network, LatentVariableModel):
        found["latent"]["active_units"] = float(active_units(latents))
    report_metrics({f"test/{name}": value for name, value in found["reconstruction"].items()})
    report_metrics({"test/pca_reconstruction_sse": found["pca"]["reconstruction_sse"]})
    report_metrics({f"test/latent/{name}": value for name, value in found["latent"].items()})
    if "jacobian_norm" in found:
        report_metrics({"test/jacobian_norm": found["jacobian_norm"]})
    log.info(
        "Squared error of a test row: %.3f from %d latent units, %.3f from %d principal components",
        found["reconstruction"]["reconstruction_sse"],
        latents.shape[1],
        found["pca"]["reconstruction_sse"],
        k,
    )
    return found


def estimate_likelihood(
    network: nn.Module,
    test: TensorData,
    columns: DataSpec,
    preprocessor: Any,
    settings: AutoencoderSettings,
    seed: int,
) -> dict[str, Any]:
    """Bound log p of test rows in nats, with one sample a row and with many; nothing if not variational.

    The result says how pixels were binarised: in training by `preprocessing.binarize`, of the test rows by one draw.
    """
    if not isinstance(network, LatentVariableModel):
        return {}
    # The rows of a part that is evaluated at once are many.
    device = choose_device(network, settings.likelihood_samples, "likelihood")
    vae = copy.deepcopy(network).to(device)
    rows = test.inputs[: settings.likelihood_rows]
    binarization = None
    if vae.output.binary:
        trained_on = preprocessor.settings.binarize if columns.image_shape else "none"
        binarization = {"training": trained_on, "test": "as prepared"}
        if not bool(((rows == 0) | (rows == 1)).all()):
            rows = torch.bernoulli(rows, generator=torch_rng(seed, "likelihood", "ink"))
            binarization["test"] = "one draw"
    rows = rows.to(device)
    found: dict[str, Any] = elbo_terms(vae, rows, torch_rng(seed, "likelihood", "bound", device=device))
    rng = torch_rng(seed, "likelihood", "draws", device=device)
    each = importance_weighted_log_prob(vae, rows, settings.likelihood_samples, rng)
    found |= {
        "log_prob": float(each.mean()),
        "standard_error": float(each.std() / len(each) ** 0.5) if len(each) > 1 else None,
        "samples": settings.likelihood_samples,
        "rows": len(rows),
        "binarization": binarization,
    }
    report_metrics({"test/elbo": found["elbo"], "test/log_prob": found["log_prob"]})
    log.info(
        "Log-probability of a test row: at least %.2f nats with %d samples, %.2f with one; binarisation: %s",
        found["log_prob"],
        settings.likelihood_samples,
        found["elbo"],
        "none" if binarization is None else f"{binarization['training']} in training, {binarization['test']}",
    )
    return found


def probe_latent(
    network: nn.Module,
    labelled: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> dict[str, Any]:
    """Fit linear models on the latents, on the raw rows and on their principal components, with the labelled rows."""
    if not settings.probe or columns.task in UNLABELLED:
        return {}
    parts = {"labelled": labelled, "validation": validation, "test": test}
    found = probe_views("latent", lambda x: encode_rows(network, x), parts, columns, seed, settings.bootstrap)
    log.info("A linear model of %d labelled rows: %s", len(labelled), describe_probe(found, columns))
    report_metrics({row.name: row.value for row in found.logged("test/probe/")})
    return found.model_dump(mode="json")
