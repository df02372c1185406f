"""Runs of MLflow: a new one under its problem's experiment, an interrupted one opened again, and runs below a run."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.tracking.environment import configure_mlflow
from layerwise.tracking.outbox import check_database, retrying_client, send_records, store_failure
from layerwise.tracking.run_outputs import logged_metrics
from layerwise.utils import ResumeError, UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from layerwise.evaluation.metrics import ChildRun

# By which MLflow's UI knows that the experiment is no language model's.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
PARENT = "mlflow.parentRunId"
# What a child has in common with its parent.
SHARED_TAGS = (
    "mlflow.user",
    "mlflow.source.name",
    "mlflow.source.type",
    "mlflow.source.git.commit",
    "problem",
)


class TrackingError(UserError, RuntimeError):
    """The tracking server cannot be used; the message says how to go on without it."""


def open_run(
    uri: str, project: Path, experiment: str, name: str, tags: Mapping[str, str], earlier: str | None
) -> tuple[MlflowClient, str, str]:
    """Return a client, the id of the run that this command is, and the status that the run had before.

    Args:
        uri: of the tracking server.
        project: the project's folder.
        experiment: its name, the problem's.
        name: of a new run.
        tags: of a new run.
        earlier: the id of the run to go on with; None for a new one, whose status counts as FAILED.

    Raises:
        TrackingError: the server cannot be used.
        ResumeError: there is no such earlier run.
    """
    with _usable(uri) as client:
        if earlier is not None:
            return client, earlier, _reopen(client, earlier, uri)
        found = client.get_experiment_by_name(experiment)
        experiment_id = found.experiment_id if found else _create_experiment(client, uri, project, experiment)
        run = client.create_run(experiment_id, run_name=name, tags=dict(tags))
    return client, run.info.run_id, "FAILED"


def join_run(uri: str, run_id: str) -> MlflowClient:
    """Return a client for an opened run, which another process began and which is under way.

    Args:
        uri: of the tracking server.
        run_id: the run.

    Raises:
        TrackingError: the server cannot be used.
        ResumeError: there is no such run, or it has ended.
    """
    with _usable(uri) as client:
        status = _find(client, run_id, uri).info.status
    if status != "RUNNING":
        raise ResumeError(f"run {run_id} is {status} in MLflow: kedro run-begin opens a new one")
    return client


@contextmanager
def _usable(uri: str) -> Iterator[MlflowClient]:
    """Yield a client; say in a sentence where the server cannot be used."""
    configure_mlflow()
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        check_database(uri)
        yield retrying_client(uri)
    except Exception as error:
        failure = store_failure(error)
        if failure is None:
            raise
        raise TrackingError(
            f"The tracking server at {uri} cannot be used: {failure}. Or unset MLFLOW_TRACKING_URI to track into "
            "mlflow.db"
        ) from None


def _find(client: MlflowClient, run_id: str, uri: str) -> Run:
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise ResumeError(
            f"run {run_id} is not known to {uri}: set MLFLOW_TRACKING_URI as it was then"
        ) from None
    if run.info.lifecycle_stage == "deleted":
        raise ResumeError(f"run {run_id} was deleted in MLflow: restore it there, or start a new run")
    return run


def _reopen(client: MlflowClient, run_id: str, uri: str) -> str:
    """Open the run again, and remove the error that it ended with; return the status that it had."""
    run = _find(client, run_id, uri)
    client.update_run(run_id, status="RUNNING")
    client.set_tag(run_id, "resumed", str(int(run.data.tags.get("resumed", 0)) + 1))
    if "error" in run.data.tags:
        client.delete_tag(run_id, "error")
    return str(run.info.status)


def _create_experiment(client: MlflowClient, uri: str, project: Path, name: str) -> str:
    from mlflow.exceptions import MlflowException

    artifact_location = None if uri.startswith("http") else (project / "mlruns").as_uri()
    if os.environ.get("LAYERWISE_ARTIFACTS"):
        artifact_location = f"{os.environ['LAYERWISE_ARTIFACTS'].rstrip('/')}/{name}"
    try:
        return str(client.create_experiment(name, artifact_location, tags=EXPERIMENT_TAGS))
    except MlflowException:  # another run made it in the meantime
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def watch_system(run_id: str, uri: str, resumed: bool) -> Any:
    """Return MLflow's monitor of processor, memory, disk, network and GPU, which logs until its `finish` is called.

    Args:
        run_id: the run.
        uri: of the tracking server.
        resumed: whether the run has such metrics already, whose steps go on.
    """
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    logging.getLogger("mlflow.system_metrics").setLevel(logging.WARNING)
    monitor = SystemMetricsMonitor(run_id, resume_logging=resumed, tracking_uri=uri)
    monitor.start()
    return monitor


def log_child_runs(client: MlflowClient, run_id: str, children: Sequence[ChildRun], kind: str) -> None:
    """Log runs below a run, each finished; one that is there already, from before the run was cut off, is completed.

    Args:
        client: of the tracking server.
        run_id: the run above them.
        children: what they are.
        kind: of children, by which those of one run are told apart, such as `mlp.cross_validation`.
    """
    parent = client.get_run(run_id)
    known = _known(client, parent.info.experiment_id, run_id, kind)
    end = int(time.time() * 1000)
    for child in children:
        start = end - int(1000 * child.seconds)
        own = known.get(child.name) or open_child_run(client, parent, child.name, {"child_of": kind}, start)
        there = logged_metrics(client, own)
        metrics = [
            {"key": row.name, "value": row.value, "step": row.step or 0, "timestamp": end}
            for row in child.metrics
            if (row.name, row.step or 0) not in there
        ]
        records: list[dict[str, Any]] = [
            {"params": child.parameters},
            *metrics,
            {"status": "FINISHED", "end": end},
        ]
        send_records(client, own, records)


def open_child_run(
    client: MlflowClient, parent: Run, name: str, tags: Mapping[str, str], start: int | None = None
) -> str:
    """Return the id of a new run below a run, of its experiment and with the tags that both have.

    Args:
        client: of the tracking server.
        parent: the run above it.
        name: of the new run.
        tags: of its own.
        start: when it began, in milliseconds; None for now.
    """
    shared = {each: parent.data.tags[each] for each in SHARED_TAGS if each in parent.data.tags}
    run = client.create_run(
        parent.info.experiment_id,
        start_time=start,
        run_name=name,
        tags=shared | {PARENT: parent.info.run_id} | dict(tags),
    )
    return str(run.info.run_id)


def _known(client: MlflowClient, experiment: str, run_id: str, kind: str) -> Mapping[str, str]:
    """Return the ids of the children that there are, by name."""
    found = client.search_runs(
        [experiment], f"tags.`{PARENT}` = '{run_id}' and tags.child_of = '{kind}'", max_results=1000
    )
    return {str(run.info.run_name): str(run.info.run_id) for run in found}
