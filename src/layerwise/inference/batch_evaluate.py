"""A trained network's predictions of new rows whose targets are known, collected in chunks."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from layerwise.data import DataError
from layerwise.data.preprocessing import columns_for_summary, image_features, row_weights, summarized_columns
from layerwise.data.reading import Chunk, ChunkedReader, parse_targets
from layerwise.data.sources import LABEL_NAMES
from layerwise.evaluation import Drift, SampledNumbers, categorical_drift, numeric_drift
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.inference.batch_predict import count_reasons
from layerwise.inference.comparison import which_are_seen
from layerwise.inference.model import NOT_FINITE, TrainedModel
from layerwise.inference.tasks import find_task, valid_rows, validate_chunk
from layerwise.parameters import TaskSettings
from layerwise.utils import address_of, nearest

log = logging.getLogger(__name__)


@dataclass
class BatchEvaluation:
    """Scores and targets of the valid rows, and the inputs of rows as drift compares them.

    Args:
        targets: (n,) class codes for multiclass, (n, k) otherwise, in the units of the (transformed) target.
        scores: (n, k).
        n_rejected: rows that were not predicted, or have no target that the model knows.
        n_seen: measured rows that the model was trained or validated on, by their inputs; None if it does not know.
        reasons: how many rows were rejected for what.
        kept: (n,) cells of the columns that were asked for.
        weights: (n,) how much each row counts, of a model that was trained with sample weights.
        numbers: (rows,) values of each number column, of all rows or of a sample of many; NaN where there is none.
        values: how often each value of a category comes.
        missing: rows with an empty cell, for each category.
        tags: which model it was, and whose rows.
    """

    targets: np.ndarray
    scores: np.ndarray
    n_rejected: int = 0
    n_seen: int | None = None
    reasons: Counter[str] = field(default_factory=Counter)
    kept: dict[str, np.ndarray] = field(default_factory=dict)
    weights: np.ndarray | None = None
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, Counter[str]] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)
    tags: dict[str, str] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, Any]) -> BatchEvaluation:
        # Kedro copies what it keeps in memory for each node that reads it; none changes it, and many rows are much.
        return self

    def run_tags(self) -> dict[str, str]:
        """Return what a run says of the model and of the rows."""
        return self.tags

    @property
    def logged_metrics(self) -> LoggedMetrics:
        """How many rows were measured, and how many were not."""
        counts = {"rows": len(self.scores), "refused": self.n_rejected}
        if self.n_seen is not None:
            counts["seen"] = self.n_seen
        return LoggedMetrics.of(counts, prefix="evaluate/")

    def drift(self, summary: Mapping[str, Any]) -> list[Drift]:
        """Return how far each column lies from the training rows, in the order of the columns."""
        found = []
        for name, before in summary["columns"].items():
            n = summary["rows"]
            if before["kind"] == "number":
                found.append(numeric_drift(name, before, self.numbers[name], n, len(summary["columns"])))
            else:
                found.append(categorical_drift(name, before, self.values[name], self.missing[name], n))
        return found


def evaluate_chunks(
    model: TrainedModel,
    reader: ChunkedReader,
    strict: bool = True,
    keep: Sequence[str] = (),
    labelled: bool = True,
) -> BatchEvaluation:
    """Predict the rows of a file, and collect what evaluation needs.

    Args:
        model: predicts.
        reader: the rows.
        strict: as `validate_rows` takes it.
        keep: columns of which the measured rows' cells are kept.
        labelled: whether the rows have their targets; those of rows that have none are 0, and not to be measured.

    Raises:
        DataError: the model predicts nothing, a column is missing, the target too, no row can be evaluated, or columns
            are kept of images.
    """
    _require_fitting(model, reader)
    if keep and model.has_image_inputs:
        raise DataError(
            f"evaluation.segments ({', '.join(keep)}) is for tables, and this model takes images: leave it out"
        )
    if model.has_image_inputs:
        reader.image_reading = model.preprocessor.image_reading
    targets, scores, found = [], [], BatchEvaluation(np.empty(0), np.empty(0))
    found.tags = model.run_tags() | {"evaluate.input": address_of(reader.path)}
    numbers = SampledNumbers()
    kept: dict[str, list[np.ndarray]] = {}
    weighted = () if model.weights_column is None or not labelled else (model.weights_column,)
    predicting = find_task(model, TaskSettings(task="predict"))
    for chunk in reader.chunks(model.file_format, model.plain_numbers):
        if not model.has_image_inputs:  # read once: what was read stays as it is
            chunk.rows = model.select_inputs(chunk.rows)
        true, unknown = (
            _targets(model, chunk) if labelled else (np.zeros(len(chunk)), np.full(len(chunk), ""))
        )
        rows, reasons = validate_chunk(model, predicting, chunk, strict)
        given = _scores(model, rows, reasons)
        reasons = np.where(reasons == "", unknown, reasons)
        right = reasons == ""
        targets.append(true[right])
        scores.append(given[right])
        for name in {*keep, *weighted}:
            kept.setdefault(name, []).append(_cells(model, chunk, name)[right])
        if model.seen_rows is not None:
            found.n_seen = (found.n_seen or 0) + int(which_are_seen(model, chunk.rows, right).sum())
        found.n_rejected += int((~right).sum())
        count_reasons(found.reasons, reasons[~right])
        _collect_inputs(model, chunk, numbers, found)
    if not sum(map(len, scores)):
        first = next(iter(found.reasons), "the file has no rows")
        raise DataError(f"no row of {reader.path} can be evaluated: {first}")
    found.targets, found.scores = np.concatenate(targets), np.concatenate(scores)
    found.numbers = numbers.columns()
    if found.numbers and numbers.n_kept < numbers.n_rows:
        log.info(
            "The drift of numbers is that of a sample of %s of the %s rows",
            f"{numbers.n_kept:,}",
            f"{numbers.n_rows:,}",
        )
    cells = {name: np.concatenate(parts) for name, parts in kept.items()}
    found.kept = {name: cells[name] for name in keep}
    for name in weighted:
        found.weights = row_weights(pd.DataFrame({name: pd.to_numeric(cells[name], errors="coerce")}), name)
    return found


def _require_fitting(model: TrainedModel, reader: ChunkedReader) -> None:
    if not model.reads_rows:
        raise DataError(
            f"a model of {model.columns.task} predicts no targets that could be evaluated: how well it does on what "
            "training did not see stands on its card"
        )
    if not model.is_supervised:
        raise DataError(
            f"a network of the kind '{model.kind}' predicts no targets that could be evaluated; name the model of a "
            "supervised pipeline, such as mlp, dbn, sae or boosting"
        )
    if reader.has_image_inputs and not model.has_image_inputs:
        raise DataError(f"{reader.path} holds images, and the model reads the rows of a table")


def _scores(model: TrainedModel, rows: Any, reasons: np.ndarray) -> np.ndarray:
    """Return scores (n, k), NaN for rows with a reason; one is added for rows whose scores are not finite."""
    right = np.flatnonzero(reasons == "")
    found = np.full((len(reasons), model.columns.n_outputs), np.nan, dtype=np.float32)
    if len(right):
        found[right] = model.scores(valid_rows(rows, reasons))
    reasons[right[~np.isfinite(found[right]).all(1)]] = NOT_FINITE
    return found


def _targets(model: TrainedModel, chunk: Chunk) -> tuple[np.ndarray, np.ndarray]:
    """Return a chunk's targets, and what is wrong with each row whose target the model does not know."""
    if not model.has_image_inputs:
        return parse_targets(model.select_inputs(chunk.rows), model.columns)
    labels = chunk.labels
    if labels is None and isinstance(chunk.rows, pd.DataFrame):
        named = (*LABEL_NAMES, *model.columns.target_names)
        name = next((each for each in chunk.rows if str(each).lower() in named), None)
        labels = None if name is None else chunk.rows[name].to_numpy()
    if labels is None:
        raise DataError(
            "the images have no labels: add --params=evaluate.labels=<idx or npy file>, put pictures into a folder "
            "for each class, or the class before a number into their names (cat.0.png)"
        )
    named = model.preprocessor.names_of_labels(np.asarray(labels))
    return parse_targets(pd.DataFrame({model.columns.target_names[0]: named}), model.columns)


def _cells(model: TrainedModel, chunk: Chunk, name: str) -> np.ndarray:
    """Return a column's values, (n,) object; None where a cell is empty."""
    frame = chunk.rows if isinstance(chunk.rows, pd.DataFrame) else pd.DataFrame()
    if not model.has_image_inputs:
        frame = model.select_inputs(frame)
    if name not in frame:
        raise DataError(
            f"column '{name}' is not among the rows{nearest(name, [str(each) for each in frame])}"
        )
    column = frame[name].astype(object)
    column = column.where(column.notna() & (column != ""), None)
    numbers = pd.to_numeric(column, errors="coerce")
    # A column that training did not have is text as it stands.
    is_number = model.has_image_inputs or name not in model.preprocessor.reading.columns
    return (numbers if is_number and numbers.notna().equals(column.notna()) else column).to_numpy(object)


def _collect_inputs(
    model: TrainedModel, chunk: Chunk, numbers: SampledNumbers, found: BatchEvaluation
) -> None:
    rows = model.select_inputs(chunk.rows) if isinstance(chunk.rows, pd.DataFrame) else chunk.rows
    if model.has_image_inputs:
        shape = model.columns.image_shape
        assert shape is not None
        images = np.asarray(rows).reshape(-1, *shape)
        numbers.add(image_features(images, model.preprocessor.white), len(images))
        return
    kinds = model.preprocessor.state["kinds"]
    every = [columns_for_summary(rows[name], kinds) for name in summarized_columns(kinds)]
    columns = {name: seen for part in every for name, seen in part.items()}
    numbers.add({name: seen.values for name, seen in columns.items() if seen.kind == "number"}, len(rows))
    for name, seen in columns.items():
        if seen.kind != "number":
            found.values.setdefault(name, Counter()).update(seen.values)
            found.missing[name] += seen.missing
