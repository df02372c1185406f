"""Locks and folders of runs: one run at a time for a problem and pipeline, a folder for each unfinished one.

    data/checkpoints/<problem>/<pipeline>.lock             held while a run is under way
    data/checkpoints/<problem>/<pipeline>.json             names the run that holds it, or held it last
    data/checkpoints/<problem>/<pipeline>/<run id>/        run.json, data.json and the stages' checkpoints

A lock goes with its process, however that ends: a run whose lock is free and whose status is RUNNING was killed.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from layerwise.checkpointing.data_changes import differences
from layerwise.checkpointing.locks import RunLock
from layerwise.utils import FolderError, ResumeError, UserError, atomic_write

log = logging.getLogger(__name__)
# The folders of data/ that a run's outputs are in.
LAYERS = ("06_models", "07_model_output", "08_reporting")
MAX_SHOWN = 6
# The status of a run that is about to be made, and the tag by which it is found.
STARTING, MARK_TAG = "STARTING", "mark"
# That of a run whose nodes are processes of their own, while none of them needs to be at work.
OPEN = "OPEN"
# What the file beside a lock says of the run that holds it.
LOCK_KEYS = ("run_id", "pipeline", "pid", "status", "started")
# Format 1, which had no number, is the first edition's.
CHECKPOINT_FORMAT = 2


class RunInProgressError(UserError, RuntimeError):
    """Another run writes to the same place."""


class OpenedRunError(UserError, RuntimeError):
    """What LAYERWISE_RUN_ID names is no run that this process can report into, or not yet."""


class RunDirectory:
    """Where the runs of a problem and pipeline leave what a later one needs.

    Args:
        data: the project's data folder.
        problem: its name.
        pipeline: its name; several that run in one command are joined by `+`.
    """

    def __init__(self, data: Path, problem: str, pipeline: str) -> None:
        self.root, self.problem, self.pipeline = data / "checkpoints", problem, pipeline
        self.folder = self.root / problem / pipeline
        self.locks = [
            RunLock(self.root / problem / f"{name}.lock") for name in sorted(set(pipeline.split("+")))
        ]
        self.run: dict[str, Any] = {}

    def acquire(self) -> dict[str, Any]:
        """Take the place; return who had it last.

        Raises:
            RunInProgressError: a run is under way here.
        """
        for lock in self.locks:
            if lock.acquire():
                self._refuse_opened(lock)
                continue
            holder = lock.read()
            self.release()
            name = lock.path.stem
            raise RunInProgressError(
                f"run {holder.get('run_id', '?')} (process {holder.get('pid', '?')}) is writing to "
                f"data/*/{self.problem}/{name}: wait for its end, or give this one a place of its own with "
                f"--params=problem.name={self.problem}_2"
            )
        return self.locks[0].read()

    def _refuse_opened(self, lock: RunLock) -> None:
        last = lock.read()
        run_id, pipeline = last.get("run_id"), last.get("pipeline")
        if (
            last.get("status") != OPEN
            or not (self.root / self.problem / str(pipeline) / str(run_id)).is_dir()
        ):
            return
        self.release()
        raise RunInProgressError(
            f"run {run_id}, which kedro run-begin opened, writes to data/*/{self.problem}/{lock.path.stem}: end it "
            f"with LAYERWISE_RUN_ID={run_id} kedro run-end, with --failed where it shall not go on, or give this one "
            f"a place of its own with --params=problem.name={self.problem}_2"
        )

    def join(self, run_id: str) -> Path:
        """Take an opened run as this one's, beside other processes of it; return its folder.

        Raises:
            OpenedRunError: there is none of that id here.
        """
        last = self.locks[0].read()
        if last.get("run_id") == run_id and last.get("status") != OPEN:
            raise OpenedRunError(
                f"run {run_id} has ended as {last.get('status')}: kedro run-begin opens a new one"
            )
        found = next((run for run in _runs(self.folder) if run["run_id"] == run_id), None)
        if found is None or found["status"] != OPEN:
            others = [
                run for place in self.root.glob("*/*") for run in _runs(place) if run["run_id"] == run_id
            ]
            of = f"{others[0].get('pipeline')} on {others[0].get('problem')}" if others else ""
            raise OpenedRunError(
                f"run {run_id} is one of {of}, and this command's is {self.pipeline} on {self.problem}: give it the "
                "pipelines, the environment and the parameters of kedro run-begin"
                if of and found is None
                else f"no run {run_id} of {self.pipeline} on {self.problem} is open in {self.root}: LAYERWISE_RUN_ID "
                "is what kedro run-begin prints, until kedro run-end"
            )
        self.run = found
        return self.folder / run_id

    def leave_open(self) -> None:
        """Let processes of the run's nodes go on with it."""
        self.run["status"] = OPEN
        self._write()
        self.release()

    def announce(self, mark: str) -> None:
        """Write down that a run with this mark is about to be made: one that dies before `begin` is found by it."""
        record = {"pid": os.getpid(), "status": STARTING, "mark": mark, "started": time.time()}
        with suppress(OSError):  # `begin` says what is wrong with the folder
            self.locks[0].write(record)

    def release(self) -> None:
        """Leave the place."""
        for lock in self.locks:
            lock.release()

    def unfinished(self) -> list[dict[str, Any]]:
        """Return the runs here that have not finished, the newest first."""
        return sorted(_runs(self.folder), key=lambda run: run["started"], reverse=True)

    def find_resumable(self, resume: bool | str, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the run to go on with; None when a new one was asked for.

        Args:
            resume: True for the newest, or a run's id or the beginning of one.
            parameters: of the command, which have to be those of the run.

        Raises:
            ResumeError: there is no such run, it is one of the first edition, or other parameters were given.
        """
        if resume is False:
            return None
        runs = self.unfinished()
        known = ", ".join(run["run_id"] for run in runs) or "none"
        matching = runs if resume is True else [run for run in runs if run["run_id"].startswith(str(resume))]
        if not matching:
            which = "" if resume is True else f" {resume}"
            raise ResumeError(
                f"there is no unfinished run{which} of {self.pipeline} on {self.problem} to go on with; "
                f"known in {self.folder}: {known}"
            )
        if resume is not True and len(matching) > 1:
            raise ResumeError(f"resume: several runs begin with {resume}: {known}")
        run = matching[0]
        if run.get("format", 1) != CHECKPOINT_FORMAT:
            raise ResumeError(
                f"run {run['run_id']} was begun by the first edition of layerwise, and its checkpoints cannot be read: "
                "train anew with resume=false"
            )
        differ = differences(run["parameters"], parameters)
        if differ:
            more = f"; and {len(differ) - MAX_SHOWN} more" if len(differ) > MAX_SHOWN else ""
            raise ResumeError(
                f"run {run['run_id']} cannot go on with other parameters: {'; '.join(differ[:MAX_SHOWN])}{more}. Give "
                "the same as then, or start a new run with resume=false"
            )
        return run

    def begin(self, run_id: str, record: Mapping[str, Any], keep: int) -> Path:
        """Write down that the run is under way; return its folder. Those of the oldest unfinished runs go."""
        self.run = {
            "format": CHECKPOINT_FORMAT,
            "run_id": run_id,
            "problem": self.problem,
            "pipeline": self.pipeline,
            "started": time.time(),
            **record,
            "status": "RUNNING",
            "pid": os.getpid(),
        }
        self._write()
        others = [run for run in self.unfinished() if run["run_id"] != run_id]
        for run in others[keep - 1 :]:
            log.info(
                "The checkpoints of the unfinished run %s are removed: newer ones are kept", run["run_id"]
            )
            shutil.rmtree(self.folder / run["run_id"], ignore_errors=True)
        return self.folder / run_id

    def end(self, status: str) -> list[Path]:
        """Write down how the run ended, leave the place, and return the checkpoints that can be gone on from.

        A finished run needs none, and a run without any has nothing to go on from: its folder goes.
        """
        folder = self.folder / self.run["run_id"]
        found = (
            []
            if status == "FINISHED"
            else sorted(folder.glob("*/*/epoch_*.json"), key=lambda p: p.stat().st_mtime)
        )
        self.run["status"] = status
        with suppress(OSError):  # a full disk shall not hide why the run ended
            self._write()
            if not found:
                shutil.rmtree(folder, ignore_errors=True)
        self.release()
        return found

    def _write(self) -> None:
        with atomic_write(self.folder / self.run["run_id"] / "run.json") as part:
            part.write_text(json.dumps(self.run, indent=1))
        for lock in self.locks:
            lock.write({key: self.run[key] for key in LOCK_KEYS if key in self.run})

    def find_killed(self, uri: str) -> Iterator[dict[str, Any]]:
        """Yield the runs of every place that are called running and are not, each marked as killed afterwards.

        Args:
            uri: of the tracking server; those of another one wait for a run that uses it.
        """
        for folder in sorted(self.root.glob("*/*")):
            if not folder.is_dir():
                continue
            for run in _runs(folder):
                others_run = run.get("uri") != uri or run["run_id"] == self.run.get("run_id")
                if run["status"] != "RUNNING" or others_run:
                    continue
                others = [RunLock(folder.parent / f"{name}.lock") for name in folder.name.split("+")]
                others = [lock for lock in others if lock.path not in [own.path for own in self.locks]]
                # Another user's run is none of this one's.
                with suppress(FolderError):
                    if all(lock.acquire() for lock in others):
                        yield run
                        with suppress(OSError), atomic_write(folder / run["run_id"] / "run.json") as part:
                            part.write_text(json.dumps({**run, "status": "KILLED"}, indent=1))
                for lock in others:
                    lock.release()


def _runs(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in folder.glob("*/run.json"):
        with suppress(OSError, ValueError):
            run = json.loads(path.read_text())
            if _is_record(run) and run["run_id"] == path.parent.name:
                found.append(run)
    return found


def _is_record(run: Any) -> bool:
    kinds: dict[str, Any] = {"run_id": str, "started": (int, float), "status": str, "parameters": dict}
    return isinstance(run, dict) and all(isinstance(run.get(name), kind) for name, kind in kinds.items())
