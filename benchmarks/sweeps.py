"""What `kedro sweep` loses when its workers are killed, what a trial costs beside its training, and what is found.

    python benchmarks/sweeps.py kills --trials 100 --kills 10 [--seed 0]
    python benchmarks/sweeps.py cost --trials 6
    python benchmarks/sweeps.py gain FOLDER

`kills` runs the sweep of the churn `mlp` by two workers in a copy of the project, sends SIGKILL to a worker at random
moments, halfway to the command itself, which goes on with `--resume`, and counts the trials that were neither ended nor
run again; the exit status is 1 where one was lost. `cost`
runs trials in this process and takes the processor time of `fit`, less that of who listens to it, from that of the
trial; the first trial, which reads the table, is left out.

`gain` trains the default settings in the folder that `kills` printed, and compares the loss of each test row, in nats,
with that of the settings that the sweep found: the mean difference with its 95 % interval, by the rows' normal
distribution.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEDRO = str(Path(sys.executable).with_name("kedro"))
SECONDS_BETWEEN = (2.0, 8.0)


def copy_project() -> Path:
    """Return a copy of the project with no data but the raw files."""
    project = Path(tempfile.mkdtemp(prefix="sweeps_"))
    for name in ("conf", "src"):
        shutil.copytree(ROOT / name, project / name)
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, project / name)
    (project / "data").mkdir()
    os.environ["PYTHONPATH"] = str(project / "src")
    return project


def workers_of(launcher: subprocess.Popen[bytes]) -> list:
    """Return the processes of the workers that are at work."""
    import psutil

    found = psutil.Process(launcher.pid).children()
    return [each for each in found if "layerwise.sweeping" in each.cmdline()]


def count_running(project: Path) -> int:
    """Return how many trials the study calls running."""
    file = project / "data/sweeps/churn/mlp.db"
    if not file.exists():
        return 0
    with sqlite3.connect(file) as database:
        return database.execute("select count(*) from trials where state = 'RUNNING'").fetchone()[0]


def kill_launcher(launcher: subprocess.Popen[bytes]) -> float:
    """Kill the command and return how many seconds its workers outlived it."""
    import psutil

    workers, began = workers_of(launcher), time.monotonic()
    launcher.kill()
    launcher.wait()
    alive = psutil.wait_procs(workers, timeout=120)[1]
    if alive:
        raise SystemExit(f"workers are alive two minutes after their command: {alive}")
    return time.monotonic() - began


def measure_kills(trials: int, kills: int, seed: int) -> int:
    """Kill workers at random moments, and the command once; return 1 if a trial was lost."""
    import optuna

    project, rng = copy_project(), random.Random(seed)
    command = [KEDRO, "sweep", "--pipelines=mlp", "--env=churn", f"--trials={trials}", "--workers=2"]
    launcher, killed, outlived = subprocess.Popen(command, cwd=project), 0, None
    while launcher.poll() is None and killed < kills:
        time.sleep(rng.uniform(*SECONDS_BETWEEN))
        workers = workers_of(launcher) if launcher.poll() is None else []
        # One that is starting has no trial to lose.
        if len(workers) == 2 and count_running(project) >= 2:
            rng.choice(workers).kill()
            killed += 1
        if killed == kills // 2 and outlived is None:
            outlived = kill_launcher(launcher)
            launcher = subprocess.Popen([*command, "--resume"], cwd=project)
    code = launcher.wait()
    study = optuna.load_study(study_name="churn/mlp", storage=f"sqlite:///{project}/data/sweeps/churn/mlp.db")
    states = [trial.state.name for trial in study.trials]
    retried = {number for trial in study.trials for number in trial.system_attrs.get("retry_history", [])}
    failed = {trial.number for trial in study.trials if trial.state.name == "FAIL"}
    ended = states.count("COMPLETE") + states.count("PRUNED")
    lost, given_up = states.count("RUNNING") + max(0, trials - ended), len(failed - retried)
    command_died = "never" if outlived is None else f"once, which its workers outlived by {outlived:.1f} s"
    print(
        f"{killed} workers killed, the command {command_died}; "
        f"{len(failed)} trials with them, {given_up} given up after three more; {ended} ended, {lost} lost"
    )
    print(f"the command ended with {code}; {project}")
    return int(lost > 0 or code != 0)


def measure_cost(trials: int) -> None:
    """Print the processor seconds of each trial, of its training, and the median of the difference."""
    project = copy_project()
    os.chdir(project)
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project)
    from layerwise.cli.sweep import make_job
    from layerwise.sweeping import Sweep
    from layerwise.sweeping.worker import Worker
    from layerwise.training.supervised import finetuning
    from layerwise.utils import run_context

    job, parameters = make_job(project, "mlp", "churn", {}, None, None, "mlp")
    sweep = Sweep(job.model_copy(update={"trials": trials}), resume=False)
    sweep.enqueue(parameters)
    spent = {"fit": 0.0, "heard": 0.0}
    fit, report = finetuning.fit, run_context.report_metrics

    def timed(name, function):
        def measured(*args, **kwargs):
            began = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent[name] += time.process_time() - began

        return measured

    finetuning.fit = timed("fit", fit)
    from layerwise.training.callbacks import base

    base.report_metrics = timed("heard", report)
    worker, rows = Worker(sweep.job, 0, lambda: False), []
    run = worker._run

    def one(trial):
        spent.update(fit=0.0, heard=0.0)
        began = time.process_time()
        try:
            return run(trial)
        finally:
            whole, training = time.process_time() - began, spent["fit"] - spent["heard"]
            rows.append((whole, training))
            print(f"trial {trial.number}: {whole:.2f} CPU s, {training:.2f} of them training", flush=True)

    worker._run = one
    began = time.process_time()
    worker.work()
    in_all = time.process_time() - began
    beside = statistics.median(whole - training for whole, training in rows[1:])
    around = (in_all - sum(whole for whole, _ in rows)) / len(rows)
    print(f"beside training: {beside:.2f} CPU s a trial (median), and {around:.2f} between trials")


def measure_gain(project: Path) -> None:
    """Print the paired difference of the test rows' loss between the settings that were found and the defaults."""
    import numpy as np
    import pandas as pd

    os.environ["PYTHONPATH"] = str(project / "src")
    run = [KEDRO, "run", "--pipelines=mlp", "--env=churn", "--params=problem.name=churn_default"]
    subprocess.run(run, cwd=project, check=True, stdout=subprocess.DEVNULL)
    losses = []
    for problem in ("churn", "churn_default"):
        table = pd.read_csv(project / "data/07_model_output" / problem / "mlp/test_predictions.csv")
        right = np.where(table["true"] == 1, table["probability_1"], table["probability_0"])
        losses.append(-np.log(right.clip(1e-7, 1)))
    difference = losses[0] - losses[1]
    half = 1.96 * difference.std(ddof=1) / len(difference) ** 0.5
    print(
        f"test rows: {len(difference)}; log loss of the found settings {losses[0].mean():.4f}, of the defaults "
        f"{losses[1].mean():.4f}; difference {difference.mean():+.4f} [{difference.mean() - half:+.4f}, "
        f"{difference.mean() + half:+.4f}] nats"
    )


def main() -> int:
    """Measure what the command says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    kills = kinds.add_parser("kills")
    kills.add_argument("--kills", type=int, default=10)
    kills.add_argument("--seed", type=int, default=0)
    kills.add_argument("--trials", type=int, default=100)
    kinds.add_parser("cost").add_argument("--trials", type=int, default=6)
    kinds.add_parser("gain").add_argument("folder", type=Path)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if given.kind == "kills":
        return measure_kills(given.trials, given.kills, given.seed)
    if given.kind == "cost":
        measure_cost(given.trials)
    else:
        measure_gain(given.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
