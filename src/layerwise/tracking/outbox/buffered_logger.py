"""A logger that sends metrics to an MLflow run, and buffers them in a file while the tracking server is away."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from layerwise.tracking.outbox.background import SendingThread
from layerwise.tracking.outbox.failures import StoreFailure, store_failure
from layerwise.tracking.outbox.records import (
    LOCK,
    Record,
    count_records,
    file_stamp,
    read_records,
    send_records,
    with_a_copy,
    write_records,
)
from layerwise.tracking.outbox.retries import try_again
from layerwise.utils import MetricNames, delay_signals

if TYPE_CHECKING:
    from mlflow import MlflowClient

# One call costs about 25 ms, so an epoch of a tenth of a second cannot have one of its own.
FLUSH_SECONDS = 2.0
# A server that is away is tried again this often, and less often where a try itself takes long.
RETRY_SECONDS = 5.0
RETRY_FACTOR = 10.0
# What cannot be buffered is tried again after these, also where another process has locked its store.
ATTEMPT_PAUSES = (1.0, 3.0)
ATTEMPT_KINDS = ("busy", "locked")
log = logging.getLogger(__name__)


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
        in_background: send in a thread beside training.
    """

    def __init__(
        self,
        client: MlflowClient,
        run_id: str,
        offline_buffer: Path,
        uri: str = "",
        already_logged: Collection[tuple[str, int]] = (),
        in_background: bool = False,
    ) -> None:
        self.client, self.run_id, self.offline_buffer, self.uri = client, run_id, offline_buffer, uri
        self.already_logged = set(already_logged)
        self.connection_dropped = False
        self._pending: list[Record] = []
        # What could not even be written to the file.
        self._unwritten: list[Record] = []
        self._files_refused = False
        self._outbox_lock: FileLock | None = None
        self._sent = self._last_try = self._pause = 0.0
        self._names = MetricNames()
        self._lock = threading.Lock()
        # Of each thread its own, unless it was started in the context of another one.
        self._prefix = ContextVar("prefix", default="")
        self._measured_on: ContextVar[dict[str, str] | None] = ContextVar("measured_on", default=None)
        self._sender = SendingThread(self._deliver) if in_background else None

    def set_prefix(self, prefix: str) -> None:
        """Begin the names of the metrics that come from this thread from now on with a prefix, such as `dbn/`."""
        self._prefix.set(prefix)

    def set_measured_on(self, measured_on: Mapping[str, str]) -> None:
        """Say of which model and rows the metrics of test rows are that come from this thread from now on.

        Args:
            measured_on: as MLflow's `Metric` takes it: `model_id`, `dataset_name`, `dataset_digest`, as far as known.
        """
        self._measured_on.set(dict(measured_on))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None:
        """Take named metrics; they are sent soon."""
        now, at, prefix = int(time.time() * 1000), step or 0, self._prefix.get()
        measured_on = self._measured_on.get() or {}
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
            self.send_pending()

    def send_pending(self) -> None:
        """Send the pending metrics, beside training without waiting for them."""
        with self._lock:
            pending, self._pending = self._pending, []
            self._sent = time.monotonic()
        if pending:
            self._send(pending)
        elif self.connection_dropped:
            self._wait()
            self.reconnect()

    def flush(self) -> None:
        """Send the pending metrics; the server has them afterwards, or they are kept."""
        self.send_pending()
        self._wait()

    def _wait(self) -> None:
        if self._sender is not None:
            self._sender.wait()

    def log_file(self, path: str, folder: str) -> None:
        """Store a copy of a file under a folder of the artifacts; an empty name is the top."""
        self._send([{"file": path, "folder": folder, "stamp": file_stamp(path)}])

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
        """Do what cannot be buffered, again after a while if that may help; False when its store does not take it.

        An error that is no store's is a defect, and is raised.
        """
        self._wait()
        if self.connection_dropped and not self.reconnect(at_once=True):
            return False
        began = time.monotonic()
        try:
            try_again(delay_signals()(call), ATTEMPT_PAUSES, ATTEMPT_KINDS)
        except Exception as error:
            failure = store_failure(error)
            if failure is None:
                raise
            if failure.kind == "away":
                self._drop(error, began)
            else:
                log.warning("Not everything of this run could be stored: %s", failure)
            return False
        return True

    def close(self, status: str | None) -> None:
        """Send the pending metrics and set the run's status: FINISHED, FAILED or KILLED; None leaves it as it is."""
        self._wait()
        self._last_try = 0.0
        self.flush()
        if self._files_refused and not self.connection_dropped:
            with suppress(Exception):  # they are kept
                self._files_refused = bool(self._resend()[1])
        if status is not None:
            self._deliver([{"status": status, "end": int(time.time() * 1000)}])
        if self.connection_dropped:
            log.warning(
                "The tracking server is still away. The rest of run %s%s is in %s; the next command of this project "
                "sends it",
                self.run_id,
                "" if status is None else f", its status {status} with it,",
                self.offline_buffer,
            )
        self.release()

    def release(self) -> None:
        """Leave what is kept to the next command."""
        if self._outbox_lock is not None:
            self._outbox_lock.release()
            self._outbox_lock = None

    def reconnect(self, at_once: bool = False) -> bool:
        """Try a server that was away, and send what was buffered; False when it is still away."""
        if not at_once and time.monotonic() - self._last_try < self._pause:
            return False
        began = time.monotonic()
        try:
            self.client.get_run(self.run_id)  # the buffer may be empty, and then nothing else asks the server
            buffered, left = self._resend()
        except Exception:
            self._wait_longer(began)
            return False
        self._files_refused = bool(left)
        self.connection_dropped = False
        log.warning("The tracking server is back, and has what was kept for it: %s", count_records(buffered))
        return True

    def _resend(self) -> tuple[list[Record], list[Record]]:
        """Send what was kept; return it, and those of its files that are kept on."""
        head, kept = read_records(self.offline_buffer)
        kept += self._unwritten
        left = send_records(self.client, self.run_id, kept)
        self._unwritten = []
        try:
            write_records(self.offline_buffer, [head, *left] if left else [])
        except OSError:
            self.offline_buffer.unlink(missing_ok=True)
            self._unwritten = left
        return kept, left

    def _send(self, records: list[Record]) -> None:
        if self._sender is None:
            self._deliver(records)
        else:
            self._sender.put(records)

    def _deliver(self, records: list[Record]) -> None:
        if self.connection_dropped and not self.reconnect():
            self._buffer(records)
            return
        held = [record for record in records if "file" in record] if self._files_refused else []
        began = time.monotonic()
        try:
            left = send_records(self.client, self.run_id, [each for each in records if each not in held])
        except Exception as error:
            self._drop(error, began)
            self._buffer(records)
            return
        if held or left:
            self._files_refused = True
            self._buffer(held + left)

    def hold(self) -> Path:
        """Return the folder of what is kept for a later command, which leaves it alone while this run is under way."""
        folder = self.offline_buffer.parent
        folder.mkdir(parents=True, exist_ok=True)
        if self._outbox_lock is None:
            # Whichever thread closes the run gives the lock up; a forked worker has its parent's.
            self._outbox_lock = FileLock(folder / LOCK, thread_local=False)
            with suppress(Timeout):
                self._outbox_lock.acquire(blocking=False)
        return folder

    def _buffer(self, records: list[Record]) -> None:
        with suppress(OSError):
            folder = self.hold()
            records = [with_a_copy(record, folder) if "file" in record else record for record in records]
        try:
            self.hold()
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

    def _drop(self, error: Exception, began: float) -> None:
        """Count the server as away, and say so once."""
        if not self.connection_dropped:
            failure = store_failure(error) or StoreFailure("unknown", str(error)[:200])
            log.warning(
                "The tracking server %s: %s. Training goes on; metrics are kept in %s",
                "is gone" if failure.kind == "away" else "cannot be used",
                failure,
                self.offline_buffer,
            )
        self.connection_dropped = True
        self._wait_longer(began)

    def _wait_longer(self, began: float) -> None:
        self._last_try = time.monotonic()
        self._pause = max(RETRY_SECONDS, RETRY_FACTOR * (self._last_try - began))
