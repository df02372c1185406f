"""Every way by which rows come to a trained model, each with its answers in one form."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.reading import ChunkedReader, iter_text_tables
from layerwise.data.reading.cells import read_table
from layerwise.datasets import SourceTable
from layerwise.inference import (
    ModelManifest,
    StreamedPredictions,
    evaluate_chunks,
    load_trained_model,
    save_trained_model,
)
from layerwise.inference.server import ServedModel
from layerwise.inference.serving import handle_request
from layerwise.models import MLP, MLPConfig
from layerwise.utils import torch_rng

# What an answer says beside its numbers.
WORDS = ("prediction", "positive", "error")


def train(path: Path, folder: Path, problem: Problem):
    """Return a model for a file's rows as training reads them, and these rows; its weights are random.

    Args:
        path: the file.
        folder: where the model is saved.
        problem: of the file.
    """
    reading = problem.reading.model_dump(mode="json")
    raw = SourceTable(path=str(path.parent), file={"name": path.name}, reading=reading).load()
    settings = PreprocessingSettings()
    rows = read_table(raw, problem, settings)
    split = split_raw(rows, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(rows, split, problem, settings, 0)
    columns = preprocessor.data_spec
    config = MLPConfig(n_inputs=columns.n_inputs, n_outputs=columns.n_outputs, hidden_sizes=(16,))
    manifest = ModelManifest(problem=problem.name, threshold=0.5)
    save_trained_model(folder, MLP(config, torch_rng(0, "w")).eval(), preprocessor, manifest)
    return load_trained_model(folder), rows


def lines_of(model, path: Path) -> list[int]:
    """Return the line of every row of a file."""
    tables = iter_text_tables(path, model.file_format, 10_000)
    return [line for table in tables for line in table.line_numbers.tolist()]


def readable_rows(model, path: Path) -> list[int]:
    """Return the positions of the rows of a file that are cut into cells."""
    (table,) = iter_text_tables(path, model.file_format, 10_000)
    return [k for k in range(len(table)) if k not in table.malformed]


def cells_of(model, path: Path) -> pd.DataFrame:
    """Return the cells of a file's rows, without those that cannot be read, as a caller would send them one by one."""
    (table,) = iter_text_tables(path, model.file_format, 10_000)
    return table.cells.iloc[readable_rows(model, path)].reset_index(drop=True)


def _answer(model, record):
    """Return an answer by its names: text as it is, numbers as the floats that they read as."""
    words = WORDS if model.columns.class_names else ("positive",)
    if record.get("error"):
        return {"error": record["error"]}
    return {
        name: value if name in words and isinstance(value, str) else float(value)
        for name, value in record.items()
        if name != "error"
    }


def by_predict(model, path: Path, chunk_rows: int = 37):
    """The pipeline `predict`: every row of the file, those that cannot be read too."""
    predictions = StreamedPredictions(model, ChunkedReader(path, chunk_rows))
    own = [*model.interpret_scores(np.zeros((0, model.columns.n_outputs), np.float32)), "error"]
    rows = list(csv.reader("".join(predictions).splitlines(keepends=True)))
    return [_answer(model, dict(zip(own, row[-len(own) :], strict=True))) for row in rows[1:]]


def by_http_csv(model, path: Path):
    """A file as the body of a request: every row of it."""
    return _respond(model, path.read_bytes(), "text/csv")


def by_http_json(model, path: Path):
    """The cells of a file as JSON: every row that can be read."""
    records = _plain(cells_of(model, path)).to_dict(orient="records")
    return _respond(model, json.dumps({"dataframe_records": records}).encode(), "application/json")


def by_http_split(model, path: Path):
    """The same, as names and rows."""
    split = _plain(cells_of(model, path)).to_dict(orient="split")
    body = {"dataframe_split": {"columns": split["columns"], "data": split["data"]}}
    return _respond(model, json.dumps(body).encode(), "application/json")


def by_pyfunc(model, path: Path, wanted):
    """MLflow's interface: the cells of those rows that `wanted` names, by their positions among the readable ones."""
    answers = ServedModel(model).predict(cells_of(model, path).iloc[wanted].reset_index(drop=True))
    return [_answer(model, record) for record in answers.to_dict(orient="records")]


def by_evaluate(model, path: Path):
    """The scores of the pipeline `evaluate`: of the rows that it measures, in their order, and how many it refuses."""
    found = evaluate_chunks(model, ChunkedReader(path, 41))
    answers = model.interpret_scores(found.scores).to_dict(orient="records")
    return [_answer(model, record) for record in answers], found.n_rejected


def _plain(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells as JSON has them."""
    frame = cells.astype(object)
    return frame.map(lambda v: f"{v:%Y-%m-%d}" if hasattr(v, "isoformat") else v).where(frame.notna(), None)


def _respond(model, body: bytes, kind: str):
    text, status, _ = handle_request(model, body, kind)
    assert status == 200, text
    return [_answer(model, record) for record in json.loads(text)["predictions"]]
