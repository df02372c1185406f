"""A GAN on a table's rows, and the metrics of its synthetic rows."""

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import torch

from layerwise.data import DataSpec, PreprocessingSettings, Problem, Split, TensorData
from layerwise.data.preprocessing import derive_columns, encode, fit_encoding, known_rows
from layerwise.evaluation.generative import (
    associations,
    detection_auc,
    marginal_distance,
    memorization,
    synthetic_data_utility,
)
from layerwise.evaluation.plots import Animation, animate_points
from layerwise.evaluation.unsupervised import fit_pca
from layerwise.models import MLP
from layerwise.training.gan import GANResult, GANSettings, train_table_gan
from layerwise.utils import choose_device, report_metrics

log = logging.getLogger(__name__)


def encode_and_train_gan(
    raw: pd.DataFrame,
    split: Split,
    columns: DataSpec,
    problem: Problem,
    preprocessing: PreprocessingSettings,
    settings: GANSettings,
    seed: int,
) -> tuple[GANResult, Animation, dict[str, Any]]:
    """Encode rows, train a GAN, and animate samples in the plane of the real rows' first principal components."""
    frame = derive_columns(raw, problem)
    encoding = fit_encoding(frame, split.training, problem, preprocessing, settings.table.components, seed)
    validation = frame.iloc[split.validation]
    validation = validation.iloc[known_rows(validation, encoding)]
    training_rows, validation_rows = (
        torch.from_numpy(encode(part, encoding, seed)) for part in (frame.iloc[split.training], validation)
    )
    device = choose_device(settings.count_parameters(training_rows.shape[1]), settings.batch_size, "gan")
    result = train_table_gan(
        training_rows.to(device), validation_rows.to(device), encoding, columns, settings, seed
    )
    animation = animate_points(
        *_project_on_plane(result, training_rows), names=("first component", "second component")
    )
    return result, animation, encoding.model_dump(mode="json")


def _project_on_plane(
    result: GANResult, rows: torch.Tensor
) -> tuple[list[tuple[int, np.ndarray]], np.ndarray]:
    """Return the sample history and some real rows on the real rows' first two principal components."""
    real = rows[:1000].cpu().double()
    plane = fit_pca(real, 2)
    snapshots = [
        (epoch, plane.encode(samples.cpu().double()).numpy()) for epoch, samples in result.sample_history
    ]
    return snapshots, plane.encode(real).numpy()


def evaluate_table_samples(
    generated: pd.DataFrame,
    raw: pd.DataFrame,
    split: Split,
    preprocessor: Any,
    training: TensorData,
    test: TensorData,
    columns: DataSpec,
    classifier: MLP,
    seed: int,
) -> dict[str, Any]:
    """Return the metrics of generated rows, as many as training rows, against the test rows.

    Detection and memorization are measured in the preprocessed columns, the target among them.
    """
    frame = derive_columns(raw, preprocessor.problem)
    real = frame.iloc[split.test][list(generated)].reset_index(drop=True)
    inputs = torch.from_numpy(preprocessor.inputs(generated))
    synthetic = TensorData(inputs, torch.from_numpy(np.ascontiguousarray(preprocessor.targets(generated))))
    whole = {
        name: np.column_stack([rows.inputs.numpy(), _target_columns(rows, columns)])
        for name, rows in {"training": training, "test": test, "generated": synthetic}.items()
    }
    pairs = np.abs(associations(real) - associations(generated))
    names = list(generated)
    found: dict[str, Any] = {
        "marginals": {name: marginal_distance(real[name], generated[name]) for name in names},
        "pairwise": float(pairs[np.triu_indices(len(names), 1)].mean()),
        "worst_pair": [names[k] for k in np.unravel_index(int(pairs.argmax()), pairs.shape)],
        "detection_auc": detection_auc(whole["test"], whole["generated"], seed),
        "utility": synthetic_data_utility(training, synthetic, test, columns.task, columns.n_outputs, seed),
        "memorization": asdict(
            memorization(whole["training"], whole["test"][:2000], whole["generated"][:2000])
        ),
        "exact_copies": _exact_copies_fraction(frame.iloc[split.training][names], generated),
    }
    found["marginal"] = float(np.mean(list(found["marginals"].values())))
    if columns.task in ("binary", "multiclass"):
        found["classes"] = {
            name: np.bincount(_class_codes(rows), minlength=len(columns.class_names)) / len(rows)
            for name, rows in {"real": training, "generated": synthetic}.items()
        }
        found["classes"] = {name: fractions.tolist() for name, fractions in found["classes"].items()}
        found["agreement"] = {
            name: float((_predict(classifier, rows.inputs) == _class_codes(rows)).mean())
            for name, rows in {"real": test, "generated": synthetic}.items()
        }
    _report_metrics(found)
    return found


def _target_columns(rows: TensorData, columns: DataSpec) -> np.ndarray:
    assert rows.targets is not None
    if columns.task == "multiclass":
        return np.eye(columns.n_outputs)[rows.targets.numpy()]
    return rows.targets.numpy()


def _class_codes(rows: TensorData) -> np.ndarray:
    assert rows.targets is not None
    return rows.targets.reshape(-1).long().numpy()


@torch.no_grad()
def _predict(classifier: MLP, inputs: torch.Tensor) -> np.ndarray:
    scores = classifier(inputs)
    return ((scores[:, 0] > 0).long() if scores.shape[1] == 1 else scores.argmax(1)).numpy()


def _exact_copies_fraction(training: pd.DataFrame, generated: pd.DataFrame) -> float:
    """Return the fraction of generated rows that are a training row in every column."""
    known = set(map(tuple, training.astype(str).to_numpy()))
    return float(np.mean([tuple(row) in known for row in generated.astype(str).to_numpy()]))


def _report_metrics(found: dict[str, Any]) -> None:
    boosting = found["utility"]["gradient boosting"]
    report_metrics(
        {
            f"test/synthetic_{boosting['metric']}": boosting["synthetic"],
            f"test/real_{boosting['metric']}": boosting["real"],
            "test/detection_auc": found["detection_auc"],
            "test/marginal_distance": found["marginal"],
            "test/pairwise_distance": found["pairwise"],
            "test/memorization_ratio": found["memorization"]["ratio"],
            "test/exact_copies": found["exact_copies"],
        }
    )
    log.info(
        "Gradient boosting, tested on real rows: %s %.4f trained on synthetic rows, %.4f on real ones; "
        "detection AUC %.3f",
        boosting["metric"],
        boosting["synthetic"],
        boosting["real"],
        found["detection_auc"],
    )
