"""Models by name: found by run, alias or folder; registered after a run; the champion moves when it is beaten."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.evaluation.metrics.supervised import LOWER_IS_BETTER
from layerwise.inference.model import MANIFEST_FILE, ModelError, ModelManifest, verify_model_folder
from layerwise.tracking.environment import configure_mlflow
from layerwise.utils.config import nearest

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOADER_MODULE = "layerwise.inference.server"
CHAMPION = "champion"
# What a model is judged by against the champion.
CHAMPION_METRICS = {"multiclass": "error", "binary": "roc_auc", "multilabel": "roc_auc", "regression": "rmse"}
# MLflow's table takes no longer description.
MAX_CARD_LENGTH = 5000
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
        name: what to call it, such as `churn version 3`.
        sha256: of its list, as the registry or the run remembers it; empty when it was named by its folder.
        manifest: of its list.
    """

    folder: Path
    name: str
    sha256: str
    manifest: ModelManifest


def find_model(reference: str, uri: str) -> ResolvedModel:
    """Return the model that is meant.

    Args:
        reference: a folder; a run's id; or a name of the registry with an alias or a version: `churn@champion`,
            `churn/3`, and `churn` alone for its champion. MLflow's own `runs:/...` and `models:/...` do too.
        uri: of the tracking server.

    Raises:
        ModelError: there is no such model, or its files are not those that were saved.
    """
    if Path(reference).is_dir():
        folder = data_folder(Path(reference))
        manifest, sha256 = verify_model_folder(folder)
        return ResolvedModel(folder, reference, sha256, manifest)
    return _find_in_store(reference, uri)


def _find_in_store(reference: str, uri: str) -> ResolvedModel:
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        raise ModelError(f"'{reference}' is no folder, and there are no runs yet to look for it in")
    configure_mlflow()
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    client = MlflowClient(uri)
    try:
        address, name, sha256 = _address(client, reference)
        folder = data_folder(Path(download_artifacts(address, tracking_uri=uri)))
    except (MlflowException, OSError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else repr(error)
        raise ModelError(f"the model '{reference}' cannot be fetched: {reason}") from error
    manifest, found = verify_model_folder(folder, sha256)
    return ResolvedModel(folder, name, found, manifest)


def _address(client: MlflowClient, reference: str) -> tuple[str, str, str]:
    """Return where MLflow has the model, what to call it, and its sha256 if that is known."""
    plain = reference.removeprefix("models:/")
    run = re.fullmatch(r"(?:runs:/)?([0-9a-f]{32})(?:/model)?/?", reference)
    if run:
        return _of_run(client, run[1])
    if re.fullmatch(r"m-[0-9a-f]{32}", plain):
        return f"models:/{plain}", plain, client.get_logged_model(plain).tags.get("model.sha256", "")
    named = re.fullmatch(r"([^/@]+)(?:@([^/@]+)|/(\d+))?", plain)
    if not named:
        raise ModelError(
            f"'{reference}' is no folder and no model's name; take a folder, a run's id, or a name such as "
            "churn@champion or churn/3"
        )
    return _of_registry(client, named[1], named[2], named[3])


def _of_run(client: MlflowClient, run_id: str) -> tuple[str, str, str]:
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException:
        raise ModelError(f"there is no run {run_id}; `mlflow ui` shows the runs") from None
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs:
        pipeline, status = run.data.tags.get("pipeline", "unknown"), run.info.status
        raise ModelError(
            f"run {run_id} has no model (pipeline {pipeline}, {status}); finished runs of the supervised pipelines "
            "dbn, mlp, sae and forest_fires_classic have one"
        )
    model_id = outputs[-1].model_id
    return (
        f"models:/{model_id}",
        f"run {run_id}",
        client.get_logged_model(model_id).tags.get("model.sha256", ""),
    )


def _of_registry(
    client: MlflowClient, name: str, alias: str | None, number: str | None
) -> tuple[str, str, str]:
    from mlflow.exceptions import MlflowException

    names = [each.name for each in client.search_registered_models(max_results=1000)]
    if name not in names:
        known = nearest(name, names) if names else "; none is registered yet"
        raise ModelError(f"no model is registered as '{name}', and there is no such folder{known}")
    try:
        if number:
            version = client.get_model_version(name, number)
        else:
            version = client.get_model_version_by_alias(name, alias or CHAMPION)
    except MlflowException:
        aliases = client.get_registered_model(name).aliases
        if number:
            last = max((int(v.version) for v in client.search_model_versions(f"name='{name}'")), default=0)
            raise ModelError(f"'{name}' has no version {number}; the last one is {last}") from None
        raise ModelError(
            f"'{name}' has no alias '{alias or CHAMPION}'{nearest(alias or CHAMPION, list(aliases))}"
        ) from None
    address = f"models:/{version.model_id}" if version.model_id else f"models:/{name}/{version.version}"
    return address, f"{name} version {version.version}", version.tags.get("model.sha256", "")


def data_folder(folder: Path) -> Path:
    """Return where a model's own files are: the folder, or the part of an MLflow model that holds them.

    Raises:
        ModelError: it is no model, or an MLflow model that names code or holds files that are none of its own.
    """
    if (folder / MANIFEST_FILE).is_file():
        return folder
    if not (folder / "MLmodel").is_file():
        raise ModelError(f"{folder} holds no model: there is neither {MANIFEST_FILE} nor MLmodel")
    import yaml

    try:
        mlmodel = yaml.safe_load((folder / "MLmodel").read_text())
        flavor = mlmodel["flavors"]["python_function"]
        loader, data = str(flavor.get("loader_module")), folder / str(flavor.get("data"))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder / 'MLmodel'} cannot be read: {error}") from error
    wrong = ""
    if loader != LOADER_MODULE:
        wrong = f"MLmodel names another loader, {loader}"
    elif flavor.get("code"):
        wrong = f"MLmodel names code to run, {flavor['code']}"
    elif (
        data.parent.resolve() != (folder / "data").resolve() and data.resolve() != (folder / "data").resolve()
    ):
        wrong = "MLmodel names data outside of its folder"
    else:
        beside = {path.name for path in folder.iterdir()} - MLFLOW_FILES - {"data"}
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


def fingerprint(data_sha256: str, targets: Sequence[str], rows: Sequence[int]) -> str:
    """Return what tells one set of test rows from another: the file's hash, the targets, the rows' positions."""
    text = f"{data_sha256}|{','.join(targets)}|{','.join(map(str, rows))}"
    return hashlib.sha256(text.encode()).hexdigest()


def register(
    client: MlflowClient, manifest: ModelManifest, task: str, sha256: str, model_id: str, card: str
) -> str:
    """Register a model under its problem's name; move the champion if it is beaten on the same test rows.

    Returns:
        A sentence that says what was done.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

    name = manifest.problem
    try:
        champion = client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        champion = None
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            _create(client, name)
    metric, value = champion_metric(task, manifest.metrics)
    tags = {
        "pipeline": manifest.pipeline,
        "test.rows": manifest.test_rows_sha256,
        "test.metric": metric,
        "test.value": repr(value),
        "model.sha256": sha256,
    }
    made = client.create_model_version(
        name, f"models:/{model_id}", manifest.run_id, tags=tags, description=_short(card), model_id=model_id
    )
    # By this tag alone does the model's own page in the UI know that it is registered.
    client.set_logged_model_tags(
        model_id, {MLFLOW_MODEL_VERSIONS: json.dumps([{"name": name, "version": made.version}])}
    )
    said, moves = compare_with_champion(
        tags, champion.tags if champion else None, champion.version if champion else ""
    )
    if moves:
        client.set_registered_model_alias(name, CHAMPION, made.version)
    return f"Registered as {name} version {made.version}. {said}"


def _create(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description=f"Networks trained on the problem {name}.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def champion_metric(task: str, metrics: dict[str, Any]) -> tuple[str, float]:
    """Return the measure that a model of this task is judged by, and its value on the test rows."""
    name = CHAMPION_METRICS.get(task, "")
    # Test rows of one class have no AUC.
    name = name if name in metrics else next(iter(metrics), "")
    return name, float(metrics[name]["value"]) if name else float("nan")


def compare_with_champion(
    new: dict[str, str], champion: dict[str, str] | None, version: str
) -> tuple[str, bool]:
    """Return what to say of a new model beside the champion, and whether it takes its place.

    Args:
        new: the new version's tags.
        champion: those of the present champion; None if there is none.
        version: the champion's.
    """
    metric, value = new["test.metric"], float(new["test.value"])
    if champion is None:
        return f"It is the first champion ({metric} {value:.4f}).", True
    if champion.get("test.rows") != new["test.rows"]:
        return (
            f"The champion stays version {version}: it was measured on other test rows, so that the two cannot be "
            f"compared. `mlflow` sets the alias {CHAMPION} by hand.",
            False,
        )
    if champion.get("test.metric") != metric:
        return (
            f"The champion stays version {version}: it was compared by {champion.get('test.metric')}.",
            False,
        )
    old = float(champion["test.value"])
    beats = value < old if metric in LOWER_IS_BETTER else value > old
    if beats:
        return f"It is the new champion: {metric} {value:.4f} on the same test rows, after {old:.4f}.", True
    return (
        f"The champion stays version {version}: {metric} {old:.4f} on the same test rows, and {value:.4f} here.",
        False,
    )


def _short(card: str) -> str:
    """Return the card without its table of parameters, which the run has, in the length that the registry takes."""
    text = card.split("\n## Parameters")[0].rstrip() + "\n\nThe parameters are those of the run.\n"
    return text if len(text) <= MAX_CARD_LENGTH else text[: MAX_CARD_LENGTH - 2].rstrip() + "…\n"
