"""What all of a run's processes do with it on disk, whether it is one process or many."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from layerwise.checkpointing.data_changes import DataChangeCheck
from layerwise.checkpointing.run_directory import RunDirectory
from layerwise.checkpointing.store import CheckpointSettings, CheckpointStore
from layerwise.utils import run_context, set_checkpoint_store

log = logging.getLogger(__name__)


class RunOnDisk:
    """A run as this process takes part in it.

    It is told of the run's nodes. One within a single process keeps no record of them, for which the methods here
    do nothing.
    """

    # The record of the run that goes on; None where a new one begins, or where this is one of several processes.
    earlier: dict[str, Any] | None = None
    # The command that runs the pipelines, passwords masked.
    command: str = ""

    @property
    def resumed(self) -> bool:
        """Whether what an earlier process has left may be read."""
        return self.earlier is not None

    def begin_node(self, name: str, outputs: Iterable[str]) -> None:
        """Take a node that begins."""

    def take_output(self, output: str, flush: Callable[[], None]) -> None:
        """Take an output that was saved."""

    def fail_node(self, name: str, error: str) -> None:
        """Take a node that has failed."""

    def fail_nodes(self, error: str) -> None:
        """Take the error by which all nodes at work have ended."""

    def require_nodes(self, names: Iterable[str], failed: bool = False) -> None:
        """Take the nodes that have to have finished; within one process they have."""

    def finish(self, status: str | None) -> None:
        """End the run, or with no status leave it open for other processes."""
        raise NotImplementedError


class RunWatch:
    """Keep the checkpoints of a run in its folder, and compare its rows with those that it began with.

    Args:
        folder: of the run, which has its id as name.
        settings: of the checkpoints.
        resume: what is there may be read.
        parameters: flat, of the whole run.
    """

    def __init__(
        self, folder: Path, settings: CheckpointSettings, resume: bool, parameters: Mapping[str, str]
    ) -> None:
        text = json.dumps(dict(parameters), sort_keys=True)
        owner = {"run": folder.name, "parameters": hashlib.sha256(text.encode()).hexdigest()}
        set_checkpoint_store(CheckpointStore(folder, settings, resume, owner))
        self._data_check = DataChangeCheck(folder)
        run_context.add_listener(self._data_check)

    def stop(self) -> None:
        """Keep no more."""
        set_checkpoint_store(None)
        run_context.remove_listener(self._data_check)


def end(directory: RunDirectory, status: str) -> None:
    """Write down how a run ended, and say how to go on with one that has not finished."""
    checkpoints = directory.end(status)
    if checkpoints:
        log.warning(
            "The run has not finished. It can go on%s: give the same command with --params=resume=%s",
            _where(checkpoints[-1]),
            directory.run["run_id"],
        )


def _where(checkpoint: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        last = json.loads(checkpoint.read_text())["metadata"]
        return f" after epoch {last['epoch']} of {last['name']}"
    return ""
