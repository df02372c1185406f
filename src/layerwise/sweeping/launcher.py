"""The launcher: makes study and parent run, keeps the workers alive, and reports what they found."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from layerwise.sweeping.job import Job, SweepError
from layerwise.sweeping.report import BestSettings, log_report
from layerwise.sweeping.study import begin_study, best_trial, count_done, fail_stale, give_back_of_process
from layerwise.tracking import open_run, run_tags
from layerwise.utils import NOTICE_SECONDS

if TYPE_CHECKING:
    from optuna import Study

# A worker that is killed so often while no trial ends is not started again.
DEATHS = 5
# One that has not ended so long after it was asked to, as in an epoch of minutes, is killed.
STOP_SECONDS = 10


class Sweep:
    """A search, from its study to its report.

    Args:
        job: what is searched, and how.
        resume: go on with the study that there is.

    Raises:
        SweepError: the study cannot be begun or gone on with.
        TrackingError: the tracking server cannot be used.
    """

    def __init__(self, job: Job, resume: bool) -> None:
        self.study, self.is_owner = begin_study(job, resume)
        earlier = self.study.user_attrs.get("run_id")
        tags = run_tags(job.project, job.problem, job.pipeline, "sweep") | {"sweep": job.study}
        self.client, run_id, _ = open_run(
            job.uri, job.project, job.problem, f"sweep {job.pipeline}", tags, earlier
        )
        self.study.set_user_attr("run_id", run_id)
        self.job = job.model_copy(update={"run_id": run_id})

    def enqueue(self, parameters: dict[str, Any]) -> bool:
        """Have the present settings tried first; return whether they are in the space."""
        stored = self.job.space.stored(parameters)
        if stored is None or self.study.trials:
            return False
        self.study.enqueue_trial(stored)
        return True

    @property
    def beginning(self) -> str:
        """What the first trials of this command are, as a phrase."""
        done = count_done(self.study)
        return f"{done} of them done" if done else "drawn at random at first"

    def run(self) -> BestSettings:
        """Run the workers until the study has its trials; return the best one's settings.

        Raises:
            SweepError: a worker failed, or no trial has ended with a value.
        """
        status = "KILLED"
        try:
            with _sigterm_as_exit():
                _Workers(self.job, self.study).run()
            fail_stale(self.study)
            found = BestSettings.of(best_trial(self.study), self.job)
            if self.is_owner:
                log_report(self.client, self.study, self.job, found)
            status = "FINISHED"
            return found
        except Exception:
            status = "FAILED"
            raise
        finally:
            fail_stale(self.study)
            self._end(status)

    def _end(self, status: str) -> None:
        """End the run, and those of trials whose workers were killed."""
        for trial in self.study.trials:
            run_id = trial.user_attrs.get("run_id")
            # What runs still is at work on another computer.
            if run_id and trial.state.is_finished() and self.client.get_run(run_id).info.status == "RUNNING":
                self.client.set_terminated(run_id, "KILLED")
        if self.is_owner:
            self.client.set_terminated(self.job.run_id, status)


class _Workers:
    """The processes that run the trials; each one that is killed is started again."""

    def __init__(self, job: Job, study: Study) -> None:
        self.job, self.study = job, study
        self.processes: dict[int, subprocess.Popen[str]] = {}
        self.over = threading.Event()

    def run(self) -> None:
        """Start them all and wait for their end; whatever happens, none is left."""
        with ThreadPoolExecutor(self.job.workers) as pool:
            try:
                kept = {pool.submit(self._keep, slot) for slot in range(self.job.workers)}
                while kept:
                    ended, kept = wait(kept, NOTICE_SECONDS, FIRST_EXCEPTION)
                    for each in ended:
                        each.result()
            finally:
                self._stop()

    def _keep(self, slot: int) -> None:
        deaths, done = 0, -1
        while not self.over.is_set():
            process = self._start(slot)
            code = process.wait()
            if code < 0:
                give_back_of_process(self.study, process.pid)
            if code == 0 or self.over.is_set():
                return
            if code > 0:
                raise SweepError("a worker has failed; its message stands above")
            now = count_done(self.study)
            deaths, done = (deaths + 1, done) if now == done else (1, now)
            if deaths == DEATHS:
                raise SweepError(
                    f"a worker was killed {DEATHS} times by signal {-code} and no trial ended meanwhile: is there "
                    "memory for so many workers?"
                )

    def _start(self, slot: int) -> subprocess.Popen[str]:
        threads = str(max(1, (os.cpu_count() or 1) // self.job.workers))
        process = subprocess.Popen(
            [sys.executable, "-m", "layerwise.sweeping"],
            stdin=subprocess.PIPE,
            text=True,
            cwd=self.job.project,
            env={"OMP_NUM_THREADS": threads} | dict(os.environ),
            start_new_session=True,
        )
        self.processes[slot] = process
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"job": self.job.model_dump(mode="json"), "slot": slot}) + "\n")
            process.stdin.flush()
        return process

    def _stop(self) -> None:
        """Close what the workers wait on, upon which they end within an epoch."""
        self.over.set()
        for process in self.processes.values():
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
        for process in self.processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that the workers are stopped and the run is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
