"""A small table, and an untrained network saved for it."""

import numpy as np
import pandas as pd

from layerwise.data.preprocessing.preprocessor import fit_preparation
from layerwise.data.problem import PreparationSettings, Problem, SplitSettings
from layerwise.data.splits import split_raw
from layerwise.inference.model import Facts, load_trained, save_trained
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.utils.random_streams import generator_for


def table(n=200, seed=0):
    """Return rows with numbers, a category, booleans, a date, and gaps in one column."""
    generator = np.random.default_rng(seed)
    days = generator.integers(0, 1000, n)
    return pd.DataFrame(
        {
            "age": generator.normal(40, 5, n).round(2).clip(18, 70),
            "score": generator.normal(0, 1, n).round(3),
            "city": generator.choice(["rome", "oslo"], n),
            "member": generator.integers(0, 2, n),
            "active": generator.integers(0, 2, n).astype(bool),
            "since": pd.to_datetime(days, unit="D", origin="2020-01-01").strftime("%Y-%m-%d"),
            "income": np.where(generator.random(n) < 0.1, np.nan, generator.normal(1000, 50, n).round(1)),
            "left": generator.choice(["no", "yes"], n),
            "cost": generator.normal(1000, 50, n).round(2),
            "a": generator.integers(0, 2, n),
            "b": generator.integers(0, 2, n),
        }
    )


BINARY = {"task": "binary", "target": "left", "positive": "yes", "drop": ["a", "b", "cost"]}


def fitted(frame, **problem):
    """Return a preparation of the table."""
    problem = Problem(name="t", **(problem or BINARY))
    split = split_raw(frame, problem, SplitSettings(), 0)
    return fit_preparation(frame, split, problem, PreparationSettings(), 0)


def saved(folder, frame, threshold=0.5, **problem):
    """Save an untrained network for the table, and return the model as it is read again."""
    preparation = fitted(frame, **problem)
    columns = preparation.description
    network = MLP(MLPConfig(n_inputs=columns.n_inputs, n_outputs=columns.n_outputs), generator_for(0, "w"))
    save_trained(folder, network.eval(), preparation, Facts(problem="t", threshold=threshold))
    return load_trained(folder)
