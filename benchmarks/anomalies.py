"""Anomaly detection by an autoencoder's reconstruction error, by an isolation forest and by PyOD's autoencoder.

Two tasks: digits of which one class is held out, each class in turn; and rows of a table of which half the columns come
from other rows (bank customers with --env churn, else the forest fires that come with the project). All models see the
same preprocessed normal rows; the test rows are the same too.

    python benchmarks/anomalies.py [--env forest_fires] [--classes 0 1 2 3 4 5 6 7 8 9] [--epochs 30]

PyOD is among them where it is installed (pip install layerwise[benchmark]).
"""

from __future__ import annotations

import argparse
import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from layerwise.data import DataSpec, PreprocessingSettings, Problem, SplitSettings, TensorData, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.data.transforms import column_groups
from layerwise.evaluation.unsupervised import evaluate_detection, isolation_forest_scores, synthetic_anomalies
from layerwise.models.autoencoder import reconstruction_losses
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.utils import torch_rng

PROJECT = Path(__file__).parent.parent


def rows_of(env: str | None) -> tuple[TensorData, TensorData, TensorData, DataSpec]:
    """Return the preprocessed training, validation and test rows of a problem of this project, and its columns."""
    with KedroSession.create(PROJECT, env=env, save_on_close=False) as session:
        context = session.load_context()
        parameters = context.config_loader["parameters"]
        raw = context.catalog.load("raw")
    problem = Problem(**parameters["problem"])
    split = split_raw(raw, problem, SplitSettings(**parameters["split"]), 0)
    preprocessor = fit_preprocessor(
        raw, split, problem, PreprocessingSettings(**parameters["preprocessing"]), 0
    )
    return *preprocess_rows(raw, split, preprocessor), preprocessor.data_spec


def aucs(
    known: torch.Tensor, held_out: torch.Tensor, rows: torch.Tensor, is_anomaly: torch.Tensor, columns: DataSpec,
    settings: AutoencoderSettings,
) -> dict[str, float]:  # fmt: skip
    """Return the AUC of each model."""
    network = build_autoencoder(settings, columns, torch_rng(0, "anomalies"))
    train_autoencoder(network, TensorData(known), TensorData(held_out), columns, settings, 0, silent=True)
    scores: dict[str, Any] = {
        "layerwise": reconstruction_losses(network, rows),
        "isolation forest": isolation_forest_scores(known, held_out, rows, 0)[1],
    }
    if find_spec("pyod"):
        from pyod.models.auto_encoder import AutoEncoder

        # Not its ten epochs: as many steps of the same size as the other one takes.
        peer = AutoEncoder(
            verbose=0, random_state=0, epoch_num=settings.epochs, batch_size=settings.batch_size,
            lr=settings.learning_rate,
        )  # fmt: skip
        peer.fit(known.numpy())
        scores["PyOD AutoEncoder"] = peer.decision_function(rows.numpy())
    return {name: evaluate_detection(each, each, is_anomaly).auc for name, each in scores.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", default="forest_fires")
    parser.add_argument("--classes", type=int, nargs="*", default=list(range(10)))
    parser.add_argument("--epochs", type=int, default=30)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    bootstrap_project(PROJECT)
    shared = {"epochs": arguments.epochs, "batch_size": 50, "learning_rate": 0.002}
    found = {}
    training, validation, test, columns = rows_of(None)
    settings = AutoencoderSettings(variant="compression", **shared)
    for digit in arguments.classes:
        known, held_out = (part.inputs[part.targets != digit] for part in (training, validation))
        found[f"digit {digit}"] = aucs(known, held_out, test.inputs, test.targets == digit, columns, settings)
    training, validation, test, columns = rows_of(arguments.env)
    synthetic = synthetic_anomalies(test.inputs, column_groups(columns.blocks), torch_rng(0, "planted"))
    rows, is_anomaly = torch.cat([test.inputs, synthetic]), torch.arange(2 * len(test)) >= len(test)
    settings = AutoencoderSettings(variant="denoising", latent_size=100, tied=False, **shared)
    found[f"{arguments.env}: half of the columns from other rows"] = aucs(
        training.inputs, validation.inputs, rows, is_anomaly, columns, settings
    )
    models = list(next(iter(found.values())))
    print("| anomaly | " + " | ".join(models) + " |\n|---|" + "---|" * len(models))
    for task, values in found.items():
        print(f"| {task} | " + " | ".join(f"{values[model]:.3f}" for model in models) + " |")
    digits = [values for task, values in found.items() if task.startswith("digit")]
    if digits:
        means = [sum(each[model] for each in digits) / len(digits) for model in models]
        print("| mean of the digits | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")


if __name__ == "__main__":
    main()
