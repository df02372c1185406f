"""One seed of one row: a `kedro run` in pieces, and the figure that MLflow has of it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from reproduction.rows import PROJECT, Figure, Row

from layerwise.tracking import tracking_uri
from layerwise.utils import nearest

# Seconds that a run has to close itself after SIGTERM.
GRACE = 60
# Tags of a run.
CPU_SECONDS, COMMAND = "reproduction.cpu_seconds", "reproduction.command"
SETTINGS = "reproduction.settings"


class UnfinishedError(Exception):
    """A run has not ended; the message says how it stands."""


def measure(row: Row, seed: int, seconds: float) -> Figure:
    """Return the figure of a seed; a run of the same settings that was cut off before goes on from its checkpoint.

    Args:
        row: what to run.
        seed: of the run.
        seconds: after which the run is ended, to go on at the next call; its checkpoint is of the last epoch.

    Raises:
        UnfinishedError: it was ended, or failed.
    """
    client, problem = MlflowClient(tracking_uri(PROJECT)), f"reproduction_{row.name}_{seed}"
    run = _last_run(client, problem)
    asked = {COMMAND: row.command, SETTINGS: hash_of_settings(row.env)}
    own = run is not None and asked.items() <= run.data.tags.items()
    if not own or run.info.status != "FINISHED":
        # One that was cut off before its first checkpoint has nothing to go on with.
        kept = PROJECT / "data/checkpoints" / problem / row.pipeline
        resume = own and kept.is_dir() and any(kept.iterdir())
        spent, before = float(run.data.tags.get(CPU_SECONDS, 0)) if resume else 0.0, _children_seconds()
        try:
            ended = _run(_arguments(row, seed, problem, resume), seconds)
        finally:
            run, spent = _last_run(client, problem), spent + _children_seconds() - before
            if run is not None:
                client.set_tag(run.info.run_id, CPU_SECONDS, f"{spent:.1f}")
                for tag, value in asked.items():
                    client.set_tag(run.info.run_id, tag, value)
        if not ended:
            raise UnfinishedError(
                f"{row.name}, seed {seed}: {spent / 60:.1f} minutes of CPU so far; it goes on"
            )
        if run is None or run.info.status != "FINISHED":
            raise UnfinishedError(f"{row.name}, seed {seed}: the run has failed, see above")
        run = client.get_run(run.info.run_id)
    return Figure(
        seed=seed,
        value=value_of(row, run.data.metrics),
        command=row.command,
        cpu_seconds=float(run.data.tags[CPU_SECONDS]),
        date=time.strftime("%Y-%m-%d", time.gmtime(run.info.end_time / 1000)),
        commit=str(run.data.tags.get("mlflow.source.git.commit", ""))[:7],
        processor=processor(),
    )


def hash_of_settings(env: str, conf: Path = PROJECT / "conf") -> str:
    """Return a hash of the parameters in the files of `base` and an environment; comments and order do not count."""
    files = sorted(file for name in ("base", env) for file in (conf / name).rglob("parameters*.yml"))
    found = [[file.relative_to(conf).as_posix(), yaml.safe_load(file.read_text())] for file in files]
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def value_of(row: Row, found: Mapping[str, float]) -> float:
    """Return a row's metric among those of its run.

    Raises:
        UnfinishedError: there is none, or it is a log-probability whose log Z has no upper bound.
    """
    if row.metric not in found:
        last = row.metric.rpartition("/")[2]
        names = [name for name in found if name.rpartition("/")[2] == last] or list(found)
        raise UnfinishedError(f"{row.name}: the run has no metric {row.metric}{nearest(row.metric, names)}")
    value = found[row.metric]
    if f"{row.metric}_high" in found and f"{row.metric}_low" not in found:
        raise UnfinishedError(
            f"{row.name}: {value:.5g} or less, as log Z has no upper bound: that is no figure"
        )
    return value


def _arguments(row: Row, seed: int, problem: str, resume: bool) -> list[str]:
    """Return the row's command with a seed, and the name under which its runs are kept apart from a user's own."""
    params = [*row.params.split(), f"seed={seed}", f"problem.name={problem}"]
    if resume:
        params.append("resume=true")
    return [f"--pipelines={row.pipeline}", f"--env={row.env}", f"--params={','.join(params)}"]


def _run(arguments: list[str], seconds: float) -> bool:
    """Run `kedro run` for some seconds at most; return whether it ended by itself."""
    process = subprocess.Popen([sys.executable, "-m", "kedro", "run", *arguments], cwd=PROJECT)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            _end(process)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _last_run(client: MlflowClient, problem: str) -> Any:
    experiment = client.get_experiment_by_name(problem)
    if experiment is None:
        return None
    found = client.search_runs(
        [experiment.experiment_id], order_by=["attributes.start_time DESC"], max_results=1
    )
    return found[0] if found else None


def processor() -> str:
    """Return the processor's name and how many cores of it there are; no name of the machine."""
    cores = os.cpu_count()
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {cores} cores"
