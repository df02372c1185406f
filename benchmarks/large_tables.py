"""What tables of many rows cost: CPU seconds by step and the peak of anonymous memory, beside the same on 1,000 rows.

    python benchmarks/large_tables.py [--rows 1000000] [--kind numeric|mixed] [--format csv|parquet]
        [--pipelines mlp] [--then predict evaluate] [--params autoencoder.epochs=1] [--steps 12]
    python benchmarks/large_tables.py --out-of-core [--rows 1000000 2000000 20000000] [--pipelines mlp rbm autoencoder]

The table has 20 columns beside its target, drawn from a seed: numbers, or three categories, a date and 16 numbers. Out
of core it is a folder of Parquet files of a million rows each, and rows per second are said for each number of rows,
with the exponent of the seconds in the rows: 1 is linear. Each command is a `kedro run` in a process of its own. Its
seconds are user and system time of the process and its children; a step is the loading or saving of an entry, or a
node, and `else` what lies between them (imports, tracking, the models stored at the end). The memory is RssAnon of
/proc/<pid>/status, looked at every 20 ms from another process: pages of mapped files are not in it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from golden import QUIET, THREADS
from large_table_files import link_parts, make_project, write_table

ROOT = Path(__file__).resolve().parent.parent
FEW = 1000
IN_MEMORY, IN_FILES = (1_000_000,), (1_000_000, 2_000_000, 20_000_000)
OUT_OF_CORE = ("compute.out_of_core=true", "split.method=hash")
ONE_EPOCH = {"mlp": "finetuning.epochs=1", "rbm": "rbm.epochs=1", "autoencoder": "autoencoder.epochs=1"}


class Clock:
    """Hooks that write when each step of a run has ended, and how many CPU seconds it took."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.ends: list[tuple[float, str]] = []
        self.last = 0.0

    def count(self, step: str) -> None:
        """Count the seconds since the last event for a step."""
        now = time.process_time()
        self.seconds[step] += now - self.last
        self.ends.append((time.time(), step))
        self.last = now

    def hooks(self) -> Any:
        """Return the object that Kedro calls."""
        from kedro.framework.hooks import hook_impl

        clock = self

        class Hooks:
            @hook_impl(tryfirst=True)
            def before_dataset_loaded(self) -> None:
                clock.count("else")

            @hook_impl
            def after_dataset_loaded(self, dataset_name: str) -> None:
                clock.count(f"load {dataset_name}")

            @hook_impl(trylast=True)
            def before_node_run(self) -> None:
                clock.count("else")

            @hook_impl(tryfirst=True)
            def after_node_run(self, node: Any) -> None:
                clock.count(node.name)

            @hook_impl(trylast=True)
            def before_dataset_saved(self) -> None:
                clock.count("else")

            @hook_impl(tryfirst=True)
            def after_dataset_saved(self, dataset_name: str) -> None:
                clock.count(f"save {dataset_name}")

        return Hooks()


def run_here(pipeline: str, pairs: list[str]) -> None:
    """Do `kedro run` in this process and this folder; write the seconds of its steps."""
    sys.path.insert(0, str(ROOT / "src"))
    clock = Clock()
    from kedro.framework.cli.cli import KedroCLI
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(Path.cwd())
    from layerwise import settings

    settings.HOOKS = (*settings.HOOKS, clock.hooks())
    command = ["run", f"--pipelines={pipeline}", "--env=large"]
    try:
        KedroCLI(Path.cwd()).main([*command, *([f"--params={','.join(pairs)}"] if pairs else [])])
    except SystemExit as end:
        if end.code:
            raise
    clock.count("else")
    Path("steps.json").write_text(json.dumps([clock.seconds, clock.ends]))


def anonymous_memory(pid: int) -> int:
    """Return a process's anonymous memory in bytes, 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


@dataclass(frozen=True)
class Measured:
    """What a command cost: CPU seconds and bytes, in all and by step."""

    seconds: float
    peak: int
    by_step: dict[str, float]
    peaks: dict[str, int]

    def beyond(self, other: Measured) -> dict[str, float]:
        """Return how many seconds each step took beyond another command's, the dearest first."""
        more = {step: value - other.by_step.get(step, 0.0) for step, value in self.by_step.items()}
        return dict(sorted(more.items(), key=lambda each: -each[1]))


def measure(pipeline: str, pairs: list[str]) -> Measured:
    """Run a pipeline in a process of its own; return what it cost."""
    command = [sys.executable, str(Path(__file__).resolve()), "--here", pipeline, *pairs]
    with Path("said.txt").open("w") as said:
        child = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | THREADS | QUIET)
    seen: list[tuple[float, int]] = []
    watch = threading.Event()

    def look() -> None:
        while not watch.wait(0.02):
            seen.append((time.time(), anonymous_memory(child.pid)))

    watcher = threading.Thread(target=look)
    watcher.start()
    _, status, used = os.wait4(child.pid, 0)
    watch.set()
    watcher.join()
    if status:
        sys.exit(f"{pipeline} failed:\n{Path('said.txt').read_text()[-3000:]}")
    seconds, ends = json.loads(Path("steps.json").read_text())
    peaks: Counter[str] = Counter()
    place = 0
    for when, value in seen:
        while place < len(ends) - 1 and ends[place][0] < when:
            place += 1
        peaks[ends[place][1]] = max(peaks[ends[place][1]], value)
    return Measured(used.ru_utime + used.ru_stime, max(value for _, value in seen), seconds, dict(peaks))


def _command(given: argparse.Namespace, pipeline: str, rows: int, file_format: str) -> str:
    place = "out of core" if given.out_of_core else file_format
    return " ".join([pipeline, str(rows), given.kind, place, *given.params])


def _measured_before(given: argparse.Namespace, rows: int, file_format: str) -> dict[str, Measured]:
    """Return what was measured already, where that is all of it and no model has to be asked."""
    if not (given.results and given.results.exists()) or given.then:
        return {}
    lines = [json.loads(line) for line in given.results.read_text().splitlines()]
    known = {line.pop("command"): Measured(**line) for line in lines}
    wanted = {each: _command(given, each, rows, file_format) for each in given.pipelines}
    return (
        {each: known[command] for each, command in wanted.items() if command in known}
        if all(command in known for command in wanted.values())
        else {}
    )


def measure_all(given: argparse.Namespace, rows: int, file_format: str) -> dict[str, Measured]:
    """Train on so many rows, then ask the model; return what each command cost."""
    if there := _measured_before(given, rows, file_format):
        return there
    with tempfile.TemporaryDirectory(dir=given.folder) as folder, chdir(folder):
        table = "table" if given.out_of_core else f"table.{file_format}"
        if given.out_of_core:
            link_parts(Path(table), given.parts, rows, given.kind)
        else:
            write_table(Path(table), rows, given.kind)
        make_project(ROOT, Path(folder).resolve(), table)
        found = {}
        for pipeline in given.pipelines:
            pairs = [ONE_EPOCH[pipeline]] if pipeline in ONE_EPOCH else []
            pairs += OUT_OF_CORE if given.out_of_core else []
            # So few rows have no such batches.
            pairs += [pair for pair in given.params if rows > FEW or ".batch_size=" not in pair]
            found[pipeline] = measure(pipeline, pairs)
            if given.results:
                line = {"command": _command(given, pipeline, rows, file_format), **asdict(found[pipeline])}
                with given.results.open("a") as file:
                    file.write(json.dumps(line) + "\n")
        for pipeline in given.then:
            ask = [f"{pipeline}.model=large@champion", f"{pipeline}.input={table}"]
            found[pipeline] = measure(pipeline, ask)
        return found


def print_beyond(what: str, found: Measured, few: Measured, n_steps: int) -> None:
    """Print what a command cost beyond the same on few rows, and its dearest steps."""
    print(f"\n{what} | beyond {FEW:,} rows | in all")
    print(f"CPU seconds | {found.seconds - few.seconds:.1f} | {found.seconds:.1f}")
    print(f"peak of anonymous memory, MB | {(found.peak - few.peak) / 1e6:.0f} | {found.peak / 1e6:.0f}")
    print("step | CPU seconds beyond | in all | peak, MB")
    for step, more in list(found.beyond(few).items())[:n_steps]:
        print(f"{step} | {more:.2f} | {found.by_step[step]:.2f} | {found.peaks.get(step, 0) / 1e6:.0f}")
    highest = ", ".join(f"{step} {value / 1e6:.0f}" for step, value in Counter(found.peaks).most_common(5))
    print(f"highest peaks, MB: {highest}", flush=True)


def print_rates(pipeline: str, found: dict[int, Measured], few: Measured, n_steps: int) -> None:
    """Print rows per second of the dearest steps and of the whole run for each number of rows, and the exponents."""
    rows = sorted(found)
    print(
        f"\n{pipeline}, rows per CPU second beyond {FEW:,} rows | {' | '.join(f'{n:,}' for n in rows)} | exponent"
    )
    beyond = {n: found[n].beyond(few) | {"the whole run": found[n].seconds - few.seconds} for n in rows}
    for step in ["the whole run", *found[rows[-1]].beyond(few)][: n_steps + 1]:
        seconds = [max(0.01, beyond[n].get(step, 0.0)) for n in rows]
        slope = math.log(seconds[-1] / seconds[0]) / math.log(rows[-1] / rows[0]) if len(rows) > 1 else 1.0
        rates = " | ".join(f"{n / each:,.0f}" for n, each in zip(rows, seconds, strict=True))
        print(f"{step} | {rates} | {slope:.2f}")
    print(
        f"peak of anonymous memory, MB | {' | '.join(f'{found[n].peak / 1e6:.0f}' for n in rows)}", flush=True
    )


def main() -> None:
    """Measure tables of few rows and of many, and print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--kind", choices=["numeric", "mixed"], default="numeric")
    parser.add_argument("--format", choices=["csv", "parquet"], nargs="+")
    parser.add_argument("--out-of-core", action="store_true")
    parser.add_argument("--pipelines", nargs="+")
    parser.add_argument("--then", nargs="*", default=[], metavar="PIPELINE")
    parser.add_argument("--params", nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=12, help="how many steps are printed, the dearest first")
    parser.add_argument("--folder", type=Path, help="where the tables are written; the temporary folder")
    parser.add_argument("--parts", type=Path, help="where the files of large tables stay; nowhere by default")
    parser.add_argument("--results", type=Path, help="a file of what was measured before, to go on from")
    parser.add_argument("--here", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        run_here(given.here[0], given.here[1:])
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        given.results = given.results and given.results.resolve()
        given.parts = (given.parts or Path(folder)).resolve()
        measure_given(given)


def measure_given(given: argparse.Namespace) -> None:
    """Measure and print what was asked for."""
    given.pipelines = given.pipelines or (list(ONE_EPOCH) if given.out_of_core else ["mlp"])
    for file_format in ["parquet"] if given.out_of_core else given.format or ["csv"]:
        few = measure_all(given, FEW, file_format)
        many: dict[str, dict[int, Measured]] = {pipeline: {} for pipeline in few}
        for rows in given.rows or (IN_FILES if given.out_of_core else IN_MEMORY):
            for pipeline, found in measure_all(given, rows, file_format).items():
                many[pipeline][rows] = found
                kind = f"{given.kind}, {'out of core' if given.out_of_core else file_format}"
                print_beyond(f"{pipeline}, {rows:,} rows ({kind})", found, few[pipeline], given.steps)
        if given.out_of_core:
            for pipeline, each in many.items():
                print_rates(pipeline, each, few[pipeline], given.steps)


if __name__ == "__main__":
    main()
