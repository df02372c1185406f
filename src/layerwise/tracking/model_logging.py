"""Logs a trained network with its preprocessor as an MLflow model: data alone, no code and nothing pickled."""

from __future__ import annotations

import logging
import platform
import tempfile
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from kedro.io import DatasetError
from mlflow import MlflowClient, pyfunc
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.types import ColSpec, Schema
from mlflow.types.schema import AnyType

from layerwise.data import DataSpec
from layerwise.data.sources import Images
from layerwise.inference import (
    ModelComparison,
    ModelManifest,
    TrainedModel,
    compare_models,
    hash_rows,
    load_trained_model,
    save_trained_model,
)
from layerwise.tracking.environment import pipeline_of
from layerwise.tracking.input_datasets import rows_fingerprint
from layerwise.tracking.model_lookup import LOADER_MODULE, find_model
from layerwise.tracking.registry import register
from layerwise.utils import UserError, parameter

if TYPE_CHECKING:
    import pandas as pd
    from kedro.io import CatalogProtocol

log = logging.getLogger(__name__)

REQUIRED_PACKAGES = ("mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "skops", "torch")

# What a model's page shows of the run that made it.
MLFLOW_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


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
    manifest = ModelManifest(
        problem=problem,
        pipeline=name,
        run_id=run_id,
        layerwise_version=version("layerwise"),
        threshold=metrics.threshold,
        smearing=metrics.smearing,
        test_rows_sha256=rows_fingerprint(data_spec, catalog.load(f"{name}.split"), "test"),
        metrics=metrics.network.model_dump(mode="json"),
    )
    network, seen = catalog.load(f"{name}.network"), seen_rows(catalog, name, preprocessor)
    if parameter("refit") and catalog.exists(f"{name}.refit_network"):
        network, preprocessor = (catalog.load(f"{name}.refit_{each}") for each in ("network", "preprocessor"))
        seen = seen_rows(catalog, name, preprocessor, ("refit_rows",))
        manifest = manifest.model_copy(update={"refit": True})
    return manifest, save_trained_model(folder, network, preprocessor, manifest, seen)


def seen_rows(
    catalog: CatalogProtocol[Any, Any],
    name: str,
    preprocessor: Any,
    entries: tuple[str, ...] = ("training", "validation"),
) -> np.ndarray | None:
    """Return the hashes of a pipeline's training and validation rows; None where a row's inputs are sampled."""
    if preprocessor.settings.binarize == "static":
        return None
    parts = [catalog.load(f"{name}.{part}").inputs for part in entries]
    return np.concatenate([hash_rows(part.cpu().numpy()) for part in parts])


def compare_with_version(
    client: MlflowClient,
    model: TrainedModel,
    catalog: CatalogProtocol[Any, Any],
    name: str,
    version: str,
    same_rows: bool,
) -> ModelComparison | str:
    """Compare a model of this run with a registered version, on the run's test rows as they were read.

    Args:
        client: of the tracking server.
        model: of this run.
        catalog: of the run.
        name: of the pipeline.
        version: of the champion.
        same_rows: whether the version was tested on the same rows.
    """
    try:
        found = find_model(f"{model.manifest.problem}/{version}", str(client.tracking_uri))
        other = load_trained_model(found.folder, found.sha256)
        raw, rows = catalog.load("raw"), catalog.load(f"{name}.split").test
    except (UserError, DatasetError) as error:
        return str(error).splitlines()[0]
    if isinstance(raw, Images):
        rows = Images(raw.pixels[rows], raw.labels[rows])
    else:
        rows = raw.iloc[rows].reset_index(drop=True)
    return compare_models(model, other, rows, same_test_rows=same_rows)


def create_model(client: MlflowClient, run_id: str, entry: str, kind: str, name: str) -> str:
    """Return the id of a model of the run that is yet to be completed, so that metrics can name it.

    A run that goes on from a checkpoint keeps the one that it has.

    Args:
        client: of the tracking server.
        run_id: the run.
        entry: the name of the network in the catalog.
        kind: of the network, by which MLflow groups models.
        name: of the model.
    """
    run, own = client.get_run(run_id), {"entry": entry, "pipeline": pipeline_of(entry)}
    for model in _models_of(client, run):
        if model.tags.get("entry") == entry and model.status == LoggedModelStatus.PENDING:
            return str(model.model_id)
    created = client.create_logged_model(
        run.info.experiment_id,
        name=name,
        source_run_id=run_id,
        tags=own | {name: value for name, value in run.data.tags.items() if name in MLFLOW_TAGS},
        params=run.data.params,
        model_type=kind,
    )
    client.log_outputs(run_id, [LoggedModelOutput(created.model_id, step=0)])
    return str(created.model_id)


def pending_models(client: MlflowClient, run_id: str) -> dict[str, str]:
    """Return the ids of the run's models that are yet to be completed, by the entry of the catalog."""
    models = _models_of(client, client.get_run(run_id))
    return {m.tags["entry"]: str(m.model_id) for m in models if m.status == LoggedModelStatus.PENDING}


def give_up_models(client: MlflowClient, run_id: str) -> None:
    """Mark the models of a run that did not finish as failed."""
    for model_id in pending_models(client, run_id).values():
        client.finalize_logged_model(model_id, "FAILED")


def _models_of(client: MlflowClient, run: Run) -> list[LoggedModel]:
    outputs = run.outputs.model_outputs if run.outputs else []
    return [client.get_logged_model(each.model_id) for each in outputs]


def complete_network(client: MlflowClient, model_id: str, folders: Mapping[str, Path]) -> None:
    """Store a network that does not predict raw rows: its folders by their names in the model; mark it ready."""
    for name, folder in folders.items():
        client.log_model_artifacts(model_id, str(folder), name)
    client.finalize_logged_model(model_id, "READY")


def complete_model(
    client: MlflowClient,
    model_id: str,
    catalog: CatalogProtocol[Any, Any],
    name: str,
    folder: Path,
    manifest: ModelManifest,
    sha256: str,
) -> str:
    """Store a model that predicts raw rows, mark it ready, and register it; return what was done in the registry.

    Args:
        client: of the tracking server.
        model_id: what `create_model` returned.
        catalog: holds the pipeline's outputs.
        name: the pipeline's name.
        folder: what `save_model_folder` wrote.
        manifest: what it returned.
        sha256: what it returned.
        logged_as: its name in the run.
    """
    example = catalog.load(f"{name}.input_example")
    model = load_trained_model(folder)
    predictions = model.predict(example, strict=False)
    created = client.get_logged_model(model_id)
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "model")
        description = Model(
            run_id=manifest.run_id, model_id=model_id, artifact_path=created.artifact_location
        )
        write_mlflow_model(target, folder, example, predictions, description)
        client.log_model_artifacts(model_id, str(target))
    client.set_logged_model_tags(model_id, {"model.sha256": sha256})
    client.finalize_logged_model(model_id, "READY")
    try:
        task, card = catalog.load(f"{name}.data_spec").task, catalog.load(f"{name}.model_card")
        compare = partial(compare_with_version, client, model, catalog, name)
        message = register(client, manifest, task, sha256, model_id, card, compare)
    except MlflowException as error:
        log.warning("The model was logged, but not registered: %s", str(error).splitlines()[0])
        return ""
    log.info(message)
    client.set_tag(
        manifest.run_id, "registered" if created.name == "model" else f"registered.{name}", message
    )
    return message


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
