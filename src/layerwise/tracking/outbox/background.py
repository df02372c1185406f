"""Calls to a tracking server far away: beside training, in a thread of their own, and several uploads at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from layerwise.utils import NOTICE_SECONDS

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Uploads wait for the network, and not for the processor.
UPLOADS = 8


def is_remote(uri: str) -> bool:
    """Return whether each call to a server takes its time on the way."""
    return uri.startswith("http")


class SendingThread:
    """Hands on what it is given, in order, in a thread of its own; what waits meanwhile goes together.

    A process that was forked from this one has no such thread: there `put` hands on at once.

    Args:
        deliver: takes a list of what was put. What it raises is raised by `wait`.
    """

    def __init__(self, deliver: Callable[[list[Any]], None]) -> None:
        self._deliver, self._process = deliver, os.getpid()
        self._waiting: list[Any] = []
        self._busy = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def put(self, items: Sequence[Any]) -> None:
        """Have some items delivered soon."""
        if os.getpid() != self._process:
            self._deliver(list(items))
            return
        with self._changed:
            self._waiting += items
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._work, name="tracking", daemon=True).start()

    def wait(self) -> None:
        """Wait until everything is delivered."""
        if os.getpid() != self._process or threading.current_thread().name == "tracking":
            return
        with self._changed:
            while self._busy:
                self._changed.wait(NOTICE_SECONDS)
            error, self._error = self._error, None
        if error is not None:
            raise error

    def _work(self) -> None:
        while True:
            with self._changed:
                items, self._waiting = self._waiting, []
                if not items:
                    self._busy = False
                    self._changed.notify_all()
                    return
            try:
                self._deliver(items)
            except BaseException as error:
                self._error = error


def upload_all(client: MlflowClient, uploads: Sequence[Callable[[], Any]]) -> list[Exception | None]:
    """Do uploads, several at once where the server is far away; return the error of each, None for a good one.

    After an error those that have not begun are left, and have that error too.
    """
    failed: list[Exception] = []

    def upload(call: Callable[[], Any]) -> Exception | None:
        if not failed:
            try:
                call()
            except Exception as error:
                failed.append(error)
                return error
        return failed[0] if failed else None

    if len(uploads) < 2 or not is_remote(str(getattr(client, "tracking_uri", ""))):
        return [upload(call) for call in uploads]
    with ThreadPoolExecutor(UPLOADS) as pool:
        return list(pool.map(upload, uploads))


def upload_folder(
    client: MlflowClient, kind: Literal["run", "model"], owner: str, folder: Path, into: str = ""
) -> None:
    """Store all files below a folder with a run or a model, by its id, under a folder of its artifacts."""
    if not is_remote(str(client.tracking_uri)):
        store_all = client.log_artifacts if kind == "run" else client.log_model_artifacts
        store_all(owner, str(folder), into or None)
        return
    store = client.log_artifact if kind == "run" else client.log_model_artifact
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    targets = [Path(into, file.relative_to(folder)).parent.as_posix().removeprefix(".") for file in files]
    uploads = [
        partial(store, owner, str(file), target or None) for file, target in zip(files, targets, strict=True)
    ]
    for error in upload_all(client, uploads):
        if error is not None:
            raise error
