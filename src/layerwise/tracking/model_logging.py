"""Logs a trained network with its preprocessor as an MLflow model: data alone, no code and nothing pickled."""

from __future__ import annotations

import logging
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient, pyfunc
from mlflow.entities import LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.types import ColSpec, Schema
from mlflow.types.schema import AnyType

from layerwise.data import DataSpec
from layerwise.inference import ModelManifest, load_trained_model, save_trained_model
from layerwise.tracking.model_lookup import LOADER_MODULE
from layerwise.tracking.registry import fingerprint, register

if TYPE_CHECKING:
    import pandas as pd
    from kedro.io import CatalogProtocol

log = logging.getLogger(__name__)

REQUIRED_PACKAGES = ("mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "skops", "torch")


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
        threshold=metrics.threshold,
        smearing=metrics.smearing,
        test_rows_sha256=fingerprint(data_spec.sha256 or data_spec.source, data_spec.target_names, test_rows),
        metrics=metrics.network.model_dump(mode="json"),
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
    logged_as: str = "model",
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
        logged_as: its name in the run.
    """
    example = catalog.load(f"{name}.input_example")
    predictions = load_trained_model(folder).predict(example, strict=False)
    client = MlflowClient(uri)
    run = client.get_run(run_id)
    created = client.create_logged_model(
        run.info.experiment_id,
        name=logged_as,
        source_run_id=run_id,
        tags={"model.sha256": sha256},
        params=run.data.params,
    )
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "model")
        description = Model(run_id=run_id, model_id=created.model_id, artifact_path=created.artifact_location)
        write_mlflow_model(target, folder, example, predictions, description)
        client.log_model_artifacts(created.model_id, str(target))
    client.log_outputs(run_id, [LoggedModelOutput(created.model_id, step=0)])
    logged = client.finalize_logged_model(created.model_id, "READY")
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
    client.set_tag(run_id, "registered" if logged_as == "model" else f"registered.{name}", message)


def write_mlflow_model(
    target: Path, folder: Path, example: pd.DataFrame, predictions: pd.DataFrame, description: Model
) -> None:
    """Write a model's folder as an MLflow model, with a signature and an example.

    Args:
        target: where to; made here.
        folder: what `layerwise.inference.save_trained_model` wrote.
        example: some raw rows.
        predictions: of these rows.
        description: what MLflow's own file says of it; completed and written here.
    """
    logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)
    pyfunc.save_model(
        str(target),
        loader_module=LOADER_MODULE,
        data_path=str(folder),
        mlflow_model=description,
        signature=ModelSignature(_schema(example), infer_signature(example, predictions).outputs),
        input_example=example,
        conda_env=_conda_environment(),
    )


def _conda_environment() -> dict[str, Any]:
    """Return the packages that a model needs, without the local part of a version, which no index has.

    Given as a whole environment: from a list of packages MLflow first searches every installed one, 1.4 s of a run.
    """
    packages = [f"{package}=={version(package).partition('+')[0]}" for package in REQUIRED_PACKAGES]
    return {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": packages}],
    }


def _schema(example: pd.DataFrame) -> Schema:
    """Return the input columns by name: numbers may come as integers, floats or empty."""
    columns: list[Any] = [ColSpec(AnyType(), name=str(each)) for each in example]
    return Schema(columns)
