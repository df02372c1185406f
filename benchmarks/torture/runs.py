"""Runs of the pipelines in forks: undisturbed ones, disturbed ones, and what they come to."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "src")]

import golden  # noqa: E402 - found by the path above
from forks import start, warm_up  # noqa: E402
from golden_cases import SMALL, cases  # noqa: E402
from nested_parameters import nested  # noqa: E402

# Each with its environment: a small table where it learns from one.
PIPELINES = (
    dict.fromkeys(("dbn", "sae", "mlp", "rbm", "autoencoder", "gan"), "forest_fires")
    | dict.fromkeys(("linear", "forest", "boosting", "compare"), "forest_fires")
    | {"forest_fires_classic": "forest_fires_classic"}
    | dict.fromkeys(("gan_ring", "gan_applications", "gradients", "dbm"), "digits")
)
# What makes a pipeline's run small that is no case of `golden.py`.
SMALLER = {"dbm": ["dbm.hidden_sizes=[30,20]", "dbm.epochs=3", "dbm.mean_field_steps=2"]}
OFTEN = ("checkpoints.epochs=1", "checkpoints.minutes=null")


# How far a run was when it was killed, by what of it the store has: the last one that holds.
STAGES = {
    "begun": "select 1 from runs where run_uuid = ?",
    "learning": "select 1 from metrics where run_uuid = ?",
    "tested": "select 1 from metrics where run_uuid = ? and key like 'test/%'",
    "model stored": "select 1 from logged_models where source_run_id = ? and status = 2",
    "registered": "select 1 from model_versions where run_id = ?",
    "finished": "select 1 from runs where run_uuid = ? and status = 'FINISHED'",
}


class Runs:
    """Runs of the pipelines in one copy of the project.

    Args:
        project: a copy of the project's frame.
    """

    def __init__(self, project: golden.Project) -> None:
        self.project = project
        self._whole: dict[str, tuple[dict[str, Any], float]] = {}

    def run(
        self, pipeline: str, problem: str, resume: bool, meanwhile: Callable[[], None] | None = None
    ) -> int:
        """Run a pipeline in this process, which is a fork.

        Args:
            pipeline: its name.
            problem: its name, which no other run has.
            resume: go on with a run.
            meanwhile: called before the run begins.

        Returns:
            An exit status: 0 done, 1 a traceback, 2 a sentence, 3 there is nothing to go on with.
        """
        from kedro.framework.session import KedroSession

        from layerwise.cli.errors import is_user_error
        from layerwise.utils import ResumeError

        pairs = [
            *SMALL.split(),
            *(cases()[pipeline][2] if pipeline in cases() and PIPELINES[pipeline] == "digits" else ()),
            *SMALLER.get(pipeline, ()),
            *OFTEN,
            f"problem.name={problem}",
            f"resume={str(resume).lower()}",
        ]
        said = io.StringIO()
        try:
            with (
                contextlib.redirect_stderr(said),
                contextlib.redirect_stdout(said),
                KedroSession.create(
                    self.project.path,
                    env=PIPELINES[pipeline],
                    save_on_close=False,
                    runtime_params=nested(pairs),
                ) as session,
            ):
                if meanwhile is not None:
                    meanwhile()
                session.run(pipeline_names=[pipeline])
        except BaseException as error:
            if isinstance(error, ResumeError) and "no unfinished run" in str(error):
                return 3
            is_sentence = isinstance(error, Exception) and is_user_error(error)
            text = " ".join(str(error).split())[:300]
            print(f"  {problem}: {type(error).__name__}: {text}", file=sys.__stderr__, flush=True)
            return 2 if is_sentence else 1
        return 0

    def come_to(self, problem: str) -> dict[str, Any]:
        """Return what a problem's finished runs came to, and remove it."""
        rows = self.project._query(
            "select run_uuid, status from runs join experiments e using (experiment_id) where e.name = ?",
            problem,
        )
        done = [run for run, status in rows if status == "FINISHED"]
        data = self.project.path / "data"
        found: dict[str, Any] = {
            "statuses": sorted({status for _, status in rows} - {"KILLED", "FAILED"}),
            "finished": len(done),
        }
        found["weights"] = golden.weights(data / "06_models")
        found["files"] = sorted(golden.written_values(data, problem))
        if done:
            found["metrics"] = self.project._metrics(done[-1])
            versions = self.project._query("select name from model_versions where run_id = ?", done[-1])
            found["versions"] = sorted(name.replace(problem, "") for (name,) in versions)
            models = "select status from logged_models where source_run_id = ?"
            found["models"] = sorted(self.project._query(models, done[-1]))
        for folder in data.iterdir():
            if folder.name != "01_raw":
                shutil.rmtree(folder)
        return found

    def _warm_up(self, pipeline: str) -> None:
        """Run a pipeline for the first time, and import here what it imported, so that no later run does."""
        scratch = self.project.path / "modules.json"
        if warm_up(lambda: self.run(pipeline, "warm_up", resume=False), scratch):
            raise SystemExit(f"{pipeline} does not run at all")
        self.come_to("warm_up")

    def whole(self, pipeline: str) -> tuple[dict[str, Any], float]:
        """Return what an undisturbed run came to, and its seconds of processor time."""
        if pipeline not in self._whole:
            self._warm_up(pipeline)
            pid = start(lambda: self.run(pipeline, f"{pipeline}_whole", resume=False))
            _, status, usage = os.wait4(pid, 0)
            assert status == 0, status
            seconds = usage.ru_utime + usage.ru_stime
            self._whole[pipeline] = self.come_to(f"{pipeline}_whole"), seconds
            print(f"{pipeline}: {seconds:.2f} s of processor time", flush=True)
        return self._whole[pipeline]

    def stage(self, problem: str) -> str:
        """Return how far the newest run of a problem is."""
        runs = self.project._query(
            "select run_uuid from runs join experiments e using (experiment_id) where e.name = ? order by start_time",
            problem,
        )
        reached = [name for name, sql in STAGES.items() if runs and self.project._query(sql, runs[-1][0])]
        return reached[-1] if reached else "not begun"
