"""A logger that sends metrics to an MLflow run, and buffers them in a file while the tracking server is away."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.utils import MetricNames, delay_signals

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

# One call costs about 25 ms, so an epoch of a tenth of a second cannot have one of its own.
FLUSH_SECONDS = 2.0
# A server that is away is tried again this often, and less often where a try itself takes long.
RETRY_SECONDS = 5.0
RETRY_FACTOR = 10.0
MEASURED_ON = ("model_id", "dataset_name", "dataset_digest")
log = logging.getLogger(__name__)
Record = dict[str, Any]


class BufferedRunLogger:
    """Send what training reports to one MLflow run.

    Metrics are collected and sent every two seconds at most, in one call. While the server is away, training goes on:
    everything is written to a file, the server is tried again every few seconds, and what was buffered is sent when it
    answers. The log says so once each way.

    Args:
        client: talks to the server.
        run_id: the run.
        offline_buffer: the file for what cannot be sent.
        uri: of the server; a later run sends the file to no other one.
        already_logged: (name, step) of the metrics that the run already has, when it goes on from a checkpoint.
    """

    def __init__(
        self,
        client: MlflowClient,
        run_id: str,
        offline_buffer: Path,
        uri: str = "",
        already_logged: Collection[tuple[str, int]] = (),
    ) -> None:
        self.client, self.run_id, self.offline_buffer, self.uri = client, run_id, offline_buffer, uri
        self.already_logged = set(already_logged)
        self.connection_dropped = False
        self._pending: list[Record] = []
        # What could not even be written to the file.
        self._unwritten: list[Record] = []
        self._sent = self._last_try = self._pause = 0.0
        self._names = MetricNames()
        self._lock = threading.Lock()
        self._thread = threading.local()

    def set_prefix(self, prefix: str) -> None:
        """Begin the names of the metrics that come from this thread from now on with a prefix, such as `dbn/`."""
        self._thread.prefix = prefix

    def set_measured_on(self, measured_on: Mapping[str, str]) -> None:
        """Say of which model and rows the metrics of test rows are that come from this thread from now on.

        Args:
            measured_on: as MLflow's `Metric` takes it: `model_id`, `dataset_name`, `dataset_digest`, as far as known.
        """
        self._thread.measured_on = dict(measured_on)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None:
        """Take named metrics; they are sent soon."""
        now, at, prefix = int(time.time() * 1000), step or 0, getattr(self._thread, "prefix", "")
        measured_on = getattr(self._thread, "measured_on", {})
        with self._lock:
            self._pending += [
                {
                    "key": self._names.allowed(prefix + name),
                    "value": float(value),
                    "step": at,
                    "timestamp": now,
                }
                | (measured_on if name.startswith("test/") else {})
                for name, value in metrics.items()
                if (self._names.allowed(prefix + name), at) not in self.already_logged
            ]
        if time.monotonic() - self._sent > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the pending metrics."""
        with self._lock:
            pending, self._pending = self._pending, []
            self._sent = time.monotonic()
        if pending:
            self._send(pending)
        elif self.connection_dropped:
            self.reconnect()

    def log_file(self, path: str, folder: str) -> None:
        """Store a copy of a file under a folder of the artifacts; an empty name is the top."""
        self._send([{"file": path, "folder": folder, "stamp": _file_stamp(path)}])

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self._send([{"tags": {name: str(value) for name, value in tags.items()}}])

    def log_datasets(self, datasets: list[dict[str, str]]) -> None:
        """Store the data sets that the run learns from and is measured on (`describe_datasets`)."""
        self._send([{"datasets": datasets}])

    def log_params(self, params: Mapping[str, str]) -> None:
        """Store the run's parameters."""
        self._send([{"params": dict(params)}])

    def attempt(self, call: Callable[[], Any]) -> bool:
        """Do what cannot be buffered; False when the server is away.

        An error while the server answers is a defect, and is raised.
        """
        if self.connection_dropped and not self.reconnect(at_once=True):
            return False
        try:
            with delay_signals():
                call()
        except Exception as error:
            if self._try(lambda: self.client.get_run(self.run_id)):
                raise
            log.warning("Not everything of this run could be stored with the tracking server (%s)", error)
            return False
        return True

    def close(self, status: str) -> None:
        """Send the pending metrics and set the run's status: FINISHED, FAILED or KILLED."""
        self._last_try = 0.0
        self.flush()
        self._send([{"status": status, "end": int(time.time() * 1000)}])
        if self.connection_dropped:
            log.warning(
                "The tracking server is still away. The rest of run %s, its status %s with it, is in %s; the next run "
                "of the same problem and pipeline sends it",
                self.run_id,
                status,
                self.offline_buffer,
            )

    def reconnect(self, at_once: bool = False) -> bool:
        """Try a server that was away, and send what was buffered; False when it is still away."""
        if not at_once and time.monotonic() - self._last_try < self._pause:
            return False
        began = time.monotonic()
        try:
            buffered = _read(self.offline_buffer)[1] + self._unwritten
            self.client.get_run(self.run_id)  # the buffer may be empty, and then nothing else asks the server
            send_records(self.client, self.run_id, buffered)
        except Exception:
            self._wait_longer(began)
            return False
        self.offline_buffer.unlink(missing_ok=True)
        self._unwritten.clear()
        self.connection_dropped = False
        log.warning("The tracking server is back, and has what was kept for it: %s", _count(buffered))
        return True

    def _send(self, records: list[Record]) -> None:
        if (self.connection_dropped and not self.reconnect()) or not self._try(
            lambda: send_records(self.client, self.run_id, records)
        ):
            self._buffer(records)

    def _buffer(self, records: list[Record]) -> None:
        try:
            self.offline_buffer.parent.mkdir(parents=True, exist_ok=True)
            with self.offline_buffer.open("a") as file:
                if file.tell() == 0:
                    records = [{"run_id": self.run_id, "uri": self.uri}, *self._unwritten, *records]
                    self._unwritten = []
                file.write("".join(json.dumps(record) + "\n" for record in records))
        except OSError as error:
            if not self._unwritten:
                log.warning(
                    "%s cannot be written either (%s); what is reported stays in memory",
                    self.offline_buffer,
                    error,
                )
            self._unwritten += records

    def _try(self, call: Callable[[], Any]) -> bool:
        began = time.monotonic()
        try:
            call()
        except Exception as error:
            if not self.connection_dropped:
                log.warning(
                    "The tracking server is gone (%s). Training goes on; metrics are kept in %s",
                    (str(error).splitlines() or [repr(error)])[0][:200],
                    self.offline_buffer,
                )
            self.connection_dropped = True
            self._wait_longer(began)
            return False
        return True

    def _wait_longer(self, began: float) -> None:
        self._last_try = time.monotonic()
        self._pause = max(RETRY_SECONDS, RETRY_FACTOR * (self._last_try - began))


@delay_signals()
def send_records(client: MlflowClient, run_id: str, records: list[Record]) -> None:
    """Send records to a run, in their order but for metrics, which go together."""
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
        elif "file" in record:
            # A file that another run has replaced since is not this run's.
            if record["stamp"] == _file_stamp(record["file"]):
                client.log_artifact(run_id, record["file"], record["folder"] or None)
        elif "status" in record:
            client.set_terminated(run_id, record["status"], record["end"])


def _dataset_input(record: Mapping[str, str]) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    fields = {name: value for name, value in record.items() if name != "context"}
    return DatasetInput(Dataset(**fields), [InputTag("mlflow.data.context", record["context"])])


def send_buffered(client: MlflowClient, uri: str, folder: Path) -> None:
    """Send what earlier runs buffered in a folder while this server was away."""
    for path in sorted(folder.glob("metrics_*.jsonl")):
        head, records = _read(path)
        if head.get("uri") != uri:
            continue
        try:
            send_records(client, head["run_id"], records)
        except Exception as error:
            log.warning("What run %s kept in %s could not be sent: %s", head["run_id"], path, error)
            continue
        path.unlink(missing_ok=True)
        log.info("The tracking server has what run %s kept for it: %s", head["run_id"], _count(records))


def _read(path: Path) -> tuple[Record, list[Record]]:
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


def _count(records: list[Record]) -> str:
    return f"{sum('key' in r for r in records)} metrics, {sum('file' in r for r in records)} files"


def _file_stamp(path: str) -> list[int]:
    try:
        found = os.stat(path)
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]
