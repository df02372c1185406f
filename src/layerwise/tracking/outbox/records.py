"""What a run reports, as records: sent to the tracking server, or kept in a file until a later command sends them.

A record is a metric, tags, parameters, data sets, a file for the artifacts, or the run's status. Files go to another
store than the rest, and may fail alone.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.tracking.outbox.failures import store_failure
from layerwise.utils import atomic_write, delay_signals

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

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
    """Send records to a run, in their order but for metrics, which go together, files, and the status, which is last.

    Returns:
        The records of files that their store did not take, while the tracking server takes the rest.
    """
    from mlflow.entities import Metric, Param, RunTag

    metrics = [
        Metric(r["key"], r["value"], r["timestamp"], r["step"], *(r.get(name) for name in MEASURED_ON))
        for r in records
        if "key" in r
    ]
    for start in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[start : start + 1000])
    for record in records:
        if "tags" in record:
            client.log_batch(run_id, tags=[RunTag(name, value) for name, value in record["tags"].items()])
        elif "datasets" in record:
            client.log_inputs(run_id, [_dataset_input(each) for each in record["datasets"]])
        elif "params" in record:
            params = [Param(name, value[:6000]) for name, value in record["params"].items()]
            for start in range(0, len(params), 100):
                client.log_batch(run_id, params=params[start : start + 100])
    left = _send_files(client, run_id, [record for record in records if "file" in record])
    for record in records:
        if "status" in record:
            client.set_terminated(run_id, record["status"], record["end"])
    return left


def _send_files(client: MlflowClient, run_id: str, records: list[Record]) -> list[Record]:
    """Store files; return those that their store did not take."""
    for k, record in enumerate(records):
        # A file that another run has replaced since is not this run's.
        if record["stamp"] != file_stamp(record["file"]):
            continue
        try:
            client.log_artifact(run_id, record["file"], record["folder"] or None)
        except Exception as error:
            failure = store_failure(error)
            if failure is None:
                raise
            client.get_run(run_id)  # raises where the server is away with its files
            log.warning(
                "The files of run %s cannot be stored with it: %s. They are kept for the next command",
                run_id,
                failure,
            )
            return records[k:]
    return []


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
