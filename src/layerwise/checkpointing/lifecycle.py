"""The life of a run on disk: its own directory, its checkpoints, and a later command that resumes it."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from layerwise.checkpointing.data_changes import differences
from layerwise.checkpointing.run_directory import LAYERS, MARK_TAG, STARTING, RunDirectory
from layerwise.checkpointing.run_on_disk import RunOnDisk, RunWatch, end
from layerwise.checkpointing.store import CheckpointSettings
from layerwise.utils import FolderError, count_gpus, source_version

log = logging.getLogger(__name__)


# They write nothing under a name that another run of theirs would write too.
CONCURRENT_PIPELINES = ("predict",)


class RunLifecycle(RunOnDisk):
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

    def announce(self) -> dict[str, str]:
        """Return the tag that the run to be made gets, by which it is found if this process dies right then."""
        if self.directory is None or self.earlier is not None:
            return {}
        mark = uuid.uuid4().hex
        self.directory.announce(mark)
        return {MARK_TAG: mark}

    def start(self, run_id: str, command: str, uri: str) -> None:
        """Keep checkpoints from now on: the run has its id."""
        self.command = command
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
