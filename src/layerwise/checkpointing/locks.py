"""Locks in `data/checkpoints`: on the place of a problem and pipeline, and on the making of the tracking database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from layerwise.utils import FolderError, atomic_write


@contextmanager
def _errors_said(path: Path) -> Iterator[None]:
    """Say in a sentence where a lock cannot be taken because of whose file it is."""
    try:
        yield
    except OSError as error:
        if isinstance(error, Timeout):
            raise
        raise FolderError(
            f"{path} cannot be locked ({error.strerror or error}): it is perhaps another user's. Have {path.parent} "
            "given to you, or run in a copy of the project"
        ) from error


class RunLock:
    """The lock on the place of a problem and pipeline, with a file beside it that names its last holder.

    Args:
        path: of the lock; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._record = path, path.with_suffix(".json")
        # Whichever thread closes a run gives the lock up.
        self._lock = FileLock(path, thread_local=False)

    def acquire(self) -> bool:
        """Take the lock; False when another holds it."""
        try:
            with _errors_said(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._lock.acquire(blocking=False)
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Let others have it."""
        self._lock.release()

    def read(self) -> dict[str, Any]:
        """Return what the last holder wrote, if it can be read."""
        with suppress(OSError, ValueError):
            found = json.loads(self._record.read_text())
            return found if isinstance(found, dict) else {}
        return {}

    def write(self, record: Mapping[str, Any]) -> None:
        """Say who holds it."""
        with atomic_write(self._record) as part:
            part.write_text(json.dumps(record))


@contextmanager
def tracking_lock(project: Path) -> Iterator[None]:
    """Hold the lock under which the tracking database and experiments are made: two at once would collide."""
    path = project / "data" / "checkpoints" / "tracking.lock"
    with _errors_said(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
