"""A trained network's answers to new rows whose targets are known, gathered a chunk at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.summaries import picture_features, plain_columns
from layerwise.data.reading.chunks import LABEL_NAMES, Chunk, Incoming, text_columns
from layerwise.data.reading.row_validation import known_targets
from layerwise.evaluation.drift import Drift, drift_of_numbers, drift_of_values
from layerwise.inference.batch_predict import answer, count_reasons
from layerwise.inference.model import Trained


@dataclass
class Answered:
    """What was answered, and the inputs as drift looks at them.

    Args:
        targets: (n,) codes for multiclass, (n, k) otherwise, in the units of the (transformed) target.
        scores: (n, k).
        refused: rows that were not answered, or have no target that the model knows.
        reasons: how many rows were refused for what.
        numbers: (rows,) values of each number column, of all rows; NaN where there is none.
        values: how often each value of a category comes.
        missing: rows with an empty cell, for each category.
    """

    targets: np.ndarray
    scores: np.ndarray
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, Counter[str]] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)

    def drift(self, summary: Mapping[str, Any] | None) -> list[Drift]:
        """Return how far each column lies from the training rows, in the order of the columns."""
        found = []
        for name, before in (summary or {"columns": {}})["columns"].items():
            n = (summary or {})["rows"]
            if before["kind"] == "number":
                found.append(drift_of_numbers(name, before, self.numbers[name], n))
            else:
                found.append(drift_of_values(name, before, self.values[name], self.missing[name], n))
        return found


def answer_labelled(model: Trained, incoming: Incoming, strict: bool = True) -> Answered:
    """Answer the rows of a file.

    Raises:
        DataError: a column is missing, the target too, or no row can be measured.
    """
    if incoming.pictures and not model.pictures:
        raise DataError(f"{incoming.path} holds pictures, and the model reads the rows of a table")
    targets, scores, found = [], [], Answered(np.empty(0), np.empty(0))
    numbers: dict[str, list[np.ndarray]] = {}
    for chunk in incoming.chunks(dict.fromkeys(text_columns(model.preparation), "str")):
        true, unknown = _targets(model, chunk)
        given, reasons = answer(model, chunk, strict)
        reasons = np.where(reasons == "", unknown, reasons)
        right = reasons == ""
        targets.append(true[right])
        scores.append(given[right])
        found.refused += int((~right).sum())
        count_reasons(found.reasons, reasons[~right])
        _look_at_inputs(model, chunk, numbers, found)
    if not sum(map(len, scores)):
        first = next(iter(found.reasons), "the file has no rows")
        raise DataError(f"no row of {incoming.path} can be measured: {first}")
    found.targets, found.scores = np.concatenate(targets), np.concatenate(scores)
    found.numbers = {name: np.concatenate(parts) for name, parts in numbers.items()}
    return found


def _targets(model: Trained, chunk: Chunk) -> tuple[np.ndarray, np.ndarray]:
    """Return a chunk's targets, and the reason against each row whose target is none that the model knows."""
    if not model.pictures:
        return known_targets(model.rows_of(chunk.rows), model.columns)
    labels = chunk.labels
    if labels is None and isinstance(chunk.rows, pd.DataFrame):
        named = (*LABEL_NAMES, *model.columns.target_names)
        name = next((each for each in chunk.rows if str(each).lower() in named), None)
        labels = None if name is None else chunk.rows[name].to_numpy()
    if labels is None:
        raise DataError("the pictures have no labels: add --params=evaluate.labels=<idx or npy file>")
    return known_targets(pd.DataFrame({model.columns.target_names[0]: labels}), model.columns)


def _look_at_inputs(
    model: Trained, chunk: Chunk, numbers: dict[str, list[np.ndarray]], found: Answered
) -> None:
    rows = model.rows_of(chunk.rows) if isinstance(chunk.rows, pd.DataFrame) else chunk.rows
    if model.pictures:
        shape = model.columns.image_shape
        assert shape is not None
        for name, values in picture_features(np.asarray(rows).reshape(-1, *shape)).items():
            numbers.setdefault(name, []).append(values)
        return
    for name, (kind, values, missing) in plain_columns(rows, model.preparation.state["kinds"]).items():
        if kind == "number":
            numbers.setdefault(name, []).append(values)
        else:
            found.values.setdefault(name, Counter()).update(values)
            found.missing[name] += missing
