"""Logs a trained network with its preprocessor as an MLflow model: data alone, and this package as a wheel."""

from __future__ import annotations

import logging
import platform
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient, pyfunc
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import AnyType

from layerwise.data import DataSpec
from layerwise.inference import ModelManifest, TrainedModel, load_trained_model, save_trained_model
from layerwise.inference.tasks import answer_rows, latent_size, offered_tasks, task_options
from layerwise.parameters import TaskSettings
from layerwise.tracking.environment import is_predictor, pipeline_of
from layerwise.tracking.input_datasets import rows_fingerprint
from layerwise.tracking.model_lookup import LOADER_MODULE
from layerwise.tracking.registry import register
from layerwise.utils import WHEELS_FOLDER, package_wheel

if TYPE_CHECKING:
    import pandas as pd
    from kedro.io import CatalogProtocol

log = logging.getLogger(__name__)

REQUIRED_PACKAGES = ("mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "skops", "torch")

# What a pipeline measures of a stack beside its fine-tuned network: the ends of the entries' names.
STACK_METRICS = ("stack", "bound")

# The types of plain values as MLflow calls them.
_PLAIN_TYPES = {str: "string", int: "long", float: "double", bool: "boolean"}

# What a model's page shows of the run that made it.
MLFLOW_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


@dataclass(frozen=True)
class SavedModel:
    """A model that a run has written to this machine and logs.

    Args:
        entry: the network's name in the catalog.
        folder: what `save_trained_model` wrote.
        manifest: of the folder.
        sha256: of the manifest.
    """

    entry: str
    folder: Path
    manifest: ModelManifest
    sha256: str

    @property
    def pipeline(self) -> str:
        """The pipeline that trained it."""
        return pipeline_of(self.entry)


def save_model_folder(
    folder: Path,
    run_id: str,
    catalog: CatalogProtocol[Any, Any],
    entry: str,
    problem: str,
    outputs: Collection[str],
) -> SavedModel:
    """Write a network of a pipeline as a model that takes raw rows.

    Args:
        folder: where the model is kept on this machine.
        run_id: the run.
        catalog: holds the pipeline's outputs.
        entry: the network's name in it: `<pipeline>.network` for a supervised one.
        problem: the problem's name.
        outputs: what the run has saved, by the names in the catalog.
    """
    pipeline = pipeline_of(entry)
    preprocessor = catalog.load(f"{pipeline}.preprocessor")
    data_spec: DataSpec = preprocessor.data_spec
    common: dict[str, Any] = {
        "problem": problem,
        "pipeline": pipeline,
        "run_id": run_id,
        "layerwise_version": version("layerwise"),
        "test_rows_sha256": rows_fingerprint(data_spec, catalog.load(f"{pipeline}.split"), "test"),
    }
    if is_predictor(entry):
        metrics = catalog.load(f"{pipeline}.metrics")
        manifest = ModelManifest(
            **common,
            threshold=metrics.threshold,
            smearing=metrics.smearing,
            metrics=metrics.network.model_dump(mode="json"),
        )
    else:
        own = STACK_METRICS if entry.endswith(".stack") else ("",)
        measured = [f"{pipeline}.metrics_{part}" for part in own]
        names = [name for name in outputs if name.startswith(tuple(measured))]
        metrics = _unsupervised_metrics(catalog, names)
        manifest = ModelManifest(**common, name=f"{problem}.{pipeline}", metrics=metrics)
    sha256 = save_trained_model(folder, catalog.load(entry), preprocessor, manifest)
    return SavedModel(entry, folder, manifest, sha256)


def _unsupervised_metrics(catalog: CatalogProtocol[Any, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return what was measured on the test rows, by the names that the run logs without their beginning."""
    rows = [row for name in sorted(names) for row in catalog.load(name) if row.name.startswith("test/")]
    return {row.name.removeprefix("test/"): {"value": row.value} for row in rows}


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
    model = load_trained_model(saved.folder)
    if not offered_tasks(model):
        complete_network(client, model_id, {"model": saved.folder})
        return ""
    created = client.get_logged_model(model_id)
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "model")
        description = Model(
            run_id=saved.manifest.run_id, model_id=model_id, artifact_path=created.artifact_location
        )
        write_mlflow_model(target, saved.folder, example, model, description)
        client.log_model_artifacts(model_id, str(target))
    client.set_logged_model_tags(model_id, {"model.sha256": saved.sha256})
    client.finalize_logged_model(model_id, "READY")
    try:
        task = model.columns.task if is_predictor(saved.entry) else model.kind
        card = _card(catalog, saved, model)
        message = register(client, saved.manifest, task, saved.sha256, model_id, card, latent_size(model))
    except MlflowException as error:
        log.warning("The model was logged, but not registered: %s", str(error).splitlines()[0])
        return ""
    log.info(message)
    tag = "registered" if created.name == "model" else f"registered.{created.name}"
    client.set_tag(saved.manifest.run_id, tag, message)
    return message


def _card(catalog: CatalogProtocol[Any, Any], saved: SavedModel, model: TrainedModel) -> str:
    """Return the description of a registered version: the pipeline's card, or what the network is and can do."""
    if is_predictor(saved.entry):
        return catalog.load(f"{saved.pipeline}.model_card")
    measured = "".join(f"| {name} | {each['value']:.6g} |\n" for name, each in saved.manifest.metrics.items())
    table = f"\n| of the test rows | |\n|---|---|\n{measured}" if measured else ""
    return (
        f"# {saved.manifest.registered_name}\n\nA network of the kind {model.kind}, trained by the pipeline "
        f"{saved.pipeline} on {model.columns.n_training} rows of the problem {saved.manifest.problem}. It can be "
        f"asked: {', '.join(task.name for task in offered_tasks(model))}.\n{table}"
    )


def write_mlflow_model(
    target: Path, folder: Path, example: pd.DataFrame, model: TrainedModel, description: Model
) -> None:
    """Write a model's folder as an MLflow model, with a signature, an example and this package as a wheel.

    Args:
        target: where to; made here.
        folder: what `layerwise.inference.save_trained_model` wrote.
        example: some raw rows.
        model: what was read from the folder.
        description: what MLflow's own file says of it; completed and written here.
    """
    logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)
    wheel, content = package_wheel()
    pyfunc.save_model(
        str(target),
        loader_module=LOADER_MODULE,
        data_path=str(folder),
        mlflow_model=description,
        signature=_signature(model, example),
        input_example=example,
        conda_env=_conda_environment(wheel),
    )
    (target / WHEELS_FOLDER).mkdir()
    (target / WHEELS_FOLDER / wheel).write_bytes(content)


def _signature(model: TrainedModel, example: pd.DataFrame) -> ModelSignature:
    """Return the columns of rows and answers, and what may be asked: plain values with their defaults."""
    answer = answer_rows(model, example, TaskSettings(), strict=False)
    optional = any(task.works_without_rows for task in offered_tasks(model))
    columns: list[Any] = [ColSpec(AnyType(), name=str(each), required=not optional) for each in example]
    options = [
        ParamSpec(name, _PLAIN_TYPES[type(value)], value) for name, value in task_options(model).items()
    ]
    outputs = infer_signature(example, answer).outputs
    return ModelSignature(Schema(columns), outputs, ParamSchema(options))


def _conda_environment(wheel: str) -> dict[str, Any]:
    """Return the packages that a model needs, without the local part of a version, which no index has.

    This package comes from the wheel in the model's folder, by a path that MLflow reads from there.

    Given as a whole environment: from a list of packages MLflow first searches every installed one, 1.4 s of a run.
    """
    packages = [f"{package}=={version(package).partition('+')[0]}" for package in REQUIRED_PACKAGES]
    packages.append(f"{WHEELS_FOLDER}/{wheel}")
    return {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": packages}],
    }
