"""The game on a table's rows, and what its synthetic rows are worth."""

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import torch

from layerwise.data.preprocessing.table_encoding import encode, fit_encoding, known_rows
from layerwise.data.preprocessing.targets import derive_columns
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.splits import Split
from layerwise.data.tensors import DataSpec, TensorData
from layerwise.evaluation.generative.sample_quality import memorization
from layerwise.evaluation.generative.tables import (
    associations,
    detection_auc,
    marginal_distance,
    synthetic_data_utility,
)
from layerwise.evaluation.plots.animation import Animation, animate_points
from layerwise.models.mlp import MLP
from layerwise.training.gan.settings import GANSettings
from layerwise.training.gan.tables import train_table_gan
from layerwise.training.gan.train import GANResult
from layerwise.utils.devices import best_device
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)


def encode_and_train_gan(
    raw: pd.DataFrame,
    split: Split,
    columns: DataSpec,
    problem: Problem,
    preparing: PreprocessingSettings,
    settings: GANSettings,
    seed: int,
) -> tuple[GANResult, Animation, dict[str, Any]]:
    """Encode the rows, play, and film the samples in the plane of the real rows' two principal components."""
    frame, device = derive_columns(raw, problem), best_device()
    encoding = fit_encoding(frame, split.training, problem, preparing, settings.table.components, seed)
    held_out = frame.iloc[split.validation]
    held_out = held_out.iloc[known_rows(held_out, encoding)]
    rows, others = (
        torch.from_numpy(encode(part, encoding, seed)).to(device)
        for part in (frame.iloc[split.training], held_out)
    )
    result = train_table_gan(rows, others, encoding, columns, settings, seed)
    animation = animate_points(*_in_the_plane(result, rows), names=("first component", "second component"))
    return result, animation, encoding.model_dump(mode="json")


def _in_the_plane(result: GANResult, rows: torch.Tensor) -> tuple[list[tuple[int, np.ndarray]], np.ndarray]:
    """Return the film's samples and some real rows in the plane of the real rows' principal components."""
    real = rows[:1000].cpu().double().numpy()
    middle = real.mean(0)
    axes = np.linalg.svd(real - middle, full_matrices=False)[2][:2].T
    snapshots = [
        (epoch, (made.cpu().double().numpy() - middle) @ axes) for epoch, made in result.sample_history
    ]
    return snapshots, (real - middle) @ axes


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
    """Measure as many generated rows as there are training rows against the test rows.

    Detection and privacy are taken in the prepared columns, the target among them.
    """
    frame = derive_columns(raw, preprocessor.problem)
    real = frame.iloc[split.test][list(generated)].reset_index(drop=True)
    inputs = torch.from_numpy(preprocessor.inputs(generated))
    made = TensorData(inputs, torch.from_numpy(np.ascontiguousarray(preprocessor.targets(generated))))
    whole = {
        name: np.column_stack([rows.inputs.numpy(), _columns_of(rows, columns)])
        for name, rows in {"training": training, "test": test, "generated": made}.items()
    }
    pairs = np.abs(associations(real) - associations(generated))
    names = list(generated)
    found: dict[str, Any] = {
        "marginals": {name: marginal_distance(real[name], generated[name]) for name in names},
        "pairwise": float(pairs[np.triu_indices(len(names), 1)].mean()),
        "worst_pair": [names[k] for k in np.unravel_index(int(pairs.argmax()), pairs.shape)],
        "detection_auc": detection_auc(whole["test"], whole["generated"], seed),
        "utility": synthetic_data_utility(training, made, test, columns.task, columns.n_outputs, seed),
        "memorization": asdict(
            memorization(whole["training"], whole["test"][:2000], whole["generated"][:2000])
        ),
        "exact_copies": _copies(frame.iloc[split.training][names], generated),
    }
    found["marginal"] = float(np.mean(list(found["marginals"].values())))
    if columns.task in ("binary", "multiclass"):
        found["classes"] = {
            name: np.bincount(_class_codes(rows), minlength=len(columns.class_names)) / len(rows)
            for name, rows in {"real": training, "generated": made}.items()
        }
        found["classes"] = {name: fractions.tolist() for name, fractions in found["classes"].items()}
        found["agreement"] = {
            name: float((_predicted(classifier, rows.inputs) == _class_codes(rows)).mean())
            for name, rows in {"real": test, "generated": made}.items()
        }
    _report(found)
    return found


def _columns_of(rows: TensorData, columns: DataSpec) -> np.ndarray:
    assert rows.targets is not None
    if columns.task == "multiclass":
        return np.eye(columns.n_outputs)[rows.targets.numpy()]
    return rows.targets.numpy()


def _class_codes(rows: TensorData) -> np.ndarray:
    assert rows.targets is not None
    return rows.targets.reshape(-1).long().numpy()


@torch.no_grad()
def _predicted(classifier: MLP, inputs: torch.Tensor) -> np.ndarray:
    scores = classifier(inputs)
    return ((scores[:, 0] > 0).long() if scores.shape[1] == 1 else scores.argmax(1)).numpy()


def _copies(training: pd.DataFrame, generated: pd.DataFrame) -> float:
    """Return the share of generated rows that are a training row in every column."""
    known = set(map(tuple, training.astype(str).to_numpy()))
    return float(np.mean([tuple(row) in known for row in generated.astype(str).to_numpy()]))


def _report(found: dict[str, Any]) -> None:
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
