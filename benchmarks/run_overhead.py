"""What one `kedro run` costs beyond its training, and what `kedro registry list` costs: medians of warm commands.

    python benchmarks/run_overhead.py [--pipeline dbn] [--env churn] [--rounds 5] [--params pretraining.epochs=1]

The cost is the command's time from start to end, less the seconds of all epochs in the histories that it wrote.
Imports, preprocessing, evaluation, every figure, tracking and the logged model are in it. A first run, which fills
caches, is not counted. The processor's seconds, of all threads and epochs, say more on a machine that others use too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).parent.parent
KEDRO = str(Path(sys.executable).with_name("kedro"))


def seconds_of(*command: str) -> tuple[float, float]:
    """Run a command of Kedro's to its end; return its seconds, and those of the processor."""
    began, used = time.perf_counter(), _processor_seconds()
    done = subprocess.run([KEDRO, *command], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"kedro {' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - began, _processor_seconds() - used


def _processor_seconds() -> float:
    """Return the processor's seconds of all commands that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def training_seconds(pipeline: str, since: float) -> float:
    """Return the seconds of all epochs in the histories that the run wrote."""
    histories = [
        path
        for path in (PROJECT / "data/07_model_output").glob(f"*/{pipeline}/*_history.json")
        if path.stat().st_mtime >= since
    ]
    return sum(json.loads(path.read_text())["seconds"] for path in histories)


def main() -> None:
    """Run the commands and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pipeline", default="dbn")
    parser.add_argument("--env")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--params", default="")
    given = parser.parse_args()
    run = ["run", f"--pipelines={given.pipeline}"]
    run += [f"--env={given.env}"] if given.env else []
    run += [f"--params={given.params}"] if given.params else []
    whole, beyond, listed = [], [], []
    for number in range(given.rounds + 1):
        since = time.time()
        seconds, used = seconds_of(*run)
        if number:
            whole.append((seconds, used))
            beyond.append(seconds - training_seconds(given.pipeline, since))
            listed.append(seconds_of("registry", "list"))
    print("| command | seconds | of which training | seconds of the processor |")
    print("|---|---|---|---|")
    cost = statistics.median(beyond)
    median, used = (statistics.median(each) for each in zip(*whole, strict=True))
    print(f"| kedro {' '.join(run)} | {median:.1f} | {median - cost:.1f} | {used:.1f} |")
    median, used = (statistics.median(each) for each in zip(*listed, strict=True))
    print(f"| kedro registry list | {median:.1f} | | {used:.1f} |")
    print(
        f"one run costs {cost:.1f} s beyond its training (each: {', '.join(f'{each:.1f}' for each in beyond)})"
    )


if __name__ == "__main__":
    main()
