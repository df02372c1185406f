"""Nodes that train an autoencoder and evaluate its reconstructions, its latents and its likelihood."""

import logging

from layerwise.data import DataError, DataSpec, TensorData, rows_for_training, with_unlabelled
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.evaluation.likelihood import VariationalLikelihood, variational_likelihood
from layerwise.evaluation.metrics import LoggedMetrics, MetricsByModel
from layerwise.evaluation.unsupervised import ReconstructionReport, evaluate_reconstructions
from layerwise.models.autoencoder import (
    BaseAutoencoder,
    LatentVariableModel,
    RatingAutoencoder,
    encode_rows,
)
from layerwise.pipelines.views import describe_probe, log_diagnoses, probe_views
from layerwise.training.autoencoder import (
    AutoencoderHistory,
    AutoencoderSettings,
    build_autoencoder,
    train_autoencoder,
    train_rating_autoencoder,
)
from layerwise.training.diagnostics import LayerStatistics
from layerwise.utils import choose_device, dense_parameters, torch_rng
from layerwise.utils.ranks import in_ranks

log = logging.getLogger(__name__)


@in_ranks
def train_network(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
    layer_statistics: bool,
    unlabelled: TensorData | None = None,
) -> tuple[BaseAutoencoder, AutoencoderHistory]:
    """Train the autoencoder on the rows without their labels."""
    if columns.task == "documents":
        raise DataError("documents are counts of words, which no autoencoder here reads; run --pipelines=rbm")
    network = build_autoencoder(settings, columns, torch_rng(seed, "autoencoder"))
    device = choose_device(network, settings.batch_size, "autoencoder")
    rows = rows_for_training(with_unlabelled(training, unlabelled), device)
    held_out = rows_for_training(validation, device)
    network.to(device)
    watched = LayerStatistics(network.layer_chain(), rows) if layer_statistics else None
    callbacks = [] if watched is None else [watched]
    done = train_autoencoder(network, rows, held_out, columns, settings, seed, callbacks=callbacks)
    if watched is not None:
        log_diagnoses(watched.diagnoses())
    return network.cpu(), AutoencoderHistory.of_training(*done, watched)


def train_rating_network(
    training: TensorData, validation: TensorData, columns: DataSpec, settings: AutoencoderSettings, seed: int
) -> tuple[RatingAutoencoder, AutoencoderHistory]:
    """Train an autoencoder of ratings, which ignores missing ones."""
    # Its encoder and decoder are matrices of all columns by the latent units.
    size = dense_parameters(columns.n_inputs, settings.resolved("denoising")["latent_size"], columns.n_inputs)
    device = choose_device(size, settings.batch_size, "autoencoder")
    network, history = train_rating_autoencoder(
        training.to(device), validation.to(device), columns, settings, seed
    )
    return network.cpu(), history


def evaluate_reconstruction(
    network: BaseAutoencoder, training: TensorData, test: TensorData, columns: DataSpec
) -> tuple[ReconstructionReport, LoggedMetrics]:
    """Evaluate reconstructions beside those of as many principal components, and the latents' statistics."""
    found = evaluate_reconstructions(network, training.inputs, test.inputs, columns)
    log.info(found)
    if found.is_worse_than_components:
        log.warning(
            "By the squared error %d principal components are better than this autoencoder: take them, train it longer "
            "(autoencoder.epochs), or judge it by its own loss, where that is another (categories, noise, penalties)",
            found.pca.components,
        )
    return found, LoggedMetrics.of(found.metrics(), prefix="test/")


def estimate_likelihood(
    network: LatentVariableModel,
    test: TensorData,
    columns: DataSpec,
    preprocessor: LabelledPreprocessor,
    settings: AutoencoderSettings,
    seed: int,
) -> tuple[VariationalLikelihood, LoggedMetrics]:
    """Bound log p of test rows in nats, with one sample a row and with many."""
    trained_on = preprocessor.settings.binarize if columns.image_shape else "none"
    rows = test.inputs[: settings.likelihood_rows]
    device = choose_device(network, settings.likelihood_samples, "likelihood")
    found = variational_likelihood(network.to(device), rows, settings.likelihood_samples, trained_on, seed)
    log.info(found)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/")


def probe_latent(
    network: BaseAutoencoder,
    labelled: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> tuple[MetricsByModel, LoggedMetrics]:
    """Fit linear models on the latents, on the raw rows and on their principal components, with the labelled rows."""
    parts = {"labelled": labelled, "validation": validation, "test": test}
    found = probe_views("latent", lambda x: encode_rows(network, x), parts, columns, seed, settings.bootstrap)
    log.info("A linear model of %d labelled rows: %s", len(labelled), describe_probe(found, columns))
    return found, found.logged("test/probe/")
