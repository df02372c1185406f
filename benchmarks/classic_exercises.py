"""The classic exercises over several seeds: `python benchmarks/classic_exercises.py churn_classic churn --seeds 5`.

Each seed determines the first weights, the masks and the order of the rows; the split is the problem's own. Prints the
mean and standard deviation of test metrics, and the baselines' metrics on the same rows.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from layerwise.data import split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.evaluation.metrics import compute_metrics, fit_baselines
from layerwise.parameters import check_parameters
from layerwise.pipelines.evaluation.scores import scores_of, targets_of
from layerwise.pipelines.forest_fires_classic.nodes import EXERCISE, measure_exercise, train_without_area
from layerwise.training.supervised import fit_network, new_network

PROJECT = Path(__file__).parent.parent


def run_seeds(env: str, seeds: int, validation: bool, overrides: dict) -> None:
    """Train a network for each seed; print its metrics beside those of the baselines."""
    with KedroSession.create(PROJECT, env=env, save_on_close=False, runtime_params=overrides) as session:
        context = session.load_context()
        p = check_parameters(dict(context.config_loader["parameters"]))
        raw = context.catalog.load("raw")
    split = split_raw(raw, p["problem"], p["split"], 0)
    fitted = fit_preprocessor(raw, split, p["problem"], p["preprocessing"], 0)
    training, chosen, test = preprocess_rows(raw, split, fitted)
    columns = fitted.data_spec
    test = chosen if validation else test
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        began = time.perf_counter()
        network = new_network(p["mlp"], columns, p["finetuning"], seed)
        progress = fit_network(network, training, chosen, columns, p["finetuning"], seed, silent=True)
        seconds = time.perf_counter() - began
        scores = scores_of(network, test, columns)
        values = compute_metrics(columns.task, targets_of(test, columns), scores, n_bootstrap=0)
        for name in ("accuracy", "roc_auc", "log_loss", "rmse"):
            if name in values:
                found.setdefault(name, []).append(values[name].value)
        found.setdefault("seconds", []).append(seconds)
        found.setdefault("epochs", []).append(len(progress.history))
        settings = p["evaluation"].model_copy(update={"bootstrap": 0})
        if not validation and p["problem"].derive == EXERCISE:
            other = train_without_area(
                raw, split, p["problem"], p["preprocessing"], None, p["mlp"], p["finetuning"], seed
            )
            exercise, _ = measure_exercise(network, test, columns, *other, settings, seed)
            for name, of in exercise.items():
                found.setdefault(f"accuracy {name}", []).append(of["accuracy"].value)
                found.setdefault(f"roc_auc {name}", []).append(of["roc_auc"].value)
    part = "validation" if validation else "test"
    print(f"{env}, {seeds} seeds, {len(test)} {part} rows")
    for name, values in found.items():
        print(f"  {name:55s} {np.mean(values):.4f} +- {np.std(values, ddof=1):.4f}")
    for name, metrics in fit_baselines(
        training, test, columns.task, n_outputs=columns.n_outputs, n_bootstrap=0
    ).items():
        shown = ", ".join(
            f"{m} {metrics[m].value:.4f}" for m in ("accuracy", "roc_auc", "rmse") if m in metrics
        )
        print(f"  {name}: {shown}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--validation", action="store_true", help="measure on the validation rows: to choose settings by"
    )
    parser.add_argument("--params", default="", help="name=value,... as for kedro run")
    given = parser.parse_args()
    torch.set_num_threads(1)
    bootstrap_project(PROJECT)
    overrides: dict = {}
    for pair in filter(None, given.params.split(",")):
        name, value = pair.split("=")
        settings = overrides
        *path, last = name.split(".")
        for key in path:
            settings = settings.setdefault(key, {})
        import yaml

        settings[last] = yaml.safe_load(value.replace(";", ","))
    for env in given.problems:
        run_seeds(env, given.seeds, given.validation, overrides)


if __name__ == "__main__":
    sys.exit(main())
