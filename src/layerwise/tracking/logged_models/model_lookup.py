"""A model found by what it is called: a folder, a run, or a registered name with its alias or version."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.inference import (
    MANIFEST_FILE,
    ModelError,
    ModelManifest,
    described_sha256,
    mlmodel_of,
    read_mlmodel,
    verify_model_folder,
)
from layerwise.tracking.environment import configure_mlflow
from layerwise.utils import WHEELS_FOLDER, Location, first_line, nearest

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run
    from mlflow.entities.model_registry import ModelVersion


LOADER_MODULE = "layerwise.inference.server"


# Its models are refused by their manifest's format, with a message of their own.
FIRST_EDITION_LOADER_MODULE = "layerwise.serving"


CHAMPION = "champion"


# The files that MLflow writes beside a model's data; none of them is code.
MLFLOW_FILES = {
    "MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "input_example.json",
    "serving_input_example.json", "registered_model_meta",
}  # fmt: skip


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResolvedModel:
    """A model that was found.

    Args:
        folder: its files, on this machine.
        name: its name in messages, such as `churn version 3`.
        sha256: of its manifest.
        manifest: what is known of it beside its weights.
    """

    folder: Path
    name: str
    sha256: str
    manifest: ModelManifest


def find_model(reference: str, uri: str) -> ResolvedModel:
    """Return the model that a reference names.

    Args:
        reference: a folder, here or elsewhere (`s3://...`); a run's id; or a name of the registry with an alias or a
            version: `churn@champion`, `churn/3`, and `churn` alone for its champion. MLflow's own `runs:/...` and
            `models:/...` do too.
        uri: of the tracking server.

    Raises:
        ModelError: there is no such model, or its files are not those that were saved.
    """
    path = Location(reference).local_path() if "://" in reference else Path(reference)
    if path.is_dir():
        folder = data_folder(path)
        manifest, sha256 = _verify(folder)
        if _has_runs(uri):
            _compare_with_run(folder, manifest.run_id, sha256, uri)
        return ResolvedModel(folder, reference, sha256, manifest)
    return _find_in_store(reference, uri)


def _verify(folder: Path, sha256: str = "") -> tuple[ModelManifest, str]:
    """Compare a model's files with its manifest, and that with the hashes which the store and MLmodel name."""
    if above := mlmodel_of(folder):
        described = described_sha256(read_mlmodel(above))
        if described and sha256 and described != sha256:
            raise ModelError(
                f"the model in {above} was not loaded: MLmodel names another {MANIFEST_FILE} than was registered. "
                "Take the model from its run again"
            )
        sha256 = sha256 or described
    return verify_model_folder(folder, sha256)


def _has_runs(uri: str) -> bool:
    return bool(uri) and not (
        uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists()
    )


def _compare_with_run(folder: Path, run_id: str, sha256: str, uri: str) -> None:
    """Raise a ModelError if a folder says that it is of a run, and the run has logged other models."""
    configure_mlflow()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(uri)
    try:
        logged = models_of(client, client.get_run(run_id)) if run_id else []
        known = {each.tags["model.sha256"] for each in logged if "model.sha256" in each.tags}
    except MlflowException:
        known = set()
    if known and sha256 not in known:
        raise ModelError(
            f"the model in {folder} was not loaded: {MANIFEST_FILE} is not the one that run {run_id} has logged. "
            "Take the model from its run again; don't use this copy"
        )
    if not known:
        log.warning(
            "%s is a model of no run that is known here: nothing but its own files vouches for it", folder
        )


def _find_in_store(reference: str, uri: str) -> ResolvedModel:
    if not _has_runs(uri):
        raise ModelError(f"'{reference}' is no folder, and there are no runs yet to look for it in")
    configure_mlflow()
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    client = MlflowClient(uri)
    try:
        address, name, sha256 = _resolve(client, reference)
        # MLflow looks for a model's address in the store of its own defaults, whichever it is given.
        location = client.get_logged_model(address.removeprefix("models:/")).artifact_location
        folder = data_folder(Path(download_artifacts(location, tracking_uri=uri)))
    except (MlflowException, OSError) as error:
        raise ModelError(f"the model '{reference}' cannot be fetched: {first_line(error)[:300]}") from error
    manifest, found = _verify(folder, sha256)
    return ResolvedModel(folder, name, found, manifest)


def _resolve(client: MlflowClient, reference: str) -> tuple[str, str, str]:
    """Return the model's MLflow address, its name in messages, and its sha256 if that is known."""
    plain = reference.removeprefix("models:/")
    run = re.fullmatch(r"(?:runs:/)?([0-9a-f]{32})(?:/(\w+))?/?", reference)
    if run:
        return _resolve_run(client, run[1], run[2])
    if re.fullmatch(r"m-[0-9a-f]{32}", plain):
        return f"models:/{plain}", plain, client.get_logged_model(plain).tags.get("model.sha256", "")
    named = re.fullmatch(r"([^/@]+)(?:@([^/@]+)|/(\d+))?", plain)
    if not named:
        raise ModelError(
            f"'{reference}' is no folder and no model's name; take a folder, a run's id, or a name such as "
            "churn@champion or churn/3"
        )
    return _resolve_registered(client, named[1], named[2], named[3])


def models_of(client: MlflowClient, run: Run) -> list[LoggedModel]:
    """Return the models that a run has logged."""
    # Not the run's outputs: a process that dies between the two calls leaves a model that is none of them.
    return list(client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"))


def _resolve_run(client: MlflowClient, run_id: str, name: str | None) -> tuple[str, str, str]:
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException:
        raise ModelError(f"there is no run {run_id}; `mlflow ui` shows the runs") from None
    models = [model for model in models_of(client, run) if "model.sha256" in model.tags]
    if not models:
        pipeline, status = run.data.tags.get("pipeline", "unknown"), run.info.status
        raise ModelError(
            f"run {run_id} has no model (pipeline {pipeline}, {status}); finished runs of the pipelines dbn, mlp, sae, "
            "rbm, autoencoder, gan and forest_fires_classic have one"
        )
    # A run's supervised network has the name `model`; what it was pretrained as has another one.
    named = [model for model in models if model.name == (name or "model")]
    models = named if len(named) == 1 else models
    if len(models) > 1:
        known = ", ".join(
            f"{model.model_id} ({model.name})" for model in sorted(models, key=lambda model: model.name)
        )
        raise ModelError(f"run {run_id} has several models; name one of them: {known}")
    found = models[0]
    return f"models:/{found.model_id}", f"run {run_id}", found.tags["model.sha256"]


def _resolve_registered(
    client: MlflowClient, name: str, alias: str | None, number: str | None
) -> tuple[str, str, str]:
    version = registered_version(client, name, alias, number)
    # Its source is the model of its run, `models:/m-...`.
    return str(version.source), f"{name} version {version.version}", version.tags.get("model.sha256", "")


def check_registered(client: MlflowClient, name: str) -> None:
    """Raise a ModelError unless a model is registered under this name."""
    names = [each.name for each in client.search_registered_models(max_results=1000)]
    if name not in names:
        # A network that predicts no target is called after its pipeline, too.
        own = [each for each in names if each.startswith(f"{name}.")]
        known = nearest(name, own or names) if names else "; none is registered yet"
        raise ModelError(f"no model is registered as '{name}', and there is no such folder{known}")


def registered_version(
    client: MlflowClient, name: str, alias: str | None = None, number: str | None = None
) -> ModelVersion:
    """Return a version of a registered model by its number or its alias, by default its champion.

    Raises:
        ModelError: there is no such model, version or alias.
    """
    from mlflow.exceptions import MlflowException

    try:
        if number:
            return client.get_model_version(name, number)
        return client.get_model_version_by_alias(name, alias or CHAMPION)
    except MlflowException:
        # Asked only now: listing all models takes as long as the rest of a look-up.
        check_registered(client, name)
        aliases = client.get_registered_model(name).aliases
        if number:
            last = max((int(v.version) for v in client.search_model_versions(f"name='{name}'")), default=0)
            raise ModelError(f"'{name}' has no version {number}; the last one is {last}") from None
        raise ModelError(
            f"'{name}' has no alias '{alias or CHAMPION}'{nearest(alias or CHAMPION, list(aliases))}"
        ) from None


def data_folder(folder: Path) -> Path:
    """Return where a model's own files are: the folder, or the part of an MLflow model that holds them.

    Raises:
        ModelError: it is no model, or an MLflow model that names code or holds files that are none of its own.
    """
    if (folder / MANIFEST_FILE).is_file():
        return folder
    mlmodel = read_mlmodel(folder)
    try:
        flavor = mlmodel["flavors"]["python_function"]
        loader, data = str(flavor.get("loader_module")), folder / str(flavor.get("data"))
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / 'MLmodel'} cannot be read: it names no loader") from error
    wrong = ""
    if loader not in (LOADER_MODULE, FIRST_EDITION_LOADER_MODULE):
        wrong = f"MLmodel names another loader, {loader}"
    elif flavor.get("code"):
        wrong = f"MLmodel names code to run, {flavor['code']}"
    elif (
        data.parent.resolve() != (folder / "data").resolve() and data.resolve() != (folder / "data").resolve()
    ):
        wrong = "MLmodel names data outside of its folder"
    elif data.is_symlink() or (folder / "data").is_symlink():
        wrong = "its data are a link"
    elif not data.is_dir():
        wrong = "its data are missing"
    else:
        beside = {path.name for path in folder.iterdir()} - MLFLOW_FILES - {"data"}
        if _is_wheels_folder(folder / WHEELS_FOLDER):
            beside -= {WHEELS_FOLDER}
        inside = (
            {path.name for path in (folder / "data").iterdir()} - {data.name}
            if data.name != "data"
            else set()
        )
        if beside | inside:
            wrong = f"{', '.join(sorted(beside | inside))} is not among the model's files"
    if wrong:
        raise ModelError(f"the model in {folder} was not loaded: {wrong}. Take the model from its run again")
    return data


def _is_wheels_folder(folder: Path) -> bool:
    """Return whether a folder holds this package's wheel alone, which nothing here reads."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() and not folder.is_symlink() else []
    return len(names) == 1 and re.fullmatch(r"layerwise-[\w.+]+-py3-none-any\.whl", names[0]) is not None
