"""What training reports, sent to one MLflow run."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient

# One call costs about 25 ms, so an epoch of a tenth of a second cannot have one of its own.
FLUSH_SECONDS = 2.0
log = logging.getLogger(__name__)


class RunReceiver:
    """Send what training reports to one MLflow run.

    Metrics are gathered and sent every two seconds at most, in one call. When the server is gone, training goes on:
    metrics are written to a file and the log says so once.

    Args:
        client: talks to the server.
        run_id: the run.
        refuge: the file that takes the metrics when the server is gone.
    """

    def __init__(self, client: MlflowClient, run_id: str, refuge: Path) -> None:
        self.client, self.run_id, self.refuge = client, run_id, refuge
        self.lost = False
        self._waiting: list[Any] = []
        self._sent = 0.0
        self._lock = threading.Lock()

    def log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None:
        """Take named numbers; they are sent soon."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        with self._lock:
            self._waiting += [Metric(name, float(value), now, step or 0) for name, value in metrics.items()]
        if time.monotonic() - self._sent > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._sent = time.monotonic()
        for start in range(0, len(waiting), 1000):
            part = waiting[start : start + 1000]
            if not self._try(partial(self.client.log_batch, self.run_id, metrics=part)):
                self._keep(part)

    def log_file(self, path: str, folder: str) -> None:
        """Store a copy of a file under a folder."""
        self._try(lambda: self.client.log_artifact(self.run_id, path, folder))

    def log_text(self, name: str, text: str) -> None:
        """Store a text file."""
        self._try(lambda: self.client.log_text(self.run_id, text, name))

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        from mlflow.entities import RunTag

        self._try(
            lambda: self.client.log_batch(self.run_id, tags=[RunTag(k, str(v)) for k, v in tags.items()])
        )

    def close(self, status: str) -> None:
        """Send what waits and set the run's status: FINISHED, FAILED or KILLED."""
        self.flush()
        self._try(lambda: self.client.set_terminated(self.run_id, status))

    def _keep(self, metrics: list[Any]) -> None:
        self.refuge.parent.mkdir(parents=True, exist_ok=True)
        with self.refuge.open("a") as file:
            for m in metrics:
                values = {"key": m.key, "value": m.value, "step": m.step, "timestamp": m.timestamp}
                file.write(json.dumps(values) + "\n")

    def _try(self, call: Callable[[], Any]) -> bool:
        if self.lost:
            return False
        try:
            call()
        except Exception as error:
            self.lost = True
            log.warning(
                "The tracking server is gone (%s). Training goes on; metrics are kept in %s",
                error,
                self.refuge,
            )
            return False
        return True
