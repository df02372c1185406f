"""Rows without labels, which pretraining reads beside the training rows: those of the table, those of a file, and those
whose labels are left aside.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import torch

from layerwise.data.errors import DataError
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.data.problem import Task
from layerwise.data.reading import validate_rows
from layerwise.data.rows import TensorData
from layerwise.data.sources import Images
from layerwise.data.splits import Split


def preprocess_unlabelled(
    raw: Any, split: Split, preprocessor: LabelledPreprocessor, more: Any = None
) -> tuple[TensorData, Counter[str]]:
    """Return the rows that have no label as tensors without targets, and how many were left out for what.

    A row that could not be predicted is left out. What training never had is imputed, as `predict.strict: false` does.

    Args:
        raw: the rows of the problem; those at `split.unlabelled` have an empty target.
        split: of them.
        preprocessor: fitted on the training rows.
        more: a table, or images, of which no row has a label; a target column in it is not read.

    Raises:
        DataError: `more` are no rows of the same kind, or have other columns.
    """
    parts, reasons = [], Counter[str]()
    if len(split.unlabelled):
        parts.append(_valid_inputs(raw.iloc[split.unlabelled], preprocessor, reasons))
    if more is not None:
        if isinstance(more, Images) != isinstance(raw, Images):
            raise DataError("problem.unlabelled: the rows are of another kind than those of raw")
        is_image = isinstance(more, Images)
        parts.append(preprocessor.inputs(more) if is_image else _valid_inputs(more, preprocessor, reasons))
    width = preprocessor.data_spec.n_inputs
    inputs = np.concatenate(parts) if parts else np.zeros((0, width), np.float32)
    return TensorData(torch.from_numpy(np.ascontiguousarray(inputs))), reasons


def _valid_inputs(rows: Any, preprocessor: Any, reasons: Counter[str]) -> np.ndarray:
    wrong = validate_rows(rows, preprocessor, strict=False)
    reasons.update(reason.split(";")[0] for reason in wrong[wrong != ""])
    right = np.flatnonzero(wrong == "")
    if not len(right):
        return np.zeros((0, preprocessor.data_spec.n_inputs), np.float32)
    found: np.ndarray = preprocessor.inputs(rows.iloc[right])
    return found


def with_unlabelled(training: TensorData, unlabelled: TensorData | None) -> TensorData:
    """Return the rows that pretraining reads: the training rows as they are, or all inputs without targets."""
    if unlabelled is None or not len(unlabelled):
        return training
    return TensorData(torch.cat([training.inputs, unlabelled.inputs]))


def choose_labelled(training: TensorData, n: int | None, task: Task, seed: int) -> TensorData:
    """Keep n labelled rows, the classes in their proportions as nearly as whole rows allow; None keeps all.

    Raises:
        DataError: n is below the number of classes or above the number of training rows.
    """
    if n is None:
        return training
    if n > len(training):
        raise DataError(f"labelled_rows is {n}, but there are only {len(training)} training rows")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(training)))
    if task not in ("multiclass", "binary"):
        return training[order[:n].sort().values].with_mean_weight_1()
    assert training.targets is not None
    labels = training.targets.reshape(-1).cpu().numpy()[order.numpy()]
    classes, inverse = np.unique(labels, return_inverse=True)
    if n < len(classes):
        raise DataError(f"labelled_rows is {n}, but there are {len(classes)} classes: each needs a row")
    # Rank each row within its class as a fraction of the class, and take the lowest ranks of all.
    rank = np.empty(len(labels))
    for k in range(len(classes)):
        members = np.flatnonzero(inverse == k)
        rank[members] = np.arange(len(members)) / len(members)
    chosen = np.argsort(rank, kind="stable")[:n]
    return training[order[np.sort(chosen)].sort().values].with_mean_weight_1()
