"""Logs a trained network with its preprocessor as an MLflow model: data alone, no code and nothing pickled."""

from __future__ import annotations

import logging
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema
from mlflow.types.schema import AnyType
from mlflow.types.utils import _infer_schema

from layerwise.data import DataSpec
from layerwise.inference import ModelManifest, load_trained_model, save_trained_model
from layerwise.tracking import mlflow_flavor as flavor
from layerwise.tracking.registry import fingerprint, register

if TYPE_CHECKING:
    import pandas as pd
    from kedro.io import CatalogProtocol

log = logging.getLogger(__name__)


def save_model_folder(
    folder: Path, run_id: str, catalog: CatalogProtocol[Any, Any], name: str, problem: str
) -> tuple[ModelManifest, str]:
    """Write the pipeline's network as a model that takes raw rows; return its manifest, and the manifest's sha256.

    Args:
        folder: where the model is kept on this machine.
        run_id: the run.
        catalog: holds the pipeline's outputs.
        name: the pipeline's name.
        problem: the problem's name.
    """
    metrics = catalog.load(f"{name}.metrics")
    preprocessor = catalog.load(f"{name}.preprocessor")
    data_spec: DataSpec = preprocessor.data_spec
    test_rows = catalog.load(f"{name}.split").test.tolist()
    manifest = ModelManifest(
        problem=problem,
        pipeline=name,
        run_id=run_id,
        layerwise_version=version("layerwise"),
        threshold=metrics["threshold"],
        test_rows_sha256=fingerprint(data_spec.sha256 or data_spec.source, data_spec.target_names, test_rows),
        metrics=metrics["network"],
    )
    return manifest, save_trained_model(folder, catalog.load(f"{name}.network"), preprocessor, manifest)


def log_model(
    uri: str,
    run_id: str,
    catalog: CatalogProtocol[Any, Any],
    name: str,
    folder: Path,
    manifest: ModelManifest,
    sha256: str,
) -> None:
    """Log the model in a folder with the run, and register it.

    Args:
        uri: of the tracking server.
        run_id: the run.
        catalog: holds the pipeline's outputs.
        name: the pipeline's name.
        folder: what `save_model_folder` wrote.
        manifest: what it returned.
        sha256: what it returned.
    """
    example = catalog.load(f"{name}.input_example")
    predictions = load_trained_model(folder).predict(example, strict=False)
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    run = client.get_run(run_id)
    # Created here, since Model.log looks for a notebook to name as the source, and imports IPython for it.
    created = client.create_logged_model(
        run.info.experiment_id,
        name="model",
        source_run_id=run_id,
        tags={"model.sha256": sha256},
        params=run.data.params,
    )
    with mlflow.start_run(run_id=run_id, log_system_metrics=False):
        logged = Model.log(
            artifact_path=None,
            model_id=created.model_id,
            flavor=flavor,
            folder=folder,
            signature=ModelSignature(_schema(example), _infer_schema(predictions)),
            input_example=example,
            validate_serving_input=False,
        )
    try:
        card = catalog.load(f"{name}.model_card")
        message = register(
            client,
            manifest,
            catalog.load(f"{name}.preprocessor").data_spec.task,
            sha256,
            logged.model_id,
            card,
        )
    except MlflowException as error:
        log.warning("The model was logged, but not registered: %s", str(error).splitlines()[0])
        return
    log.info(message)
    client.set_tag(run_id, "registered", message)


def _schema(example: pd.DataFrame) -> Schema:
    """Return the input columns by name: numbers may come as integers, floats or empty."""
    columns: list[Any] = [ColSpec(AnyType(), name=str(each)) for each in example]
    return Schema(columns)
