"""A trained network with its preparation as a model in MLflow; nothing in it is pickled."""

from __future__ import annotations

import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
from mlflow.models import infer_signature

import layerwise
from layerwise.data.preparation import save_preparation
from layerwise.models.store import save_network
from layerwise.serving import code_path, predict_folder

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol

NEEDED = ("numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "skops", "torch")


def log_network(uri: str, run_id: str, catalog: CatalogProtocol, name: str) -> None:
    """Log the pipeline's network as a model that takes raw rows.

    The package's own code goes with it, so that the model can be served where layerwise is not installed.
    """
    example = catalog.load(f"{name}.example")
    measures = catalog.load(f"{name}.measures")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "network"
        save_network(catalog.load(f"{name}.network"), folder)
        save_preparation(catalog.load(f"{name}.preparation"), folder / "preparation")
        (folder / "decision.json").write_text(json.dumps({"threshold": measures["threshold"]}))
        mlflow.set_tracking_uri(uri)
        with mlflow.start_run(run_id=run_id, log_system_metrics=False):
            mlflow.pyfunc.log_model(
                name="model",
                python_model=code_path(),
                code_paths=[str(Path(layerwise.__file__).parent)],
                artifacts={"network": str(folder)},
                signature=infer_signature(example, predict_folder(folder, example)),
                input_example=example,
                pip_requirements=[f"{package}=={version(package)}" for package in NEEDED],
            )
