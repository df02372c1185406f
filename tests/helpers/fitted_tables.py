"""A table with columns of each kind, and preprocessors fitted on its first 100 rows."""

import numpy as np
import pandas as pd

from layerwise.data import PreprocessingSettings, Problem
from layerwise.data.preprocessing.table import TablePreprocessor

N = 120
TRAINING = np.arange(100)
DATES = pd.date_range("2024-01-29", periods=N, freq="D")


def table(**columns):
    rng = np.random.default_rng(0)
    values = {
        "age": rng.integers(18, 90, N),
        "balance": rng.normal(1000, 300, N),
        "country": rng.choice(["France", "Germany", "Spain"], N),
        "member": rng.integers(0, 2, N).astype(bool),
        "left": rng.integers(0, 2, N),
        **columns,
    }
    return pd.DataFrame({name: column for name, column in values.items() if column is not None})


def fit(frame, settings=None, **problem):
    problem = {"name": "t", "task": "binary", "target": "left", **problem}
    return TablePreprocessor.fit(
        frame, TRAINING, Problem(**problem), PreprocessingSettings(**(settings or {}))
    )


def column(fitted, frame, name):
    return fitted.inputs(frame)[:, fitted.data_spec.feature_names.index(name)]
