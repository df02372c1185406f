"""Copies of a run's outputs in MLflow, and what an earlier part of the run has logged."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from layerwise.checkpointing import LAYERS, MARK_TAG
from layerwise.evaluation.reports import render_html_report
from layerwise.tracking.environment import pipeline_of
from layerwise.tracking.outbox.background import upload_folder
from layerwise.utils import Location, MissingFileError, atomic_write

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

# In a pipeline's folder of reports: the names of the files there that its runs wrote.
WRITTEN = ".written.json"

# What the files say of the entries of each catalog. Kedro tries all patterns for each question, and a run asks often.
_configs: WeakKeyDictionary[Any, dict[str, dict[str, Any]]] = WeakKeyDictionary()


def logged_metrics(client: MlflowClient, run_id: str) -> set[tuple[str, int]]:
    """Return the name and step of every metric that the run has."""
    names = client.get_run(run_id).data.metrics
    return {(name, metric.step) for name in names for metric in client.get_metric_history(run_id, name)}


def mark_killed(client: MlflowClient, runs: Iterable[Mapping[str, Any]]) -> None:
    """Set the status of runs whose process died without reporting it, and of their models."""
    from layerwise.tracking.model_logging import give_up_models

    for run in runs:
        with suppress(Exception):  # its experiment may be gone; this run is not the worse for it
            if client.get_run(run["run_id"]).info.status == "RUNNING":
                give_up_models(client, run["run_id"])
                client.set_terminated(run["run_id"], "KILLED")
                log.info("Run %s, which died, is marked as killed", run["run_id"])


def find_lost(client: MlflowClient, run_id: str, mark: str) -> list[dict[str, str]]:
    """Return the run whose process died before it could write down its id, by its mark; an empty mark is none's."""
    if not mark:
        return []
    with suppress(Exception):  # of another server
        experiment = client.get_run(run_id).info.experiment_id
        found = client.search_runs([experiment], f"tags.{MARK_TAG} = '{mark}'")
        return [{"run_id": run.info.run_id} for run in found]
    return []


def is_model(catalog: CatalogProtocol[Any, Any], name: str) -> bool:
    """Whether an entry is what its pipeline trains: the catalog says `metadata: {mlflow: {model: true}}`."""
    metadata = _entry_config(catalog, name).get("metadata") or {}
    return bool((metadata.get("mlflow") or {}).get("model"))


def artifact_files(catalog: CatalogProtocol[Any, Any], name: str) -> tuple[str, list[Path]] | None:
    """Return the artifact folder that an entry's metadata names, and the files that the entry wrote; None without one.

    The catalog says it as `metadata: {mlflow: {artifact_path: figures}}`; an empty path is the run's own folder.
    """
    config = _entry_config(catalog, name)
    folder = ((config.get("metadata") or {}).get("mlflow") or {}).get("artifact_path")
    path = None if folder is None else entry_path(catalog, name)
    if folder is None or path is None:
        return None
    return folder, sorted(path.iterdir()) if path.is_dir() else [path]


def entry_path(catalog: CatalogProtocol[Any, Any], name: str) -> Path | None:
    """Return the file or folder that an entry wrote, of one elsewhere a copy; None for an entry in memory."""
    location = _location(catalog, name)
    if location is None:
        return None
    if _entry_config(catalog, name).get("versioned"):
        dataset: Any = catalog.get(name)
        location = location / f"{dataset.resolve_load_version()}/{location.name}"
    try:
        path = location.local_path()
    except MissingFileError:
        return None
    return path if path.exists() else None


def _location(catalog: CatalogProtocol[Any, Any], name: str) -> Location | None:
    config = _entry_config(catalog, name)
    if not config.get("filepath"):
        return None
    return Location(config["filepath"], config.get("credentials"), config.get("fs_args"))


def _entry_config(catalog: Any, name: str) -> dict[str, Any]:
    """Return what the catalog's files say of an entry, with its pattern filled in."""
    resolver = catalog.config_resolver
    known = _configs.setdefault(resolver, {})
    if name not in known:
        known[name] = resolver.resolve_pattern(name)
    return known[name]


def write_html_report(
    catalog: CatalogProtocol[Any, Any],
    names: Collection[str],
    title: str,
    facts: Mapping[str, str],
    folder: Path,
) -> Path | None:
    """Write one page of a pipeline's texts with its figures, beside them; return it, None if there are no texts.

    Args:
        catalog: of the run.
        names: the pipeline's outputs.
        title: of the page.
        facts: what the run is, by name.
        folder: of the pipeline's reports.
    """
    found = (artifact_files(catalog, name) for name in sorted(names))
    files = [(where, file) for where, own in filter(None, found) for file in own]
    texts = [file for _, file in files if file.suffix == ".md"]
    if not texts:
        return None
    others = [f"{where}/{file.name}".lstrip("/") for where, file in files if file.suffix != ".md"]
    figures = [each for each in others if "/" in each]
    # The model card first: it has the results.
    texts.sort(key=lambda file: (file.stem != "model_card", file.stem))
    page = render_html_report(
        title,
        facts,
        [file.read_text(encoding="utf-8") for file in texts],
        figures,
        [each for each in others if "/" not in each],
    )
    target = folder / "report.html"
    with atomic_write(target) as part:
        part.write_text(page, encoding="utf-8")
    return target


def remove_earlier_reports(
    catalog: CatalogProtocol[Any, Any], names: Collection[str], page: Path | None, folder: Path, whole: bool
) -> None:
    """Remove reports of earlier runs that this one has no use for: another variant's figures lie among its own.

    What no run is known to have written stays.

    Args:
        catalog: of the run.
        names: the pipeline's outputs.
        page: of the run, if there is one.
        folder: of the pipeline's reports.
        whole: the run had all nodes of its pipeline; the others' reports stay after one that had not.
    """
    locations = {name: _location(catalog, name) for name in names}
    local = [name for name, location in locations.items() if location and not location.is_remote]
    paths = {page, *(entry_path(catalog, name) for name in local)}
    own = {path.name for path in paths if path is not None and path.parent == folder and path.is_file()}
    record = folder / WRITTEN
    earlier = set(json.loads(record.read_text())) if record.is_file() else set()
    left = earlier - own if whole else set()
    for name in left:
        (folder / Path(name).name).unlink(missing_ok=True)
    if own or left:
        with atomic_write(record) as part:
            part.write_text(json.dumps(sorted(own | earlier - left)))


def copy_outputs(catalog: CatalogProtocol[Any, Any], names: Collection[str], data: Path, into: Path) -> None:
    """Copy the networks, outputs and metrics that a run wrote, but nothing that the run has as an artifact already.

    What was written elsewhere stays there alone.

    Those of several pipelines lie in a folder for each.
    """
    pipelines = {pipeline_of(name) for name in names}
    for name in sorted(names):
        location = _location(catalog, name)
        if location is None or location.is_remote:
            continue
        path = entry_path(catalog, name)
        if path is None or not path.is_relative_to(data) or artifact_files(catalog, name):
            continue
        relative = path.relative_to(data)
        if relative.parts[0] not in LAYERS:
            continue
        own = into / pipeline_of(name) if len(pipelines) > 1 else into
        target = own / relative.parts[0] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, target)


def log_outputs(
    client: MlflowClient, run_id: str, catalog: CatalogProtocol[Any, Any], names: Collection[str], data: Path
) -> None:
    """Keep a copy of the run's outputs with the run, since the next one of this problem and pipeline replaces them."""
    with tempfile.TemporaryDirectory() as directory:
        copy_outputs(catalog, names, data, Path(directory))
        if any(Path(directory).iterdir()):
            upload_folder(client, "run", run_id, Path(directory), "outputs")
