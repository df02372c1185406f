"""Kill runs at random moments, go on with them, and compare what they come to with what an undisturbed run came to.

    python benchmarks/torture/kills.py --seed 1 --kills 20 [--pipelines dbn,rbm] [--last 0.2]

Of every five kills one falls into the last two seconds of the run, where it is stored and registered (`--last`). A kill
is SIGKILL to a process of its own, a fork of this one that has everything imported. Its moment is drawn over the
processor time of a run that went before, which a crowded machine does not change. Counts how far the killed runs were,
and what differs: weights, figures, the metrics in MLflow, the registered versions, the status. The exit status is 1
where anything does.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "src")]

import golden  # noqa: E402 - found by the path above
from forks import processor_seconds, start, status_of, warm_up  # noqa: E402
from golden_cases import SMALL, cases  # noqa: E402
from nested_parameters import nested  # noqa: E402

# Each with its environment: a small table where it learns from one.
PIPELINES = dict.fromkeys(("dbn", "sae", "mlp", "rbm", "autoencoder", "gan"), "forest_fires") | dict.fromkeys(
    ("gan_ring", "gan_applications", "gradients"), "digits"
)
OFTEN = ("checkpoints.epochs=1", "checkpoints.minutes=null")
LAST_SECONDS = 2.0


# How far a run was when it was killed, by what of it the store has: the last one that holds.
STAGES = {
    "begun": "select 1 from runs where run_uuid = ?",
    "learning": "select 1 from metrics where run_uuid = ?",
    "tested": "select 1 from metrics where run_uuid = ? and key like 'test/%'",
    "model stored": "select 1 from logged_models where source_run_id = ? and status = 2",
    "registered": "select 1 from model_versions where run_id = ?",
    "finished": "select 1 from runs where run_uuid = ? and status = 'FINISHED'",
}


class Torture:
    """Undisturbed runs of the pipelines, and runs that are killed and go on.

    Args:
        project: a copy of the project's frame.
    """

    def __init__(self, project: golden.Project) -> None:
        self.project, self.counts = project, Counter[str]()
        self._whole: dict[str, tuple[dict[str, Any], float]] = {}

    def _run(self, pipeline: str, problem: str, resume: bool) -> int:
        """Run a pipeline in this process; return an exit status: 0 done, 1 an error, 3 nothing to go on with."""
        from kedro.framework.session import KedroSession

        from layerwise.utils import ResumeError

        pairs = [
            *SMALL.split(),
            *(cases()[pipeline][2] if PIPELINES[pipeline] == "digits" else ()),
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
                session.run(pipeline_names=[pipeline])
        except ResumeError as error:
            return 3 if "no unfinished run" in str(error) else self._say(pipeline, error)
        except BaseException as error:
            return self._say(pipeline, error)
        return 0

    def _say(self, pipeline: str, error: BaseException) -> int:
        print(f"  {pipeline}: {type(error).__name__}: {str(error)[:300]}", file=sys.__stderr__, flush=True)
        return 1

    def _come_to(self, problem: str) -> dict[str, Any]:
        """Return what a problem's finished runs came to, and remove it."""
        rows = self.project._query(
            "select run_uuid, status from runs join experiments e using (experiment_id) where e.name = ?",
            problem,
        )
        done = [run for run, status in rows if status == "FINISHED"]
        data = self.project.path / "data"
        found: dict[str, Any] = {
            "statuses": sorted({status for _, status in rows} - {"KILLED"}),
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
        if warm_up(lambda: self._run(pipeline, "warm_up", resume=False), scratch):
            raise SystemExit(f"{pipeline} does not run at all")
        self._come_to("warm_up")

    def whole(self, pipeline: str) -> tuple[dict[str, Any], float]:
        """Return what an undisturbed run came to, and its seconds of processor time."""
        if pipeline not in self._whole:
            self._warm_up(pipeline)
            pid = start(lambda: self._run(pipeline, f"{pipeline}_whole", resume=False))
            _, status, usage = os.wait4(pid, 0)
            assert status == 0, status
            seconds = usage.ru_utime + usage.ru_stime
            self._whole[pipeline] = self._come_to(f"{pipeline}_whole"), seconds
            print(f"{pipeline}: {seconds:.2f} s of processor time", flush=True)
        return self._whole[pipeline]

    def kill(self, pipeline: str, problem: str, rng: random.Random, last: bool) -> None:
        """Kill a run at a random moment, go on with it until it has ended by itself, and count what differs."""
        expected, seconds = self.whole(pipeline)
        moment = rng.uniform(max(seconds - LAST_SECONDS, 0), seconds) if last else rng.uniform(0, seconds)
        pid = start(lambda: self._run(pipeline, problem, resume=False))
        while processor_seconds(pid) < moment:
            time.sleep(0.004)
        os.kill(pid, signal.SIGKILL)
        killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
        self.counts["killed" if killed else "ended before"] += 1
        self.counts["killed in the last two seconds"] += killed and moment > seconds - LAST_SECONDS
        stage = self._stage(problem)
        self.counts[f"killed: {stage}"] += killed
        status = status_of(lambda: self._run(pipeline, problem, resume=True))
        if status == 3 and stage != "finished":
            status = status_of(lambda: self._run(pipeline, problem, resume=False))
        self.counts["did not go on"] += status == 1
        found = self._come_to(problem)
        differ = [key for key in expected if found.get(key) != expected[key]]
        for key in differ:
            self.counts[f"differ: {key}"] += 1
            print(
                f"  {problem} killed after {moment:.2f} of {seconds:.2f} s, {stage}: {key} differ", flush=True
            )
            if key in ("statuses", "finished", "versions", "models"):
                print(f"    {found.get(key)} in place of {expected[key]}", flush=True)
        self.counts["as if nothing had happened"] += not differ

    def _stage(self, problem: str) -> str:
        """Return how far the newest run of a problem is."""
        runs = self.project._query(
            "select run_uuid from runs join experiments e using (experiment_id) where e.name = ? order by start_time",
            problem,
        )
        reached = [name for name, sql in STAGES.items() if runs and self.project._query(sql, runs[-1][0])]
        return reached[-1] if reached else "not begun"


def main() -> int:
    """Kill as often as the command says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pipelines", default=",".join(PIPELINES))
    parser.add_argument("--last", type=float, default=0.2, help="the share of kills in the last two seconds")
    given = parser.parse_args()
    os.environ.update(golden.THREADS | golden.QUIET)
    for name in ("MLFLOW_TRACKING_URI", "LAYERWISE_ARTIFACTS"):
        os.environ.pop(name, None)
    from kedro.framework.startup import bootstrap_project

    import layerwise.tracking.model_logging
    import layerwise.training  # noqa: F401 - imported before the forks

    logging.disable(logging.CRITICAL)
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        project = golden.Project(Path(folder).resolve())
        bootstrap_project(project.path)
        torture = Torture(project)
        for k in range(given.kills):
            pipeline = rng.choice(given.pipelines.split(","))
            torture.kill(pipeline, f"{pipeline}_{k}", rng, rng.random() < given.last)
            print(f"{k + 1} of {given.kills}: {dict(torture.counts)}", flush=True)
    return 0 if torture.counts["as if nothing had happened"] == given.kills else 1


if __name__ == "__main__":
    sys.exit(main())
