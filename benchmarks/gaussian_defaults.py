"""The defaults for tables of numbers, chosen on validation rows: which variances, centred or not, and the rate.

    LAYERWISE_DATA=... python benchmarks/gaussian_defaults.py [--tables wine churn] [--seeds 3] [--only rbm]

For each table and setting, means over seeds, each a split of its own unless the problem fixes one: of an RBM the log
pseudo-likelihood (nats a row) and the squared error of the reconstruction (a column has deviation 1); of a stack with
64 and 32 units that is fine-tuned, the least loss on validation rows, beside the same network from a random start.
Test rows are not read.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from anomalies import rows_of
from kedro.framework.startup import bootstrap_project
from mlxtend.data import autompg_data, boston_housing_data
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from layerwise.data import DataSpec, TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.models.rbm import DBN, RBM, DBNConfig, RBMConfig, log_pseudo_likelihood
from layerwise.training import TrainingError
from layerwise.training.rbm import PretrainingSettings, RBMTrainingSettings, fit_rbm, pretrain_dbn, rbm_config
from layerwise.training.supervised import FinetuningSettings, finetune
from layerwise.utils import torch_rng

PROJECT = Path(__file__).parent.parent
SIZES = (64, 32)
PLAIN: dict[str, Any] = {"learn_variance": False, "centered": False}
RBM_SETTINGS: dict[str, dict[str, Any]] = {
    "unit variance, rate 0.01": {"gaussian_learning_rate": 0.01} | PLAIN
}
RBM_SETTINGS |= {f"learnt, centred, rate {r:g}": {"gaussian_learning_rate": r} for r in (0.01, 0.03, 0.1)}
DBN_SETTINGS: dict[str, dict[str, Any] | None] = {
    "random start": None,
    "unit variance, rate 0.005": {"gaussian_learning_rate": 0.005} | PLAIN,
}
DBN_SETTINGS |= {
    f"learnt, centred, rate {r:g}": {"gaussian_learning_rate": r} for r in (0.005, 0.01, 0.02, 0.05, 0.1)
}
Parts = tuple[TensorData, TensorData, str, int, DataSpec | None]


def loaded(load: Callable[[], tuple[Any, Any]], task: str) -> Callable[[int], Parts]:
    """Return a function that splits a packaged table, standardised by its training rows."""

    def split(seed: int) -> Parts:
        x, y = (np.asarray(part, dtype=np.float32) for part in load())
        x = x[:, np.isfinite(x).all(0)]  # autompg's names of cars
        order = np.random.default_rng(seed).permutation(len(x))
        train, held_out = order[: int(0.6 * len(x))], order[int(0.6 * len(x)) : int(0.8 * len(x))]
        x = (x - x[train].mean(0)) / x[train].std(0)
        if task == "regression":
            y = ((y - y[train].mean()) / y[train].std())[:, None]
        elif task == "binary":
            y = y[:, None]
        targets = torch.from_numpy(y).long() if task == "multiclass" else torch.from_numpy(y)
        parts = (TensorData(torch.from_numpy(x[rows]), targets[rows]) for rows in (train, held_out))
        return *parts, task, int(y.max()) + 1 if task == "multiclass" else 1, None

    return split


def of_project(env: str) -> Callable[[int], Parts]:
    """Return a function that gives the rows of a problem of this project, whose split is its own."""

    @cache
    def rows() -> Parts:
        training, validation, _, columns = rows_of(env)
        return training, validation, columns.task, columns.n_outputs, columns

    return lambda seed: rows()


TABLES: dict[str, Callable[[int], Parts]] = {
    "forest_fires": of_project("forest_fires"),
    "churn": of_project("churn"),
    "diabetes": loaded(lambda: load_diabetes(return_X_y=True), "regression"),
    "wine": loaded(lambda: load_wine(return_X_y=True), "multiclass"),
    "breast_cancer": loaded(lambda: load_breast_cancer(return_X_y=True), "binary"),
    "autompg": loaded(autompg_data, "regression"),
    "boston": loaded(boston_housing_data, "regression"),
}


def measure_rbm(parts: Parts, settings: dict[str, Any] | None, seed: int) -> tuple[float, float]:
    """Return the log pseudo-likelihood and the squared error of the reconstruction of validation rows."""
    training, validation, _, _, columns = parts
    chosen = RBMTrainingSettings(**{"n_hidden": 100, "pseudo_likelihood_rows": 0} | (settings or {}))
    d = training.inputs.shape[1]
    shape = RBMConfig(n_visible=d, n_hidden=100, visible="gaussian", learn_variance=chosen.learn_variance)
    if columns is not None:
        shape = rbm_config(columns, chosen)
    rbm = RBM(shape, torch_rng(seed, "machine"))
    fit_rbm(rbm, training, None, chosen, seed)
    rows = validation.inputs[:300]
    error = (rbm.reconstruct(rows) - rows).square().mean()
    return float(log_pseudo_likelihood(rbm, rows).mean()), float(error)


def measure_dbn(parts: Parts, settings: dict[str, Any] | None, seed: int) -> tuple[float]:
    """Return the least loss on validation rows while the stack is fine-tuned."""
    training, validation, task, n_outputs, _ = parts
    network = MLP(
        MLPConfig(
            n_inputs=training.inputs.shape[1],
            n_outputs=n_outputs,
            hidden_sizes=SIZES,
            activation="sigmoid",
        ),
        torch_rng(seed, "network"),
    )
    if settings is not None:
        chosen = PretrainingSettings(batch_size=50, **settings)
        shape = DBNConfig(
            n_visible=training.inputs.shape[1],
            hidden_sizes=SIZES,
            visible="gaussian",
            learn_variance=chosen.learn_variance,
        )
        stack = DBN(shape, torch_rng(seed, "stack"))
        pretrain_dbn(stack, training, None, chosen, seed)
        stack.copy_to(network)
    finetuning = FinetuningSettings(epochs=100, batch_size=50, learning_rate=0.003)
    history = finetune(network, task, training, validation, finetuning, seed, silent=True).history  # type: ignore[arg-type]
    return (min(epoch["validation/loss"] for epoch in history),)


def main() -> None:
    """Print a table for each kind of network."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=("rbm", "dbn"))
    given = parser.parse_args()
    bootstrap_project(PROJECT)
    logging.disable(logging.WARNING)
    for kind, measure, all_settings in (
        ("rbm", measure_rbm, RBM_SETTINGS),
        ("dbn", measure_dbn, DBN_SETTINGS),
    ):
        if given.only not in (None, kind):
            continue
        print(f"\n| {kind} | " + " | ".join(given.tables) + " |\n" + "|---" * (len(given.tables) + 1) + "|")
        for name, settings in all_settings.items():
            cells = []
            for table in given.tables:
                try:
                    found = [measure(TABLES[table](seed), settings, seed) for seed in range(given.seeds)]  # type: ignore[operator]
                    cells.append(", ".join(f"{mean(values):.3f}" for values in zip(*found, strict=True)))
                except TrainingError:
                    cells.append("diverged")
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
