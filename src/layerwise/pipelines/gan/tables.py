"""The game on a table's rows, and what its synthetic rows are worth."""

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import torch

from layerwise.data.preprocessing.table_encoding import encode, fit_encoding, known_rows
from layerwise.data.preprocessing.targets import derived
from layerwise.data.problem import PreparationSettings, Problem
from layerwise.data.splits import Split
from layerwise.data.tensors import Description, Rows
from layerwise.evaluation.generative.sample_quality import memorisation
from layerwise.evaluation.generative.tables import associations, detection_auc, marginal_distance, usefulness
from layerwise.evaluation.plots.animation import Film, film_of_points
from layerwise.models.mlp import MLP
from layerwise.training.gan.settings import GANSettings
from layerwise.training.gan.tables import play_table
from layerwise.training.gan.train import Played
from layerwise.utils.devices import best_device
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)


def play_on_table(
    raw: pd.DataFrame,
    split: Split,
    columns: Description,
    problem: Problem,
    preparing: PreparationSettings,
    settings: GANSettings,
    seed: int,
) -> tuple[Played, Film, dict[str, Any]]:
    """Encode the rows, play, and film the samples in the plane of the real rows' two principal components."""
    frame, device = derived(raw, problem), best_device()
    encoding = fit_encoding(frame, split.training, problem, preparing, settings.table.components, seed)
    held_out = frame.iloc[split.validation]
    held_out = held_out.iloc[known_rows(held_out, encoding)]
    rows, others = (
        torch.from_numpy(encode(part, encoding, seed)).to(device)
        for part in (frame.iloc[split.training], held_out)
    )
    played = play_table(rows, others, encoding, columns, settings, seed)
    film = film_of_points(*_in_the_plane(played, rows), names=("first component", "second component"))
    return played, film, encoding.model_dump(mode="json")


def _in_the_plane(played: Played, rows: torch.Tensor) -> tuple[list[tuple[int, np.ndarray]], np.ndarray]:
    """Return the film's samples and some real rows in the plane of the real rows' principal components."""
    real = rows[:1000].cpu().double().numpy()
    middle = real.mean(0)
    axes = np.linalg.svd(real - middle, full_matrices=False)[2][:2].T
    stages = [(epoch, (made.cpu().double().numpy() - middle) @ axes) for epoch, made in played.film]
    return stages, (real - middle) @ axes


def judge_table(
    generated: pd.DataFrame,
    raw: pd.DataFrame,
    split: Split,
    preparation: Any,
    training: Rows,
    test: Rows,
    columns: Description,
    classifier: MLP,
    seed: int,
) -> dict[str, Any]:
    """Measure as many generated rows as there are training rows against the test rows.

    Detection and privacy are taken in the prepared columns, the target among them.
    """
    frame = derived(raw, preparation.problem)
    real = frame.iloc[split.test][list(generated)].reset_index(drop=True)
    inputs = torch.from_numpy(preparation.inputs(generated))
    made = Rows(inputs, torch.from_numpy(np.ascontiguousarray(preparation.targets(generated))))
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
        "usefulness": usefulness(training, made, test, columns.task, columns.n_outputs, seed),
        "memory": asdict(memorisation(whole["training"], whole["test"][:2000], whole["generated"][:2000])),
        "exact_copies": _copies(frame.iloc[split.training][names], generated),
    }
    found["marginal"] = float(np.mean(list(found["marginals"].values())))
    if columns.task in ("binary", "multiclass"):
        found["classes"] = {
            name: np.bincount(_codes(rows), minlength=len(columns.class_names)) / len(rows)
            for name, rows in {"real": training, "generated": made}.items()
        }
        found["classes"] = {name: shares.tolist() for name, shares in found["classes"].items()}
        found["agreement"] = {
            name: float((_predicted(classifier, rows.inputs) == _codes(rows)).mean())
            for name, rows in {"real": test, "generated": made}.items()
        }
    _report(found)
    return found


def _columns_of(rows: Rows, columns: Description) -> np.ndarray:
    assert rows.targets is not None
    if columns.task == "multiclass":
        return np.eye(columns.n_outputs)[rows.targets.numpy()]
    return rows.targets.numpy()


def _codes(rows: Rows) -> np.ndarray:
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
    boosting = found["usefulness"]["gradient boosting"]
    report_metrics(
        {
            f"test/synthetic_{boosting['measure']}": boosting["synthetic"],
            f"test/real_{boosting['measure']}": boosting["real"],
            "test/detection_auc": found["detection_auc"],
            "test/marginal_distance": found["marginal"],
            "test/pairwise_distance": found["pairwise"],
            "test/memory_ratio": found["memory"]["ratio"],
            "test/exact_copies": found["exact_copies"],
        }
    )
    log.info(
        "Gradient boosting, tested on real rows: %s %.4f trained on synthetic rows, %.4f on real ones; "
        "detection AUC %.3f",
        boosting["measure"],
        boosting["synthetic"],
        boosting["real"],
        found["detection_auc"],
    )
