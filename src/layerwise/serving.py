"""A trained network as an MLflow model: raw rows in, predictions out.

MLflow runs this very file when it loads the model; the artefacts are weights, JSON and a skops file, none of which
runs code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from layerwise.data.preparation import load_preparation
from layerwise.models.store import load_network
from layerwise.training.backpropagation import probabilities


def code_path() -> str:
    """Return this file's path, which is the model's code."""
    return __file__


def predict_folder(folder: str | Path, rows: Any) -> pd.DataFrame:
    """Predict raw rows by the network in a folder.

    Returns:
        `prediction` in the target's own terms, and `probability_<class>` for classification, one row each.
    """
    return _predict(*_load(Path(folder)), rows)


def _load(folder: Path) -> tuple[Any, Any, float]:
    threshold = json.loads((folder / "decision.json").read_text())["threshold"]
    return load_preparation(folder / "preparation"), load_network(folder), threshold


def _predict(preparation: Any, network: Any, threshold: float, rows: Any) -> pd.DataFrame:
    columns = preparation.description
    if columns.image_shape is not None:
        rows = np.asarray(rows[list(columns.feature_names)] if isinstance(rows, pd.DataFrame) else rows)
    with torch.no_grad():
        scores = probabilities(columns.task, network(torch.from_numpy(preparation.inputs(rows)))).numpy()
    if columns.task == "regression":
        values = preparation.restore_targets(scores)
        names = ["prediction"] if len(columns.target_names) == 1 else list(columns.target_names)
        return pd.DataFrame(values, columns=names)
    if columns.task == "multilabel":
        return pd.DataFrame(scores, columns=[f"probability_{name}" for name in columns.target_names])
    if columns.task == "binary":
        codes = (scores[:, 0] >= threshold).astype(int)
        scores = np.column_stack([1 - scores[:, 0], scores[:, 0]])
    else:
        codes = scores.argmax(1)
    found = pd.DataFrame(scores, columns=[f"probability_{name}" for name in columns.class_names])
    found.insert(0, "prediction", [str(name) for name in preparation.restore_targets(codes)])
    return found


class NetworkModel(PythonModel):
    """The model that MLflow loads."""

    def load_context(self, context: Any) -> None:
        """Read the network, its preparation and its threshold, once."""
        self.loaded = _load(Path(context.artifacts["network"]))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Predict raw rows."""
        return _predict(*self.loaded, model_input)


set_model(NetworkModel())
