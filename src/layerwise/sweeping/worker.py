"""A worker: runs trial after trial in one process, until the study has enough of them or it is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from filelock import FileLock
from optuna import Trial, TrialPruned

from layerwise.sweeping.job import Job
from layerwise.sweeping.space import shown
from layerwise.sweeping.study import (
    count_done,
    count_running,
    fail_stale,
    give_back,
    load_study,
    note_process,
    require_hope,
)
from layerwise.sweeping.trial import ChildRun, TrialListener, TrialRunner, WorkerStopped, measure
from layerwise.tracking.outbox import retrying_client
from layerwise.utils import mask_secrets

WAIT_SECONDS = 1.0


class Worker:
    """Runs the trials of one process.

    Args:
        job: the sweep.
        slot: the worker's number among those of the sweep.
        is_over: whether it shall stop.
    """

    def __init__(self, job: Job, slot: int, is_over: Callable[[], bool]) -> None:
        self.job, self.is_over = job, is_over
        self.client = retrying_client(job.uri)
        self.parent = self.client.get_run(job.run_id)
        self.study = load_study(job, slot)
        self.runner = TrialRunner(job.space.root)
        # Of this computer's workers one at a time counts the trials and begins one.
        self.turn = FileLock(job.folder / f"{job.pipeline}.lock")

    def work(self) -> None:
        """Run trials until the study has as many as it shall have.

        Raises:
            SweepError: none of the first trials could be trained.
        """
        while not self.is_over():
            require_hope(self.study)
            self.turn.acquire()
            try:
                done = count_done(self.study)
                if done + count_running(self.study) < self.job.trials:
                    self.study.optimize(self._run, n_trials=1)
                    continue
            except WorkerStopped as stopped:
                give_back(self.study, stopped.number)
                return
            finally:
                self.turn.release(force=True)
            if done >= self.job.trials:
                return
            # Others are at the last ones, or were when they were killed.
            time.sleep(WAIT_SECONDS)
            fail_stale(self.study)

    def _run(self, trial: Trial) -> float:
        note_process(trial)
        settings = self.job.space.suggest(trial)
        self.turn.release(force=True)
        began, outcome = time.monotonic(), "not finished"
        listener = TrialListener(trial, self.job.objective.metric, self.is_over)
        report = ChildRun(self.client, self.parent, self.job, trial, settings, listener)
        try:
            value = measure(self.job, trial, settings, self.runner, report)
            outcome = f"{self.job.objective.metric} {value:.4f}"
            return value
        except TrialPruned as reason:
            outcome = str(reason)
            raise
        finally:
            seconds = time.monotonic() - began
            line = f"trial {trial.number}: {outcome}  {shown(settings)}  {seconds:.1f} s"
            with suppress(OSError):  # a terminal that is gone ends no trial
                print(mask_secrets(line), flush=True)
