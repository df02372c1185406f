"""Downstream tasks of an autoencoder, each beside a baseline: compression, anomalies, imputation, recommendation.

Those of images alone are in `downstream_images`.
"""

import logging
from functools import partial

import torch
from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.data.sources import RatingsPreprocessor
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.unsupervised import (
    MISSING_FRACTION,
    AnomalyReference,
    AnomalyReport,
    AnomalyRows,
    CompressionReport,
    ImputationReport,
    RatingErrors,
    compare_compression,
    errors_with_mean_baselines,
    evaluate_detector,
    imputation_errors,
    impute,
    impute_with_baselines,
    mask_cells,
    rows_without_class,
)
from layerwise.models.autoencoder import BaseAutoencoder, RatingAutoencoder, reconstruct_rows
from layerwise.models.rbm import rated
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.utils import choose_device, torch_rng

log = logging.getLogger(__name__)

# Test rows of each task: enough for two significant digits within seconds.
ROWS = 1000


def compress(
    network: BaseAutoencoder, training: TensorData, test: TensorData, columns: DataSpec
) -> tuple[CompressionReport, LoggedMetrics]:
    """Return the rate-distortion curves of quantized latents, beside PCA and JPEG."""
    found = compare_compression(network.cpu(), training.inputs, test.inputs[:ROWS], columns)
    log.info(found)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/compression/")


def detect_anomalies(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> tuple[AnomalyReport, LoggedMetrics]:
    """Train a second autoencoder without one class (or on all rows) and detect that class by latent and error.

    Where rows have no classes, the anomalies are synthetic: test rows with half their columns from other rows.
    """
    rows = rows_without_class(training, validation, test, columns, settings.anomaly_class, seed)
    network = _train_on_normal_rows(rows, columns, settings, seed)
    found = evaluate_detector(network, rows, columns, seed)
    log.info(found)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/")


def _train_on_normal_rows(
    rows: AnomalyRows, columns: DataSpec, settings: AutoencoderSettings, seed: int
) -> BaseAutoencoder:
    network = build_autoencoder(settings, columns, torch_rng(seed, "anomalies"))
    device = choose_device(network, settings.batch_size, "anomalies")
    if settings.batch_size > len(rows.training):
        log.info("Of rows without %s there are %d: a batch takes all", rows.name, len(rows.training))
        settings = settings.model_copy(update={"batch_size": len(rows.training)})
    train_autoencoder(
        network.to(device),
        TensorData(rows.training).to(device),
        TensorData(rows.validation).to(device),
        columns,
        settings,
        seed,
        name="anomalies",
        silent=True,
    )
    return network


def impute_missing_cells(
    network: nn.Module,
    reference: AnomalyReference,
    training: TensorData,
    test: TensorData,
    columns: DataSpec,
    seed: int,
) -> tuple[ImputationReport, LoggedMetrics]:
    """Mask a fifth of a table's cells and impute them, beside the column's mean, nearest rows and regressions."""
    rows, start = test.inputs[:ROWS], training.inputs.mean(0)
    cells, missing = mask_cells(len(rows), columns.blocks, MISSING_FRACTION, torch_rng(seed, "imputation"))
    reconstruct = partial(reconstruct_rows, network)
    imputed = {"autoencoder": impute(reconstruct, rows, missing, start, reference.imputation_iterations)}
    imputed |= impute_with_baselines(training.inputs, rows, missing, seed)
    found = imputation_errors(rows, imputed, cells, columns.blocks)
    log.info(found)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/imputation/")


def recommend(
    network: RatingAutoencoder,
    training: TensorData,
    test: TensorData,
    preprocessor: RatingsPreprocessor,
) -> tuple[RatingErrors, LoggedMetrics]:
    """Predict the test ratings from the training ratings, beside mean baselines."""
    levels = network.cpu().config.levels
    rows, groups, _ = rated(test.inputs, len(levels))
    with torch.no_grad():
        predicted = network(training.inputs)[rows, groups].clamp(levels[0], levels[-1])
    row_and_column = ("item", "user") if preprocessor.state["by_items"] else ("user", "item")
    errors = errors_with_mean_baselines(predicted, training.inputs, test.inputs, levels, row_and_column)
    found = RatingErrors(errors)
    log.info(found)
    return found, LoggedMetrics.of(found.root, prefix="test/")
