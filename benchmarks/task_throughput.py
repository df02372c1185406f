"""Rows a second that a model encodes and scores: `python benchmarks/task_throughput.py Churn_Modelling.csv`.

At the end the peak of memory of a process that reads a file, asks and does no more, for each number of rows.

An untrained autoencoder of the table, which is as fast as a trained one, is asked for `encode` and `anomaly`: of a
DataFrame in chunks, and of a CSV file as the pipeline `predict` reads and writes it.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.data.reading import ChunkedReader
from layerwise.estimators import NetworkClassifier
from layerwise.evaluation.unsupervised import AnomalyReference
from layerwise.inference import (
    ModelManifest,
    ModelParts,
    StreamedPredictions,
    TrainedModel,
    load_trained_model,
    save_trained_model,
)
from layerwise.inference.tasks import answer_rows
from layerwise.parameters import TaskSettings
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder
from layerwise.utils import torch_rng

CHUNK = 20_000


def make_model(folder: Path, raw: pd.DataFrame, problem: Problem) -> TrainedModel:
    """Return an untrained autoencoder of the table, saved and read again."""
    split = split_raw(raw, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(raw, split, problem, PreprocessingSettings(), 0)
    training, validation, _ = preprocess_rows(raw, split, preprocessor)
    columns = preprocessor.data_spec
    network = build_autoencoder(AutoencoderSettings(), columns, torch_rng(0, "network")).eval()
    reference = AnomalyReference.of(network, training.inputs, validation.inputs, columns)
    manifest = ModelManifest(problem=problem.name)
    save_trained_model(folder, network, preprocessor, manifest, parts=ModelParts(reference=reference))
    return load_trained_model(folder)


def peak_of(folder: Path, file: Path, task: str) -> float:
    """Return the GiB that a process takes which answers a file with a model."""
    model = load_trained_model(folder)
    for _ in StreamedPredictions(model, ChunkedReader(file, CHUNK), False, TaskSettings(task=task)):
        pass
    # Not that of getrusage, which begins at what the parent had.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**20


def print_peaks(folder: Path, raw: pd.DataFrame, problem: Problem, rows: list[int]) -> None:
    """Print the peaks of each task for each number of rows; a classifier of one epoch predicts."""
    inputs = raw.drop(columns=[*problem.drop, *problem.targets])
    NetworkClassifier((64, 64), epochs=1, random_state=0).fit(inputs, raw[problem.targets[0]]).save(
        folder / "classifier"
    )
    file = folder / "rows.csv"
    for n in rows:
        repeated = [raw] * (n // len(raw)) + [raw.head(n % len(raw))]
        for k, part in enumerate(repeated):
            part.to_csv(file, index=False, mode="a" if k else "w", header=not k)
        for task, name in (("encode", "model"), ("anomaly", "model"), ("predict", "classifier")):
            # A process of its own, since a peak never falls.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                peak = pool.submit(peak_of, folder / name, file, task).result()
            print(f"{task} of {n:,} rows: peak {peak:.3f} GiB", flush=True)


def main() -> None:
    """Print rows a second and the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", help="a CSV file such as Churn_Modelling.csv")
    parser.add_argument("--target", default="Exited")
    parser.add_argument("--drop", nargs="*", default=["RowNumber", "CustomerId", "Surname"])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--peaks", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    given = parser.parse_args()
    raw = pd.read_csv(given.table)
    problem = Problem(name="throughput", task="binary", target=given.target, drop=given.drop)
    many = pd.concat([raw] * (given.rows // len(raw) + 1), ignore_index=True).head(given.rows)
    with tempfile.TemporaryDirectory() as directory:
        model = make_model(Path(directory, "model"), raw, problem)
        file = Path(directory, "rows.csv")
        many.to_csv(file, index=False)
        for task in ("encode", "anomaly"):
            settings = TaskSettings(task=task)
            began = time.perf_counter()
            for start in range(0, len(many), CHUNK):
                answer_rows(model, many.iloc[start : start + CHUNK], settings, strict=False)
            frames = time.perf_counter() - began
            began = time.perf_counter()
            for _ in StreamedPredictions(model, ChunkedReader(file, CHUNK), False, settings):
                pass
            stream = time.perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(
                f"{task}: {len(many) / frames:,.0f} rows/s of a DataFrame, {len(many) / stream:,.0f} rows/s from a CSV "
                f"file to one; peak {peak:.2f} GiB",
                flush=True,
            )
        print_peaks(Path(directory), raw, problem, given.peaks)


if __name__ == "__main__":
    main()
