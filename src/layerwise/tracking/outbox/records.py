"""What a run reports, as records: sent to the tracking server, or kept in a file until a later command sends them.

A record is a metric, tags, parameters, data sets, a file for the artifacts, or the run's status. Files go to another
store than the rest, and may fail alone.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.tracking.outbox.background import upload_all
from layerwise.tracking.outbox.failures import store_failure
from layerwise.utils import atomic_write, delay_signals

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Param, RunTag

# Held while the run that keeps something is under way.
LOCK = "lock"
# The tag of a run that waits for a later command to store the rest of it.
WAITING_TAG = "outbox"
MEASURED_ON = ("model_id", "dataset_name", "dataset_digest")
log = logging.getLogger(__name__)
Record = dict[str, Any]


def outbox(project: Path) -> Path:
    """Return where a project keeps what could not be stored."""
    return project / "data" / "outbox"


def records_file(root: Path, run_id: str) -> Path:
    """Return the file of a run's records in the outbox."""
    return root / run_id / "records.jsonl"


@delay_signals()
def send_records(client: MlflowClient, run_id: str, records: list[Record]) -> list[Record]:
    """Send records to a run, the small ones together, then the data sets, the files, and the status.

    Returns:
        The records of files that their store did not take, while the tracking server takes the rest.
    """
    from mlflow.entities import Metric, Param, RunTag

    metrics = [
        Metric(r["key"], r["value"], r["timestamp"], r["step"], *(r.get(name) for name in MEASURED_ON))
        for r in records
        if "key" in r
    ]
    params = [Param(*each) for record in records for each in _params(record)]
    tags = {name: value for record in records for name, value in record.get("tags", {}).items()}
    _send_batches(client, run_id, metrics, params, [RunTag(*each) for each in tags.items()])
    for record in records:
        if "datasets" in record:
            client.log_inputs(run_id, [_dataset_input(each) for each in record["datasets"]])
    left = _send_files(client, run_id, [record for record in records if "file" in record])
    for record in records:
        if "status" in record:
            client.set_terminated(run_id, record["status"], record["end"])
    return left


def _params(record: Record) -> Iterator[tuple[str, str]]:
    for name, value in record.get("params", {}).items():
        yield name, value[:6000]


def _send_batches(
    client: MlflowClient, run_id: str, metrics: list[Metric], params: list[Param], tags: list[RunTag]
) -> None:
    """Send all in as few calls as MLflow takes: a thousand things in one, a hundred of them parameters or tags."""
    while metrics or params or tags:
        batch: dict[str, Any] = {"metrics": metrics[:800], "params": params[:100], "tags": tags[:100]}
        client.log_batch(run_id, **{name: each for name, each in batch.items() if each})
        metrics, params, tags = metrics[800:], params[100:], tags[100:]


def _send_files(client: MlflowClient, run_id: str, records: list[Record]) -> list[Record]:
    """Store files; return those that their store did not take."""
    # A file that another run has replaced since is not this run's.
    records = [record for record in records if record["stamp"] == file_stamp(record["file"])]
    uploads = [
        partial(client.log_artifact, run_id, record["file"], record["folder"] or None) for record in records
    ]
    errors = upload_all(client, uploads)
    failures = [None if error is None else store_failure(error) for error in errors]
    for error, failure in zip(errors, failures, strict=True):
        if error is not None and failure is None:
            raise error
    left = [record for record, failure in zip(records, failures, strict=True) if failure is not None]
    if left:
        client.get_run(run_id)  # raises where the server is away with its files
        log.warning(
            "The files of run %s cannot be stored with it: %s. They are kept for the next command",
            run_id,
            next(failure for failure in failures if failure is not None),
        )
    return left


def _dataset_input(record: Mapping[str, str]) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    fields = {name: value for name, value in record.items() if name != "context"}
    return DatasetInput(Dataset(**fields), [InputTag("mlflow.data.context", record["context"])])


def read_records(path: Path) -> tuple[Record, list[Record]]:
    """Return the head of a file of records, which names its run and server, and the records."""
    found = list(_read_lines(path))
    head = found[0] if found and "uri" in found[0] else {}
    return head, found[1:] if head else found


def _read_lines(path: Path) -> Iterator[Record]:
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:  # the process died within a line
            continue


def write_records(path: Path, records: list[Record]) -> None:
    """Write a file of records anew; without any it goes."""
    if not records:
        path.unlink(missing_ok=True)
        return
    with atomic_write(path) as part:
        part.write_text("".join(json.dumps(record) + "\n" for record in records))


def count_records(records: list[Record]) -> str:
    """Return how many metrics and files there are, for a message."""
    return f"{sum('key' in r for r in records)} metrics, {sum('file' in r for r in records)} files"


def file_stamp(path: str) -> list[int]:
    """Return what changes when a file is replaced; empty where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def with_a_copy(record: Record, folder: Path) -> Record:
    """Return the record of a file with a copy in its place, if there is room: the next run replaces the file."""
    with suppress(OSError):
        # A folder of its own: worker processes, and a run that goes on, keep files of the same names.
        target = folder / "files" / uuid.uuid4().hex / Path(record["file"]).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(record["file"], target)
        return {**record, "file": str(target), "stamp": file_stamp(str(target))}
    return record
