"""What an autoencoder is good for: each use a figure beside what is usual, or nothing where it has no meaning."""

import logging
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from layerwise.data.tensors import DataSpec, TensorData
from layerwise.data.transforms.corruption import Corruption, column_groups
from layerwise.evaluation.likelihood.iwae import importance_weighted_log_prob
from layerwise.evaluation.unsupervised.anomalies import (
    evaluate_detection,
    isolation_forest_scores,
    synthetic_anomalies,
)
from layerwise.evaluation.unsupervised.compression import (
    fit_pca,
    jpeg_rate_distortion,
    latent_rate_distortion,
)
from layerwise.evaluation.unsupervised.imputation import imputation_errors, impute, mask_cells
from layerwise.evaluation.unsupervised.ratings import errors_with_mean_baselines
from layerwise.evaluation.unsupervised.reconstruction import peak_signal_to_noise_ratio, structural_similarity
from layerwise.models.autoencoder.passes import encode_rows, reconstruct_rows, reconstruction_losses
from layerwise.models.autoencoder.ratings import RatingAutoencoder
from layerwise.models.autoencoder.sequence import SequenceAutoencoder, SequenceConfig
from layerwise.models.autoencoder.variational import VAE
from layerwise.models.rbm.ratings import rated
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.training.autoencoder.building import build_autoencoder
from layerwise.training.autoencoder.sequences import train_sequences
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.autoencoder.train import train_autoencoder
from layerwise.training.autoencoder.variants import DEFAULT_CORRUPTION_LEVELS
from layerwise.training.plan import TrainingError
from layerwise.utils.devices import best_device
from layerwise.utils.random_streams import torch_rng
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)

# Rows of each use: enough for two digits, and over within seconds.
ROWS = 1000
NOISES = ("gaussian", "salt_and_pepper", "masking")
MISSING_FRACTION = 0.2
ANOMALY_DRAWS = 50
SEQUENCE_ROWS, SEQUENCE_EPOCHS, SEQUENCE_LATENT_SIZE = 10_000, 10, 128


def compress(
    network: nn.Module,
    training: TensorData,
    test: TensorData,
    data_spec: dict[str, Any],
    settings: AutoencoderSettings,
) -> dict[str, Any]:
    """Weigh the size of stored codes against the error they leave; nothing for codes as large as the row."""
    columns = DataSpec(**data_spec)
    if not settings.downstream_tasks or columns.task in UNLABELLED:
        return {}
    network = network.cpu()
    rows, known = test.inputs[:ROWS], training.inputs[:10_000]
    latents = encode_rows(network, rows)
    if latents.shape[1] >= columns.n_inputs:
        return {}
    curves = {
        "autoencoder": latent_rate_distortion(rows, latents, encode_rows(network, known), network.decode)
    }  # type: ignore[arg-type]
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
    log.info("Squared error of a stored test row at its best: %s", shown)
    return {"curves": found, "raw_bytes": columns.n_inputs}


def add_noise(rows: Tensor, kind: Any, level: float | None, seed: int) -> Tensor:
    """Return pictures with noise, within [0, 1]."""
    noise = Corruption(
        kind, DEFAULT_CORRUPTION_LEVELS[kind] if level is None else level, torch_rng(seed, "denoising", kind)
    )
    return noise(rows).clamp(0, 1)


def denoise(
    network: nn.Module, test: TensorData, data_spec: dict[str, Any], settings: AutoencoderSettings, seed: int
) -> dict[str, Any]:
    """Measure damaged pictures before and after the autoencoder."""
    columns = DataSpec(**data_spec)
    if not settings.downstream_tasks or columns.image_shape is None:
        return {}
    rows, shape = test.inputs[:ROWS], columns.image_shape
    found: dict[str, Any] = {}
    for kind in NOISES:
        own = settings.resolved(settings.variant)["corruption"] in (kind, "auto")
        corrupted = add_noise(rows, kind, settings.corruption_level if own else None, seed)
        cleaned = reconstruct_rows(network, corrupted).clamp(0, 1)
        found[kind] = {
            name: {
                "psnr": float(peak_signal_to_noise_ratio(rows, each).mean()),
                "ssim": float(structural_similarity(rows, each, shape).mean()),
            }
            for name, each in (("before", corrupted), ("after", cleaned))
        }
        report_metrics({f"test/denoising/{kind}/{name}": v for name, v in found[kind]["after"].items()})
        before, after = found[kind]["before"], found[kind]["after"]
        log.info(
            "Noise %s: %.1f -> %.1f dB, SSIM %.3f -> %.3f",
            kind,
            before["psnr"],
            after["psnr"],
            before["ssim"],
            after["ssim"],
        )
    return found


def detect_anomalies(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    data_spec: dict[str, Any],
    settings: AutoencoderSettings,
    seed: int,
) -> dict[str, Any]:
    """Train a second autoencoder without one class (or on all rows) and see whether its error tells what it never saw.

    Where rows have no classes, test rows with half their columns from other rows are the anomalies.
    """
    columns = DataSpec(**data_spec)
    if not settings.downstream_tasks or columns.task in UNLABELLED:
        return {}
    device = best_device()
    known, held_out, rows, is_anomaly, name = _without_class(
        training, validation, test, columns, settings, seed
    )
    network = build_autoencoder(settings, columns, torch_rng(seed, "anomalies")).to(device)
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
    if isinstance(network, VAE):
        rng = torch_rng(seed, "anomalies", "draws", device=device)
        scores["likelihood"] = [
            -importance_weighted_log_prob(network, part.to(device), ANOMALY_DRAWS, rng).cpu()
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
    data_spec: dict[str, Any],
    settings: AutoencoderSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Hide a fifth of a table's cells and fill them in, beside each column's mean or commonest value."""
    columns = DataSpec(**data_spec)
    if not settings.downstream_tasks or columns.image_shape is not None or columns.task in UNLABELLED:
        return []
    rows, start = test.inputs[:ROWS], training.inputs.mean(0)
    cells, missing = mask_cells(len(rows), columns.blocks, MISSING_FRACTION, torch_rng(seed, "imputation"))
    imputed = impute(lambda x: reconstruct_rows(network, x), rows, missing, start)
    found = imputation_errors(rows, imputed, start, cells, columns.blocks)
    better = sum(float(each["autoencoder"]) < float(each["baseline"]) for each in found)
    report_metrics({f"test/imputation/{each['column']}": float(each["autoencoder"]) for each in found})
    log.info("Missing cells: nearer than the column's usual value in %d of %d columns", better, len(found))
    return found


def model_sequences(
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    data_spec: dict[str, Any],
    settings: AutoencoderSettings,
    seed: int,
) -> tuple[SequenceAutoencoder, dict[str, Any]]:
    """Read the upper half of pictures line by line, write it again, and predict the lower half; pictures alone."""
    columns, device = DataSpec(**data_spec), best_device()
    if not settings.downstream_tasks or columns.image_shape is None:
        return SequenceAutoencoder(SequenceConfig(n_inputs=1, latent_size=1)), {}
    height, width = columns.image_shape
    config = SequenceConfig(n_inputs=width, latent_size=SEQUENCE_LATENT_SIZE)
    network = SequenceAutoencoder(config, torch_rng(seed, "sequences")).to(device)
    n_input_steps, epochs = height // 2, min(SEQUENCE_EPOCHS, settings.epochs)
    learning = settings.model_copy(update={"learning_rate": 2e-3, "optimizer": "adam", "weight_decay": 0.0})
    progress = train_sequences(
        network,
        training[slice(0, SEQUENCE_ROWS)].to(device),
        validation.to(device),
        learning.to_finetuning_settings(epochs),
        settings.batch_size,
        n_input_steps,
        seed,
    )
    series = test.inputs[:ROWS].reshape(-1, height, width)
    past, future = series[:, :n_input_steps], series[:, n_input_steps:]
    network.cpu()
    with torch.no_grad():
        again, ahead = network.reconstruct(past), network.predict(past, height - n_input_steps)
    mean = training.inputs.reshape(-1, height, width)[:, n_input_steps:].mean(0)

    def error(guess: Tensor, true: Tensor) -> float:
        return float((guess - true).square().sum((1, 2)).mean())

    found = {
        "reconstruction_sse": error(again, past),
        "prediction_sse": error(ahead, future),
        "mean_sse": error(mean.expand_as(future), future),
        "last_line_sse": error(past[:, -1:].expand_as(future), future),
    }
    report_metrics({f"test/sequences/{name}": value for name, value in found.items()})
    log.info(
        "Lower halves predicted line by line: squared error %.1f; %.1f by the mean, %.1f by repeating the last line",
        found["prediction_sse"],
        found["mean_sse"],
        found["last_line_sse"],
    )
    return network, found | {"epochs": progress.history}


def recommend(
    network: nn.Module, training: TensorData, test: TensorData, data_spec: dict[str, Any], preprocessor: Any
) -> dict[str, float]:
    """Predict the test ratings from the training ratings, beside means; nothing for other rows."""
    columns = DataSpec(**data_spec)
    if not isinstance(network, RatingAutoencoder):
        return {}
    levels = network.cpu().config.levels
    rows, groups, _ = rated(test.inputs, len(levels))
    with torch.no_grad():
        answers = network(training.inputs)[rows, groups].clamp(levels[0], levels[-1])
    row_and_column = ("item", "user") if preprocessor.state["by_items"] else ("user", "item")
    found = errors_with_mean_baselines(answers, training.inputs, test.inputs, levels, row_and_column)
    report_metrics({f"test/{name}": value for name, value in found.items()})
    means = ", ".join(f"{name.replace('_', ' ')} {found[name]:.4f}" for name in found if "mean" in name)
    log.info("RMSE on held-out %s: %.4f (%s)", columns.task, found["rmse"], means)
    return found
