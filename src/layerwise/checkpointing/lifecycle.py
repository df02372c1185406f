"""The life of a run on disk: its own directory, its checkpoints, and a later command that resumes it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from layerwise.checkpointing.data_changes import DataChangeCheck, differences
from layerwise.checkpointing.run_directory import LAYERS, MARK_TAG, STARTING, RunDirectory
from layerwise.checkpointing.store import CheckpointSettings, CheckpointStore
from layerwise.utils import FolderError, count_gpus, run_context, set_checkpoint_store, source_version

log = logging.getLogger(__name__)


# They write nothing under a name that another run of theirs would write too.
CONCURRENT_PIPELINES = ("predict",)


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


class RunLifecycle:
    """One run's directory, checkpoints and check of its rows.

    Args:
        project: the project's folder.
        problem: its name.
        pipeline: its name.
        parameters: flat, of all that the pipeline reads.
        settings: of the checkpoints.
        resume: False, True, or the id of the run to go on with.

    Raises:
        RunInProgressError: another run is under way in this place.
        ResumeError: there is nothing to go on with, or other parameters were given.
    """

    def __init__(
        self,
        project: Path,
        problem: str,
        pipeline: str,
        parameters: Mapping[str, str],
        settings: CheckpointSettings,
        resume: bool | str,
    ) -> None:
        self.settings, self.parameters = settings, dict(parameters)
        self.directory: RunDirectory | None = None
        self.earlier: dict[str, Any] | None = None
        self._watch: RunWatch | None = None
        # The mark of a run here that died between being made and being written down; empty for none.
        self.lost_mark = ""
        if pipeline in CONCURRENT_PIPELINES:
            return
        directory = RunDirectory(project / "data", problem, pipeline)
        last = directory.acquire()
        if last.get("status") == STARTING:
            self.lost_mark = str(last.get("mark", ""))
        try:
            self.earlier = directory.find_resumable(resume, parameters)
        except BaseException:
            directory.release()
            raise
        self.directory = directory
        if self.earlier is None:
            _log_replaced_run(last, problem, pipeline)
        else:
            differ = differences(self.earlier.get("software", {}), _software_versions())
            if differ:
                log.warning(
                    "The result may differ from an uninterrupted run's: %s",
                    "; ".join(differ),
                )
        for layer in LAYERS:
            for name in pipeline.split("+"):
                _remove_partial_files(project / "data" / layer / problem / name)

    @property
    def resumed(self) -> bool:
        """Whether an earlier run goes on."""
        return self.earlier is not None

    def announce(self) -> dict[str, str]:
        """Return the tag that the run to be made gets, by which it is found if this process dies right then."""
        if self.directory is None or self.earlier is not None:
            return {}
        mark = uuid.uuid4().hex
        self.directory.announce(mark)
        return {MARK_TAG: mark}

    def start(self, run_id: str, command: str, uri: str) -> None:
        """Keep checkpoints from now on: the run has its id."""
        if self.directory is None:
            return
        record = {
            "command": command,
            "uri": uri,
            "parameters": self.parameters,
            "software": _software_versions(),
            "gpus": count_gpus(),
        }
        if self.earlier is not None:
            record |= {key: self.earlier[key] for key in ("started", "gpus") if key in self.earlier}
        try:
            folder = self.directory.begin(run_id, record, self.settings.runs)
        except OSError as error:
            raise FolderError(
                f"{self.directory.folder} cannot be written ({error.strerror}); make room, or run in a copy of "
                "the project"
            ) from error
        self._watch = RunWatch(folder, self.settings, self.earlier is not None, self.parameters)

    def find_killed(self, uri: str) -> Iterator[dict[str, Any]]:
        """Yield the runs that were tracked at `uri` and died without a word; each counts as killed afterwards."""
        if self.directory is not None:
            yield from self.directory.find_killed(uri)

    def begin_node(self, name: str, outputs: Iterable[str]) -> None:
        """Take a node that begins; a run within one process keeps no record of its nodes."""

    def take_output(self, output: str, flush: Callable[[], None]) -> None:
        """Take an output that was saved."""

    def fail_node(self, name: str, error: str) -> None:
        """Take a node that has failed."""

    def fail_nodes(self, error: str) -> None:
        """Take the error by which all nodes at work have ended."""

    def require_nodes(self, names: Iterable[str], failed: bool = False) -> None:
        """Take the nodes that have to have finished; within one process they have."""

    def finish(self, status: str | None) -> None:
        """Leave the place; say how to go on when the run did not finish. Without a status it stays open for others."""
        if self._watch is not None:
            self._watch.stop()
        if self.directory is None:
            return
        directory, self.directory = self.directory, None
        if not directory.run:
            directory.release()
            return
        if status is None:
            directory.leave_open()
            return
        end(directory, status)


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


def _log_replaced_run(last: Mapping[str, Any], problem: str, pipeline: str) -> None:
    if not last.get("run_id"):
        return
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(float(last.get("started", 0))))
    rest = (
        "a copy is with it in MLflow, under outputs"
        if last.get("status") == "FINISHED"
        else f"--params=resume={last['run_id']} goes on with it, if it has checkpoints"
    )
    log.info(
        "What run %s of %s left in data/*/%s/%s is replaced; %s",
        last["run_id"],
        when,
        problem,
        pipeline,
        rest,
    )


def _software_versions() -> dict[str, str]:
    """Return what a result depends on beside the parameters and the rows, most of it in its last digits."""
    # Not the GPU's name, for which it would be started: the processes of the parallel runner could not use it then.
    n = count_gpus()
    device = f"{n} GPU(s)" if n else "cpu"
    code = {"layerwise": source_version()}
    return code | {"torch": torch.__version__, "threads": str(torch.get_num_threads()), "device": device}


def _remove_partial_files(folder: Path) -> None:
    """Remove the halves of files that a killed run left; the place is this run's alone."""
    for path in folder.rglob(".*.part") if folder.is_dir() else ():
        with suppress(OSError):
            os.unlink(path)
