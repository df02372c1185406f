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
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from forks import processor_seconds, start, status_of
from runs import PIPELINES, Runs, golden

LAST_SECONDS = 2.0


def differences(found: Any, expected: Any) -> str:
    """Return what two records do not have in common, the first of it."""
    pairs = (set(each.items() if isinstance(each, dict) else each or ()) for each in (found, expected))
    return "; ".join(map(str, sorted(set.symmetric_difference(*pairs), key=str)[:6]))


class Kills:
    """Runs that are killed and go on.

    Args:
        runs: of one copy of the project.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs, self.counts = runs, Counter[str]()

    def kill(self, pipeline: str, problem: str, rng: random.Random, last: bool) -> None:
        """Kill a run at a random moment, go on with it until it has ended by itself, and count what differs."""
        expected, seconds = self.runs.whole(pipeline)
        moment = rng.uniform(max(seconds - LAST_SECONDS, 0), seconds) if last else rng.uniform(0, seconds)
        pid = start(lambda: self.runs.run(pipeline, problem, resume=False))
        while processor_seconds(pid) < moment:
            time.sleep(0.004)
        os.kill(pid, signal.SIGKILL)
        killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
        self.counts["killed" if killed else "ended before"] += 1
        self.counts["killed in the last two seconds"] += killed and moment > seconds - LAST_SECONDS
        stage = self.runs.stage(problem)
        self.counts[f"killed: {stage}"] += killed
        status = status_of(lambda: self.runs.run(pipeline, problem, resume=True))
        if status == 3 and stage != "finished":
            status = status_of(lambda: self.runs.run(pipeline, problem, resume=False))
        self.counts["did not go on"] += status in (1, 2)
        found = self.runs.come_to(problem)
        differ = [key for key in expected if found.get(key) != expected[key]]
        for key in differ:
            self.counts[f"differ: {key}"] += 1
            print(
                f"  {problem} killed after {moment:.2f} of {seconds:.2f} s, {stage}: {key} differ", flush=True
            )
            if key in ("weights", "files", "metrics"):
                print(f"    {differences(found.get(key), expected[key])}", flush=True)
            if key in ("statuses", "finished", "versions", "models"):
                print(f"    {found.get(key)} in place of {expected[key]}", flush=True)
        self.counts["as if nothing had happened"] += not differ


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
        kills = Kills(Runs(project))
        for k in range(given.kills):
            pipeline = rng.choice(given.pipelines.split(","))
            kills.kill(pipeline, f"{pipeline}_{k}", rng, rng.random() < given.last)
            print(f"{k + 1} of {given.kills}: {dict(kills.counts)}", flush=True)
    return 0 if kills.counts["as if nothing had happened"] == given.kills else 1


if __name__ == "__main__":
    sys.exit(main())
