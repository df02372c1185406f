"""Logs a trained network with its preprocessor as an MLflow model: data alone, and this package as a wheel."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import DatasetError
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model

from layerwise.data.reading import TableBlocks
from layerwise.data.sources import Documents, Images, Ratings, Texts
from layerwise.inference import (
    MLMODEL_SHA256,
    ModelComparison,
    TrainedModel,
    compare_models,
    compare_networks,
    load_trained_model,
)
from layerwise.inference.tasks import latent_size, offered_tasks
from layerwise.tracking.environment import is_predictor, pipeline_of
from layerwise.tracking.logged_models import SavedModel, write_mlflow_model
from layerwise.tracking.logged_models.model_lookup import find_model, models_of
from layerwise.tracking.outbox.background import upload_folder
from layerwise.tracking.registry import champion_metric, privacy_refusal, register
from layerwise.utils import UserError, first_line, mask_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from kedro.io import CatalogProtocol

log = logging.getLogger(__name__)

# What a model's page shows of the run that made it.
MLFLOW_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


@dataclass(frozen=True)
class Submission:
    """All that logging and registering a model takes, once its run is over.

    Args:
        saved: the model on this machine.
        kind: of the network, by which MLflow groups models.
        name: of the model in its run.
        example: some raw rows; None for a network that answers nothing.
        card: the description of the registered version.
        test_rows: gives the raw rows, with their targets, that it is compared with the champion on; a reason where
            that cannot be done.
    """

    saved: SavedModel
    kind: str
    name: str
    example: pd.DataFrame | None
    card: str
    test_rows: Callable[[], pd.DataFrame | Images | str]


def submission_of(catalog: CatalogProtocol[Any, Any], saved: SavedModel, kind: str, name: str) -> Submission:
    """Return what a run's catalog says of a model that it has saved."""
    model = load_trained_model(saved.folder, saved.sha256)
    example = None
    if offered_tasks(model):
        example = catalog.load(f"{saved.pipeline}.input_example")
        if model.parts.encoding is not None:  # what a generator takes of rows are categories
            names = [column.name for column in model.parts.encoding.categorical_columns]
            example = example[[name for name in names if name in example]].head(1)
    rows = partial(_test_rows, catalog, saved.pipeline)
    return Submission(saved, kind, name, example, _card(catalog, saved, model), rows)


def _test_rows(catalog: CatalogProtocol[Any, Any], pipeline: str) -> pd.DataFrame | Images | str:
    try:
        raw, rows = catalog.load("raw"), catalog.load(f"{pipeline}.split").test
    except (UserError, DatasetError) as error:
        return first_line(error)
    if isinstance(raw, TableBlocks):  # the split is that of the sample
        raw = catalog.load(f"{pipeline}.rows")
    if isinstance(raw, Images):
        return Images(raw.pixels[rows], raw.labels[rows])
    if isinstance(raw, Ratings | Texts | Documents):
        return "networks of ratings and documents have no labelled rows"
    found: pd.DataFrame = raw.iloc[rows].reset_index(drop=True)
    found.attrs = {}  # they are of the whole file, such as the lines of its rows
    return found


def _compare_with_version(
    client: MlflowClient, submission: Submission, model: TrainedModel, version: str, same_rows: bool
) -> ModelComparison | str:
    """Compare a model with a registered version, on its run's test rows as they were read."""
    try:
        found = find_model(f"{model.manifest.registered_name}/{version}", str(client.tracking_uri))
        other = load_trained_model(found.folder, found.sha256)
    except UserError as error:
        return first_line(error)
    rows = submission.test_rows()
    if isinstance(rows, str):
        return rows
    compare = compare_models if model.is_supervised else compare_networks
    return compare(model, other, rows, same_test_rows=same_rows)


def create_model(
    client: MlflowClient, run_id: str, entry: str, kind: str, name: str, is_new: bool = False
) -> str:
    """Return the id of a model of the run that is yet to be completed, so that metrics can name it.

    A run that goes on from a checkpoint keeps the one that it has, complete or not: what it trains is the same.

    Args:
        client: of the tracking server.
        run_id: the run.
        entry: the name of the network in the catalog.
        kind: of the network, by which MLflow groups models.
        name: of the model.
        is_new: the run cannot have it yet, and is not asked.
    """
    run, own = client.get_run(run_id), {"entry": entry, "pipeline": pipeline_of(entry)}
    there = () if is_new else (model for model in models_of(client, run) if model.tags.get("entry") == entry)
    found = next((model for model in there if model.status != LoggedModelStatus.FAILED), None)
    created = found or client.create_logged_model(
        run.info.experiment_id,
        name=name,
        source_run_id=run_id,
        tags=own | {name: value for name, value in run.data.tags.items() if name in MLFLOW_TAGS},
        params=run.data.params,
        model_type=kind,
    )
    outputs = run.outputs.model_outputs if run.outputs else []
    if created.model_id not in [each.model_id for each in outputs]:
        client.log_outputs(run_id, [LoggedModelOutput(created.model_id, step=0)])
    return str(created.model_id)


def pending_models(client: MlflowClient, run_id: str) -> dict[str, str]:
    """Return the ids of the run's models that are yet to be completed, by the entry of the catalog."""
    models = models_of(client, client.get_run(run_id))
    pending = [
        model for model in models if model.status == LoggedModelStatus.PENDING and "entry" in model.tags
    ]
    return {model.tags["entry"]: str(model.model_id) for model in pending}


def give_up_models(client: MlflowClient, run_id: str) -> None:
    """Mark the models of a run that did not finish as failed."""
    for model_id in pending_models(client, run_id).values():
        client.finalize_logged_model(model_id, "FAILED")


def _published(location: str) -> str | None:
    """Return an artifact's location unless it is a folder of this machine: MLmodel goes to other people."""
    return None if location.startswith(("/", "file:")) else mask_secrets(location)


def complete_network(client: MlflowClient, model_id: str, folders: Mapping[str, Path]) -> None:
    """Store a network that does not predict raw rows: its folders by their names in the model; mark it ready."""
    for name, folder in folders.items():
        upload_folder(client, "model", model_id, folder, name)
    client.finalize_logged_model(model_id, "READY")


def submit(client: MlflowClient, submission: Submission, model_id: str | None = None) -> str:
    """Store a model that takes raw rows, mark it ready, and register it; return its id.

    It may be done again, whole or from any call of it that failed: what is there is kept.

    Args:
        client: of the tracking server.
        submission: the model.
        model_id: of the model in its run, where that is known.
    """
    saved = submission.saved
    run_id = saved.manifest.run_id
    model_id = model_id or create_model(client, run_id, saved.entry, submission.kind, submission.name)
    if submission.example is None:
        complete_network(client, model_id, {"model": saved.folder})
        return model_id
    model = load_trained_model(saved.folder, saved.sha256)
    created = client.get_logged_model(model_id)
    if created.status != LoggedModelStatus.READY or created.tags.get("model.sha256") != saved.sha256:
        with tempfile.TemporaryDirectory() as directory:
            target = Path(directory, "model")
            description = Model(
                run_id=run_id,
                model_id=model_id,
                artifact_path=_published(created.artifact_location),
                metadata={MLMODEL_SHA256: saved.sha256},
            )
            write_mlflow_model(target, saved.folder, submission.example, model, description)
            upload_folder(client, "model", model_id, target)
        client.set_logged_model_tags(model_id, {"model.sha256": saved.sha256})
        client.finalize_logged_model(model_id, "READY")
    task, size = (model.columns.task, None) if is_predictor(saved.entry) else (model.kind, latent_size(model))
    # What generates rows, or learnt from ratings or documents, has no value of each raw row.
    by_rows = is_predictor(saved.entry) or (size is not None and model.reads_rows)
    compare = partial(_compare_with_version, client, submission, model) if by_rows else None
    refusal = "" if model.has_image_inputs else privacy_refusal(saved.manifest)
    metric, value = champion_metric(task, saved.manifest.metrics)
    # MLflow's list of versions shows the first line alone.
    headline = f"{saved.manifest.pipeline}: {metric} {value:.4g} on the test rows\n\n" if metric else ""
    message = refusal or register(
        client,
        saved.manifest,
        task,
        saved.sha256,
        model_id,
        headline + submission.card,
        compare,
        latent_size=size,
    )
    log.info(message)
    client.set_tag(run_id, "registered" if created.name == "model" else f"registered.{created.name}", message)
    return model_id


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
