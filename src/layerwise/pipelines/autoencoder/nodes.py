"""Train an autoencoder, and measure how well it reconstructs, what its codes do and how probable rows are."""

import logging
from typing import Any

import torch
from torch import nn

from layerwise.data.errors import DataError
from layerwise.data.splits import require_batch
from layerwise.data.tensors import Description, Rows
from layerwise.evaluation.likelihood.iwae import bound_terms, importance_weighted_log_prob
from layerwise.evaluation.unsupervised.compression import fit_components
from layerwise.evaluation.unsupervised.latent import active_units, code_statistics
from layerwise.evaluation.unsupervised.reconstruction import reconstruction_measures, reconstruction_sse
from layerwise.models.autoencoder.feedforward import Autoencoder
from layerwise.models.autoencoder.jacobian import mean_jacobian_norm
from layerwise.models.autoencoder.passes import encoded, reconstructed, reconstruction_losses
from layerwise.models.autoencoder.variational import VAE
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.pipelines.views import probe_views
from layerwise.training.autoencoder.building import new_autoencoder
from layerwise.training.autoencoder.ratings import train_rating_autoencoder
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.autoencoder.train import train_autoencoder
from layerwise.training.diagnostics.autoencoder_view import health_view
from layerwise.training.diagnostics.layer_statistics import HealthProbe
from layerwise.utils.devices import best_device
from layerwise.utils.random_streams import generator_for
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)

# Rows whose Jacobians are taken: each is a matrix of its own.
JACOBIAN_ROWS = 1000


def train_network(
    training: Rows,
    validation: Rows,
    description: dict[str, Any],
    settings: AutoencoderSettings,
    seed: int,
    health: bool,
) -> tuple[nn.Module, dict[str, Any]]:
    """Train the autoencoder on the rows without their labels; of ratings, one that leaves missing ones out."""
    columns, device = Description(**description), best_device()
    require_batch(settings.batch_size, len(training), "autoencoder.batch_size")
    if columns.task == "documents":
        raise DataError("documents are counts of words, which no autoencoder here reads; run --pipelines=rbm")
    if columns.task == "ratings":
        return train_rating_autoencoder(training.to(device), validation.to(device), columns, settings, seed)
    network = new_autoencoder(settings, columns, generator_for(seed, "autoencoder")).to(device)
    probe = None
    if health:
        probe = HealthProbe(health_view(network), training.to(device))
    progress, stages = train_autoencoder(
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
        "row": stages.row.tolist(),
        "stages": [
            {"epoch": epoch, "reconstruction": row.tolist(), "loss": loss} for epoch, row, loss in stages.kept
        ],
    }
    if probe is not None:
        history |= {"health": [each.metrics() for each in probe.epochs], "verdicts": probe.verdicts()}
        for verdict in history["verdicts"]:
            log.warning(verdict)
        if not history["verdicts"]:
            log.info("healthy: gradients, updates and activities are as they should be")
    return network, history


def measure_network(
    network: nn.Module, training: Rows, test: Rows, description: dict[str, Any]
) -> dict[str, Any]:
    """Measure reconstructions beside those of as many principal components, and what the codes do."""
    columns = Description(**description)
    if columns.task in UNLABELLED:
        return {}
    again, codes = reconstructed(network, test.inputs), encoded(network, test.inputs)
    bounded = columns.bounded and bool(((again >= 0) & (again <= 1)).all())
    found: dict[str, Any] = {"reconstruction": reconstruction_measures(test.inputs, again, bounded)}
    found["reconstruction"]["loss"] = float(reconstruction_losses(network, test.inputs).mean())
    k = min(codes.shape[1], columns.n_inputs)
    components = fit_components(training.inputs, k)
    by_components = components.decode(components.encode(test.inputs))
    found["pca"] = {
        "components": k,
        "reconstruction_sse": float(reconstruction_sse(test.inputs, by_components).mean()),
    }
    found["codes"] = code_statistics(codes)
    if isinstance(network, Autoencoder):
        found["jacobian_norm"] = mean_jacobian_norm(network.cpu(), test.inputs[:JACOBIAN_ROWS])
    if isinstance(network, VAE):
        found["codes"]["active_units"] = float(active_units(codes))
    report_metrics({f"test/{name}": value for name, value in found["reconstruction"].items()})
    report_metrics({"test/pca_reconstruction_sse": found["pca"]["reconstruction_sse"]})
    report_metrics({f"test/codes/{name}": value for name, value in found["codes"].items()})
    if "jacobian_norm" in found:
        report_metrics({"test/jacobian_norm": found["jacobian_norm"]})
    log.info(
        "Squared error of a test row: %.3f from a code of %d, %.3f from %d principal components",
        found["reconstruction"]["reconstruction_sse"],
        codes.shape[1],
        found["pca"]["reconstruction_sse"],
        k,
    )
    return found


def measure_likelihood(
    network: nn.Module,
    test: Rows,
    description: dict[str, Any],
    preparation: Any,
    settings: AutoencoderSettings,
    seed: int,
) -> dict[str, Any]:
    """Bound log p of test rows in nats, with one draw a row and with many; nothing if not variational.

    The result says how pixels became ink: in training by `preparation.binarise`, for the test rows by one draw.
    """
    columns = Description(**description)
    if not isinstance(network, VAE):
        return {}
    vae, device = network.to(best_device()), best_device()
    rows = test.inputs[: settings.likelihood_rows]
    binarisation = None
    if vae.config.loss == "binary_cross_entropy":
        trained_on = preparation.settings.binarise if columns.image_shape else "none"
        binarisation = {"training": trained_on, "test": "as prepared"}
        if not bool(((rows == 0) | (rows == 1)).all()):
            rows = torch.bernoulli(rows, generator=generator_for(seed, "likelihood", "ink"))
            binarisation["test"] = "one draw"
    rows = rows.to(device)
    found: dict[str, Any] = bound_terms(vae, rows, generator_for(seed, "likelihood", "bound", device=device))
    draws = generator_for(seed, "likelihood", "draws", device=device)
    each = importance_weighted_log_prob(vae, rows, settings.likelihood_samples, draws)
    found |= {
        "log_prob": float(each.mean()),
        "standard_error": float(each.std() / len(each) ** 0.5) if len(each) > 1 else None,
        "samples": settings.likelihood_samples,
        "rows": len(rows),
        "binarisation": binarisation,
    }
    report_metrics({"test/elbo": found["elbo"], "test/log_prob": found["log_prob"]})
    log.info(
        "Log-probability of a test row: at least %.2f nats by %d draws, %.2f by one; ink: %s",
        found["log_prob"],
        settings.likelihood_samples,
        found["elbo"],
        "none" if binarisation is None else f"{binarisation['training']} in training, {binarisation['test']}",
    )
    return found


def probe_codes(
    network: nn.Module,
    labelled: Rows,
    validation: Rows,
    test: Rows,
    description: dict[str, Any],
    settings: AutoencoderSettings,
    seed: int,
) -> dict[str, Any]:
    """Fit linear models on the codes, on the raw rows and on their principal components; few labels too, if kept."""
    columns = Description(**description)
    if not settings.probe or columns.task in UNLABELLED:
        return {}
    parts = {"labelled": labelled, "validation": validation, "test": test}
    found, measure, shown = probe_views(
        "codes", lambda x: encoded(network, x), parts, columns, seed, settings.bootstrap
    )
    log.info("A linear model's %s on the test rows, of %d labelled ones: %s", measure, len(labelled), shown)
    return found
