"""Downstream tasks of an autoencoder, each beside a baseline: compression, anomalies, imputation, recommendation.

A task that has no meaning for the rows returns an empty result. Those of images alone are in `downstream_images`.
"""

import logging
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from layerwise.data import DataSpec, TensorData
from layerwise.data.transforms import column_groups
from layerwise.evaluation.likelihood import importance_weighted_log_prob
from layerwise.evaluation.unsupervised import (
    errors_with_mean_baselines,
    evaluate_detection,
    fit_pca,
    imputation_errors,
    impute,
    isolation_forest_scores,
    jpeg_rate_distortion,
    latent_rate_distortion,
    mask_cells,
    synthetic_anomalies,
)
from layerwise.models.autoencoder import (
    BaseAutoencoder,
    LatentVariableModel,
    RatingAutoencoder,
    encode_rows,
    reconstruct_rows,
    reconstruction_losses,
)
from layerwise.models.rbm import rated
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.training import TrainingError
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.utils import choose_device, report_metrics, torch_rng

log = logging.getLogger(__name__)

# Test rows of each task: enough for two significant digits within seconds.
ROWS = 1000
MISSING_FRACTION = 0.2
ANOMALY_SAMPLES = 50


def compress(
    network: BaseAutoencoder | RatingAutoencoder,
    training: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
) -> dict[str, Any]:
    """Return the rate-distortion curves of quantized latents, beside PCA and JPEG; nothing for latents of full size."""
    if not settings.downstream_tasks or columns.task in UNLABELLED:
        return {}
    assert isinstance(network, BaseAutoencoder)
    network = network.cpu()
    rows, known = test.inputs[:ROWS], training.inputs[:10_000]
    latents = encode_rows(network, rows)
    if latents.shape[1] >= columns.n_inputs:
        return {}
    curves = {
        "autoencoder": latent_rate_distortion(rows, latents, encode_rows(network, known), network.decode)
    }
    components = fit_pca(training.inputs, latents.shape[1])
    curves["pca"] = latent_rate_distortion(
        rows, components.encode(rows), components.encode(known), components.decode
    )
    if columns.image_shape:
        curves["jpeg"] = jpeg_rate_distortion(rows, columns.image_shape)
    found = {name: [asdict(point) for point in points] for name, points in curves.items()}
    best = {name: min(points, key=lambda p: p["squared_error"]) for name, points in found.items()}
    report_metrics({f"test/compression/{name}_error": point["squared_error"] for name, point in best.items()})
    shown = ", ".join(f"{n} {p['squared_error']:.2f} with {p['bytes']:.0f} bytes" for n, p in best.items())
    log.info("Lowest squared error of a compressed test row: %s", shown)
    return {"curves": found, "raw_bytes": columns.n_inputs}


def detect_anomalies(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> dict[str, Any]:
    """Train a second autoencoder without one class (or on all rows) and detect that class by its reconstruction error.

    Where rows have no classes, the anomalies are synthetic: test rows with half their columns from other rows.
    """
    if not settings.downstream_tasks or columns.task in UNLABELLED:
        return {}
    known, held_out, rows, is_anomaly, name = _without_class(
        training, validation, test, columns, settings, seed
    )
    network = build_autoencoder(settings, columns, torch_rng(seed, "anomalies"))
    device = choose_device(network, settings.batch_size, "anomalies")
    network.to(device)
    if settings.batch_size > len(known):
        raise TrainingError(
            f"autoencoder.batch_size is {settings.batch_size}, more than the {len(known)} training rows without "
            f"{name}; lower it, or set autoencoder.downstream_tasks: false"
        )
    train_autoencoder(
        network,
        TensorData(known).to(device),
        TensorData(held_out).to(device),
        columns,
        settings,
        seed,
        name="anomalies",
        silent=True,
    )
    scores = {"reconstruction": [reconstruction_losses(network, part) for part in (held_out, rows)]}
    if isinstance(network, LatentVariableModel):
        rng = torch_rng(seed, "anomalies", "draws", device=device)
        scores["likelihood"] = [
            -importance_weighted_log_prob(network, part.to(device), ANOMALY_SAMPLES, rng).cpu()
            for part in (held_out, rows)
        ]
    methods = {method: evaluate_detection(pair[0], pair[1], is_anomaly) for method, pair in scores.items()}
    forest = isolation_forest_scores(known, held_out, rows, seed)
    methods["isolation_forest"] = evaluate_detection(forest[0], forest[1], is_anomaly)
    main = "likelihood" if "likelihood" in methods else "reconstruction"
    report_metrics({"test/anomaly_auc": methods[main].auc})
    report_metrics({f"test/anomalies/{method}_auc": each.auc for method, each in methods.items()})
    log.info(
        "Anomalies (%s): AUC %s",
        name,
        ", ".join(f"{method.replace('_', ' ')} {each.auc:.3f}" for method, each in methods.items()),
    )
    return {
        "anomaly": name,
        "methods": {method: each.to_dict() for method, each in methods.items()},
        "scores": scores[main][1].tolist(),
        "is_anomaly": is_anomaly.tolist(),
        "score": main,
    }


def _without_class(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, str]:
    """Return normal training and validation rows, test rows, which of them are anomalies, and what those are."""
    if columns.task not in ("multiclass", "binary"):
        if settings.anomaly_class is not None:
            raise TrainingError(
                f"autoencoder.anomaly_class names a class, and a {columns.task} task has none"
            )
        rng = torch_rng(seed, "anomalies", "planted")
        synthetic = synthetic_anomalies(test.inputs, column_groups(columns.blocks), rng)
        is_anomaly = torch.arange(2 * len(test)) >= len(test)
        both = torch.cat([test.inputs, synthetic])
        return (
            training.inputs,
            validation.inputs,
            both,
            is_anomaly,
            "rows with half their columns from other rows",
        )
    name = settings.anomaly_class or columns.class_names[-1]
    if name not in columns.class_names:
        raise TrainingError(
            f"autoencoder.anomaly_class: there is no class '{name}'; known: {', '.join(columns.class_names)}"
        )
    class_index = columns.class_names.index(name)
    kept = []
    for part in (training, validation):
        assert part.targets is not None
        kept.append(part.inputs[part.targets.reshape(-1).long() != class_index])
    assert test.targets is not None
    is_anomaly = test.targets.reshape(-1).long() == class_index
    return kept[0], kept[1], test.inputs, is_anomaly, f"class {name}"


def impute_missing_cells(
    network: nn.Module,
    training: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Mask a fifth of a table's cells and impute them, beside each column's mean or most frequent value."""
    if not settings.downstream_tasks or columns.image_shape is not None or columns.task in UNLABELLED:
        return []
    rows, start = test.inputs[:ROWS], training.inputs.mean(0)
    cells, missing = mask_cells(len(rows), columns.blocks, MISSING_FRACTION, torch_rng(seed, "imputation"))
    imputed = impute(lambda x: reconstruct_rows(network, x), rows, missing, start)
    found = imputation_errors(rows, imputed, start, cells, columns.blocks)
    better = sum(float(each["autoencoder"]) < float(each["baseline"]) for each in found)
    report_metrics({f"test/imputation/{each['column']}": float(each["autoencoder"]) for each in found})
    log.info("Imputation: better than the column's mean or mode in %d of %d columns", better, len(found))
    return found


def recommend(
    network: nn.Module, training: TensorData, test: TensorData, columns: DataSpec, preprocessor: Any
) -> dict[str, float]:
    """Predict the test ratings from the training ratings, beside mean baselines; nothing for other rows."""
    if not isinstance(network, RatingAutoencoder):
        return {}
    levels = network.cpu().config.levels
    rows, groups, _ = rated(test.inputs, len(levels))
    with torch.no_grad():
        predicted = network(training.inputs)[rows, groups].clamp(levels[0], levels[-1])
    row_and_column = ("item", "user") if preprocessor.state["by_items"] else ("user", "item")
    found = errors_with_mean_baselines(predicted, training.inputs, test.inputs, levels, row_and_column)
    report_metrics({f"test/{name}": value for name, value in found.items()})
    means = ", ".join(f"{name.replace('_', ' ')} {found[name]:.4f}" for name in found if "mean" in name)
    log.info("RMSE on held-out %s: %.4f (%s)", columns.task, found["rmse"], means)
    return found
