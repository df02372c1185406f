"""Logs a trained network with its preprocessor as an MLflow model: data alone, and this package as a wheel."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import DatasetError
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from layerwise.data.sources import Images
from layerwise.inference import (
    MLMODEL_SHA256,
    ModelComparison,
    TrainedModel,
    compare_models,
    load_trained_model,
)
from layerwise.inference.tasks import latent_size, offered_tasks
from layerwise.tracking.environment import is_predictor, pipeline_of
from layerwise.tracking.logged_models import SavedModel, write_mlflow_model
from layerwise.tracking.model_lookup import find_model, models_of
from layerwise.tracking.registry import register
from layerwise.utils import UserError

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol

log = logging.getLogger(__name__)

# What a model's page shows of the run that made it.
MLFLOW_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


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
    for model in models_of(client, run):
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
    models = models_of(client, client.get_run(run_id))
    return {m.tags["entry"]: str(m.model_id) for m in models if m.status == LoggedModelStatus.PENDING}


def give_up_models(client: MlflowClient, run_id: str) -> None:
    """Mark the models of a run that did not finish as failed."""
    for model_id in pending_models(client, run_id).values():
        client.finalize_logged_model(model_id, "FAILED")


def complete_network(client: MlflowClient, model_id: str, folders: Mapping[str, Path]) -> None:
    """Store a network that does not predict raw rows: its folders by their names in the model; mark it ready."""
    for name, folder in folders.items():
        client.log_model_artifacts(model_id, str(folder), name)
    client.finalize_logged_model(model_id, "READY")


def complete_model(
    client: MlflowClient, model_id: str, catalog: CatalogProtocol[Any, Any], saved: SavedModel
) -> str:
    """Store a model that takes raw rows, mark it ready, and register it; return what was done in the registry.

    Args:
        client: of the tracking server.
        model_id: what `create_model` returned.
        catalog: holds the pipeline's outputs.
        saved: the model on this machine.
    """
    example = catalog.load(f"{saved.pipeline}.input_example")
    model = load_trained_model(saved.folder, saved.sha256)
    if model.parts.encoding is not None:  # what a generator takes of rows are categories
        names = [column.name for column in model.parts.encoding.categorical_columns]
        example = example[[name for name in names if name in example]].head(1)
    if not offered_tasks(model):
        complete_network(client, model_id, {"model": saved.folder})
        return ""
    created = client.get_logged_model(model_id)
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "model")
        description = Model(
            run_id=saved.manifest.run_id,
            model_id=model_id,
            artifact_path=created.artifact_location,
            metadata={MLMODEL_SHA256: saved.sha256},
        )
        write_mlflow_model(target, saved.folder, example, model, description)
        client.log_model_artifacts(model_id, str(target))
    client.set_logged_model_tags(model_id, {"model.sha256": saved.sha256})
    client.finalize_logged_model(model_id, "READY")
    try:
        card = _card(catalog, saved, model)
        if is_predictor(saved.entry):
            compare = partial(compare_with_version, client, model, catalog, saved.pipeline)
            message = register(
                client, saved.manifest, model.columns.task, saved.sha256, model_id, card, compare
            )
        else:
            size = latent_size(model)
            message = register(
                client, saved.manifest, model.kind, saved.sha256, model_id, card, latent_size=size
            )
    except MlflowException as error:
        log.warning("The model was logged, but not registered: %s", str(error).splitlines()[0])
        return ""
    log.info(message)
    tag = "registered" if created.name == "model" else f"registered.{created.name}"
    client.set_tag(saved.manifest.run_id, tag, message)
    return message


def _card(catalog: CatalogProtocol[Any, Any], saved: SavedModel, model: TrainedModel) -> str:
    """Return the description of a registered version: the pipeline's card, or what the network is and can do."""
    if not saved.entry.endswith(".stack") and catalog.exists(f"{saved.pipeline}.model_card"):
        return str(catalog.load(f"{saved.pipeline}.model_card"))
    measured = "".join(f"| {name} | {each['value']:.6g} |\n" for name, each in saved.manifest.metrics.items())
    table = f"\n| of the test rows | |\n|---|---|\n{measured}" if measured else ""
    return (
        f"# {saved.manifest.registered_name}\n\nA network of the kind {model.kind}, trained by the pipeline "
        f"{saved.pipeline} on {model.columns.n_training} rows of the problem {saved.manifest.problem}. It can be "
        f"asked: {', '.join(task.name for task in offered_tasks(model))}.\n{table}"
    )
