"""A small table, and an untrained network saved for it."""

import numpy as np
import pandas as pd

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.inference import ModelManifest, load_trained_model, save_trained_model
from layerwise.models import MLP, MLPConfig
from layerwise.utils import torch_rng


def table(n=200, seed=0):
    """Return rows with numbers, a category, booleans, a date, and gaps in one column."""
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 1000, n)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 5, n).round(2).clip(18, 70),
            "score": rng.normal(0, 1, n).round(3),
            "city": rng.choice(["rome", "oslo"], n),
            "member": rng.integers(0, 2, n),
            "active": rng.integers(0, 2, n).astype(bool),
            "since": pd.to_datetime(days, unit="D", origin="2020-01-01").strftime("%Y-%m-%d"),
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.normal(1000, 50, n).round(1)),
            "left": rng.choice(["no", "yes"], n),
            "cost": rng.normal(1000, 50, n).round(2),
            "a": rng.integers(0, 2, n),
            "b": rng.integers(0, 2, n),
        }
    )


BINARY = {"task": "binary", "target": "left", "positive": "yes", "drop": ["a", "b", "cost"]}


def fitted(frame, **problem):
    """Return a preprocessor fitted on the table."""
    problem = Problem(name="t", **(problem or BINARY))
    split = split_raw(frame, problem, SplitSettings(), 0)
    return fit_preprocessor(frame, split, problem, PreprocessingSettings(), 0)


def saved(folder, frame, threshold=0.5, smearing=(), **problem):
    """Save an untrained network for the table, and return the model as it is read again."""
    preprocessor = fitted(frame, **problem)
    columns = preprocessor.data_spec
    network = MLP(MLPConfig(n_inputs=columns.n_inputs, n_outputs=columns.n_outputs), torch_rng(0, "w"))
    manifest = ModelManifest(problem="t", threshold=threshold, smearing=smearing)
    save_trained_model(folder, network.eval(), preprocessor, manifest)
    return load_trained_model(folder)
