"""What keeps a run from being lost: a place of its own, checkpoints, and a later command that goes on with it."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from layerwise.checkpointing.run_directory import DataWatch, FileLock, RunPlace, differences
from layerwise.checkpointing.store import Checkpoints, CheckpointSettings
from layerwise.utils import run_context
from layerwise.utils.errors import FolderError
from layerwise.utils.run_context import use_checkpoints

log = logging.getLogger(__name__)


# They write nothing under a name that another run of theirs would write too.
SIDE_BY_SIDE = ("predict",)


LAYERS = ("06_models", "07_model_output", "08_reporting")


class Survival:
    """One run's place, checkpoints and rows.

    Args:
        project: the project's folder.
        problem: its name.
        pipeline: its name.
        parameters: flat, of all that the pipeline reads.
        settings: of the checkpoints.
        resume: False, True, or the id of the run to go on with.

    Raises:
        BusyError: another run is under way in this place.
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
        self.place: RunPlace | None = None
        self.earlier: dict[str, Any] | None = None
        self._watch: DataWatch | None = None
        if pipeline in SIDE_BY_SIDE:
            return
        place = RunPlace(project / "data", problem, pipeline)
        last = place.claim()
        try:
            self.earlier = place.find(resume, parameters)
        except BaseException:
            place.release()
            raise
        self.place = place
        if self.earlier is None:
            _say_what_is_replaced(last, problem, pipeline)
        else:
            differ = differences(self.earlier.get("software", {}), _software())
            if differ:
                log.warning(
                    "The result may differ from an uninterrupted run's in its last digits: %s",
                    "; ".join(differ),
                )
        for layer in LAYERS:
            for name in pipeline.split("+"):
                _sweep(project / "data" / layer / problem / name)

    def opened(self, run_id: str, command: str, uri: str) -> None:
        """Keep checkpoints from now on: the run has its id."""
        if self.place is None:
            return
        facts = {"command": command, "uri": uri, "parameters": self.parameters, "software": _software()}
        if self.earlier is not None:
            facts["started"] = self.earlier["started"]
        try:
            folder = self.place.begin(run_id, facts, self.settings.runs)
        except OSError as error:
            raise FolderError(
                f"{self.place.folder} cannot be written ({error.strerror}); make room, or run in a copy of the project"
            ) from error
        use_checkpoints(Checkpoints(folder, self.settings, resume=self.earlier is not None))
        self._watch = DataWatch(folder)
        run_context.add_receiver(self._watch)

    def killed(self, uri: str) -> Iterator[dict[str, Any]]:
        """Yield the runs that were tracked at `uri` and died without a word; each counts as killed afterwards."""
        if self.place is not None:
            yield from self.place.killed(uri)

    def closed(self, status: str) -> None:
        """Leave the place; say how to go on when the run did not finish."""
        use_checkpoints(None)
        if self._watch is not None:
            run_context.remove_receiver(self._watch)
        if self.place is None:
            return
        place, self.place = self.place, None
        if not place.run:
            place.release()
            return
        checkpoints = place.end(status)
        if checkpoints:
            last = json.loads(checkpoints[-1].read_text())["facts"]
            log.warning(
                "The run has not finished. It can go on after epoch %d of %s: give the same command with "
                "--params=resume=%s",
                last["epoch"],
                last["name"],
                place.run["run_id"],
            )


def tracking_lock(project: Path) -> FileLock:
    """Return the lock under which the tracking database and experiments are made: two at once would collide."""
    return FileLock(project / "data" / "checkpoints" / "tracking.lock")


def _say_what_is_replaced(last: Mapping[str, Any], problem: str, pipeline: str) -> None:
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


def _software() -> dict[str, str]:
    """Return what the last digits of a result depend on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return {"torch": torch.__version__, "threads": str(torch.get_num_threads()), "device": device}


def _sweep(folder: Path) -> None:
    """Remove the halves of files that a killed run left; the place is this run's alone."""
    for path in folder.rglob(".*.part") if folder.is_dir() else ():
        with suppress(OSError):
            os.unlink(path)
