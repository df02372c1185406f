"""What tables of many rows cost: CPU seconds by step and the peak of anonymous memory, beside the same on 1,000 rows.

    python benchmarks/large_tables.py [--rows 1000000] [--kind numeric|mixed] [--format csv|parquet] [--steps 12]
        [--pipeline mlp] [--then predict evaluate] [--params autoencoder.epochs=1]

The table has 20 columns beside its target, drawn from a seed: numbers, or three categories, a date and 16 numbers. Each
command is a process of its own. Its seconds are user and system time of the process and its children; a step is the
loading or saving of an entry, or a node, and `else` what lies between them (imports, tracking, the models stored at the
end). The memory is RssAnon of /proc/<pid>/status, looked at every 20 ms: pages of mapped files are not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from golden import QUIET, THREADS
from nested_parameters import nested

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, BLOCK, FEW = 20, 100_000, 1000
CATALOG = "raw:\n  type: layerwise.datasets.SourceTable\n  path: .\n  file:\n    name: {name}\n"
PROBLEM = "problem:\n  name: large\n  task: binary\n  target: y\nfinetuning:\n  epochs: 1\n"
WORDS = ("red", "green", "blue", "white", "black", "gray", "brown")


def blocks(rows: int, kind: str) -> Iterator[Any]:
    """Yield the table in parts."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    for start in range(0, rows, BLOCK):
        n = min(BLOCK, rows - start)
        values = rng.standard_normal((n, COLUMNS))
        chance = 1 / (1 + np.exp(-(values[:, 0] + values[:, 1] * values[:, 2])))
        frame = pd.DataFrame({f"x{k}": values[:, k].round(4) for k in range(COLUMNS)})
        for k in range(16, COLUMNS):
            frame[f"x{k}"] = rng.integers(0, 10_000, n)
        if kind == "mixed":
            for k in range(3):
                frame[f"x{k + 16}"] = np.array(WORDS)[rng.integers(0, len(WORDS), n)]
            days = rng.integers(0, 3650, n).astype("timedelta64[D]")
            frame["x19"] = (np.datetime64("2015-01-01") + days).astype(str)
        frame["y"] = (rng.random(n) < chance).astype(int)
        yield frame


def write_table(path: Path, rows: int, kind: str) -> None:
    """Write the table as CSV or Parquet, by the file's name."""
    if path.suffix == ".csv":
        for k, frame in enumerate(blocks(rows, kind)):
            frame.to_csv(path, mode="a", header=k == 0, index=False)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for frame in blocks(rows, kind):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def make_project(path: Path, table: str) -> None:
    """Make a project of links to this one, with an environment for the table."""
    for name in ("pyproject.toml", ".telemetry", "src/layerwise", "conf/base", "conf/digits"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            (path / name).symlink_to(ROOT / name)
    conf = path / "conf/large"
    conf.mkdir()
    (conf / "catalog.yml").write_text(CATALOG.format(name=table))
    (conf / "parameters.yml").write_text(PROBLEM)


class Clock:
    """Hooks that count the CPU seconds between the events of a run, and keep the peak of memory there."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.peaks: dict[str, int] = {}
        self.last, self.peak = 0.0, 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, anonymous_memory(os.getpid()))
            time.sleep(0.02)

    def count(self, step: str) -> None:
        """Count the seconds since the last event for a step."""
        now = time.process_time()
        self.seconds[step] += now - self.last
        self.peaks[step] = max(self.peaks.get(step, 0), self.peak)
        self.last, self.peak = now, 0

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
    """Run a pipeline in this process and this folder; write the seconds of its steps."""
    sys.path.insert(0, str(ROOT / "src"))
    clock = Clock()
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from layerwise import settings

    settings.HOOKS = (*settings.HOOKS, clock.hooks())
    bootstrap_project(Path.cwd())
    with KedroSession.create(env="large", save_on_close=False, runtime_params=nested(pairs)) as session:
        session.run(pipeline_names=[pipeline])
    clock.count("else")
    steps = {step: [seconds, clock.peaks[step]] for step, seconds in clock.seconds.items()}
    Path("steps.json").write_text(json.dumps(steps))


def anonymous_memory(pid: int) -> int:
    """Return a process's anonymous memory in bytes, 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


Measured = tuple[dict[str, list[float]], float, int]


def measure(pipeline: str, pairs: list[str]) -> Measured:
    """Run a pipeline in a process of its own; return the seconds and peaks of its steps, and those of all of it."""
    command = [sys.executable, str(Path(__file__).resolve()), "--here", pipeline, *pairs]
    with Path("said.txt").open("w") as said:
        child = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | THREADS | QUIET)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{pipeline} failed:\n{Path('said.txt').read_text()[-3000:]}")
    steps = json.loads(Path("steps.json").read_text())
    return steps, used.ru_utime + used.ru_stime, max(peak for _, peak in steps.values())


def measure_all(given: argparse.Namespace, rows: int) -> dict[str, Measured]:
    """Train on so many rows, then ask the model; return what each command cost."""
    with tempfile.TemporaryDirectory(dir=given.folder) as folder, chdir(folder):
        table = f"table.{given.format}"
        write_table(Path(table), rows, given.kind)
        make_project(Path(folder).resolve(), table)
        found = {given.pipeline: measure(given.pipeline, given.params)}
        for pipeline in given.then:
            ask = [f"{pipeline}.model=large@champion", f"{pipeline}.input={table}"]
            found[pipeline] = measure(pipeline, ask)
        return found


def main() -> None:
    """Measure a table of few rows and one of many, and print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kind", choices=["numeric", "mixed"], default="numeric")
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--pipeline", default="mlp")
    parser.add_argument("--then", nargs="*", default=[], metavar="PIPELINE")
    parser.add_argument("--params", nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=12, help="how many steps are printed, the dearest first")
    parser.add_argument("--folder", type=Path, help="where the tables are written; the temporary folder")
    parser.add_argument("--here", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        run_here(given.here[0], given.here[1:])
        return
    few, many = (measure_all(given, rows) for rows in (FEW, given.rows))
    for pipeline, (steps, seconds, peak) in many.items():
        before, seconds_before, peak_before = few[pipeline]
        print(
            f"\n{pipeline}, {given.rows:,} rows ({given.kind}, {given.format}) | beyond {FEW:,} rows | in all"
        )
        print(f"CPU seconds | {seconds - seconds_before:.1f} | {seconds:.1f}")
        print(f"peak of anonymous memory, MB | {(peak - peak_before) / 1e6:.0f} | {peak / 1e6:.0f}")
        print("step | CPU seconds beyond | in all | peak, MB")
        more = {step: value - before.get(step, [0.0])[0] for step, (value, _) in steps.items()}
        for step in sorted(more, key=more.__getitem__, reverse=True)[: given.steps]:
            value, highest = steps[step]
            print(f"{step} | {more[step]:.2f} | {value:.2f} | {highest / 1e6:.0f}")


if __name__ == "__main__":
    main()
