"""Draw parameters at random, run with them, and count how the project answers.

    python benchmarks/torture/parameters.py --seed 1 --cases 200 [--commands 0.05]

Each case is a pipeline with one to four settings of its keys, whose values are drawn by the type that the settings'
model gives them, right ones and wrong ones. It runs in a fork of this process, and one in twenty by the real command
(`--commands`). Counts: ran, a sentence, a traceback, a hang (30 s of processor time without a line), long (still
saying something after `--seconds`), and runs that say nothing of a NaN or an infinity that they wrote into JSON, into
a network or as a metric of the test rows. The exit status is 1 where there is a traceback, a hang or such a NaN.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types
import typing
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "src")]

import golden  # noqa: E402 - found by the path above
from forks import processor_seconds, start, warm_up  # noqa: E402
from golden_cases import SMALL  # noqa: E402
from nested_parameters import nested  # noqa: E402
from runs import SMALLER  # noqa: E402

HANG = 30.0
BAD = ("traceback", "hang", "silent NaN", "killed")
# Of each pipeline the keys that it reads, and the environments that it is drawn with.
TABLES, IMAGES = ("forest_fires", "forest_fires_size"), ("digits",)
COMMON = (
    "problem",
    "split",
    "preprocessing",
    "labelled_rows",
    "evaluation",
    "layer_statistics",
    "seed",
    "checkpoints",
)
FINETUNING = (*COMMON, "finetuning", "refit", "compare")
PIPELINES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mlp": ((*FINETUNING, "mlp", "seeds", "grid"), TABLES),
    "dbn": ((*FINETUNING, "pretraining", "dbn"), TABLES),
    "sae": ((*FINETUNING, "pretraining", "sae"), TABLES),
    "rbm": ((*COMMON, "rbm"), (*TABLES, *IMAGES)),
    "autoencoder": ((*COMMON, "autoencoder"), (*TABLES, *IMAGES)),
    "gan": ((*COMMON, "gan", "synthesize"), (*TABLES, *IMAGES)),
    "gan_ring": (("ring", "seed"), IMAGES),
    "gradients": (("gradients", "seed", "preprocessing"), IMAGES),
    "gan_applications": (("gan", "seed", "preprocessing", "gan_applications"), IMAGES),
    "dbm": ((*FINETUNING, "pretraining", "dbm"), IMAGES),
    **dict.fromkeys(("linear", "forest", "boosting"), ((*COMMON, "compare", "refit"), TABLES)),
}  # fmt: skip
WHOLE = ("0", "1", "2", "3", "5", "7", "20", "50", "-1", "-5", "1.5", "007", "1e2", "99999999999999999999")
REAL = (
    "0", "0.0", "1e-30", "0.001", "0.1", "0.5", "0.9", "0.999999", "1", "1.0", "2", "30", "1e6", "1e30", "1e200",
    "-0.1", "-1", "-1e9", ".inf", ".nan", "1e400",
)  # fmt: skip
WORDS = ("", "x", "none", "auto", "yes", "é", "'1'", "area", "/", "../x", "${seed}", "a,b")
WRONG = ("null", "true", "[]", "[1]", "[x,null]", "{}", "{a: 1}", "2020-01-01", *WORDS[1:4])


def value_of(kind: Any, rng: random.Random) -> str:
    """Return a value of a type as YAML."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return value_of(inner[0], rng)
    if origin is typing.Literal:
        return str(rng.choice(inner))
    if origin in (typing.Union, types.UnionType):
        return value_of(rng.choice(inner), rng)
    if origin in (tuple, list, frozenset):
        of = inner[0] if inner else str
        return f"[{','.join(value_of(of, rng) for _ in range(rng.choice((0, 1, 1, 2, 2, 3))))}]"
    if kind is type(None):
        return "null"
    if kind is bool:
        return rng.choice(("true", "false"))
    likely = {
        int: ("1", "2", "3", "5", "7", "20"),
        float: ("0.001", "0.01", "0.1", "0.5", "0.9", "1.0", "2.0"),
    }
    if kind in likely and rng.random() < 0.7:
        return rng.choice(likely[kind])
    return rng.choice(WHOLE if kind is int else REAL if kind is float else WORDS)


def fields_of(model: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a model with their types, those of models inside it too."""
    from pydantic import BaseModel

    for name, field in getattr(model, "model_fields", {}).items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from fields_of(kind, f"{prefix}.{name}")
        yield f"{prefix}.{name}", kind
    if not hasattr(model, "model_fields"):
        yield prefix, model


def drawn(pipeline: str, rng: random.Random) -> list[str]:
    """Return one to four settings of a pipeline's keys."""
    from layerwise.parameters.keys import PARAMETERS

    keys = PIPELINES[pipeline][0]
    own = keys[-1] if pipeline != "mlp" else "mlp"
    found = {}
    for _ in range(rng.randint(1, 4)):
        # Every second one is of the pipeline's own key.
        key = own if rng.random() < 0.5 else rng.choice(keys)
        name, kind = rng.choice(list(fields_of(PARAMETERS[key], key)))
        found[name] = rng.choice(WRONG) if rng.random() < 0.05 else value_of(kind, rng)
    return [f"{name}={value}" for name, value in found.items()]


def not_finite(project: golden.Project, data: Path) -> list[str]:
    """Return what a run wrote that is no number."""
    import torch
    from safetensors.torch import load_file

    found = []

    def refuse(text: str) -> None:
        raise ArithmeticError(text)

    for path in sorted(data.rglob("*")):
        if "checkpoints" in path.parts or "outbox" in path.parts:
            continue
        if path.suffix == ".json":
            try:
                json.loads(path.read_text(), parse_constant=refuse)
            except ArithmeticError:
                found.append(path.name)
        if path.suffix == ".safetensors" and "06_models" in path.parts:
            tensors = load_file(path).values()
            found += [path.name] * any(t.is_floating_point() and not torch.isfinite(t).all() for t in tensors)
    rows = project._query(
        "select key from latest_metrics join runs using (run_uuid) where key like 'test/%' and status = 'FINISHED' "
        "and (is_nan or abs(value) > 1e300)"
    )
    return found + [key for (key,) in rows]


def without_figures(pipeline: str) -> list[str]:
    """Return the stages of a pipeline but its figures."""
    from kedro.framework.project import pipelines

    stages = {str(node.namespace).partition(".")[0] for node in pipelines[pipeline].nodes if node.namespace}
    return sorted(stages - {"reporting"})


class Fuzzer:
    """Runs with drawn parameters in one copy of the project.

    Args:
        project: the copy.
        seconds: of processor time that a run gets.
    """

    def __init__(self, project: golden.Project, seconds: float) -> None:
        self.project, self.seconds = project, seconds
        self.said, self.empty = project.path / "said.txt", project.path / "empty.db"
        self._warm: set[str] = set()

    def run(self, pipeline: str, env: str, pairs: list[str], figures: bool) -> int:
        """Run in this process, which is a fork; return an exit status: 0 ran, 1 a traceback, 2 a sentence."""
        from kedro.framework.session import KedroSession

        from layerwise.cli.errors import is_user_error

        out = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        logging.disable(logging.NOTSET)
        try:
            parameters = nested([*SMALL.split(), *SMALLER.get(pipeline, ()), *pairs])
        except Exception:  # what YAML refuses, the command line refuses before anything runs
            return 2
        try:
            with KedroSession.create(
                self.project.path, env=env, save_on_close=False, runtime_params=parameters
            ) as session:
                session.run(
                    pipeline_names=[pipeline], namespaces=None if figures else without_figures(pipeline)
                )
        except BaseException as error:
            print(f"\nENDED {type(error).__name__}: {' '.join(str(error).split())[:600]}", flush=True)
            return 2 if isinstance(error, Exception) and is_user_error(error) else 1
        return 0

    def outcome(self, pipeline: str, env: str, pairs: list[str], figures: bool) -> str:
        """Run in a fork; return what that came to."""
        if pipeline not in self._warm:
            self._warm.add(pipeline)
            if warm_up(lambda: self.run(pipeline, env, [], True), self.project.path / "modules.json"):
                raise SystemExit(f"{pipeline} does not run at all: {self.said.read_text()[-2000:]}")
            if not self.empty.exists():  # MLflow takes seconds to make one
                shutil.copyfile(self.project.path / "mlflow.db", self.empty)
        self.clear()
        self.said.write_text("")
        pid = start(lambda: self.run(pipeline, env, pairs, figures))
        quiet, size, used = 0.0, 0, 0.0
        while (used := processor_seconds(pid)) < self.seconds and used - quiet < HANG:
            if self.said.stat().st_size != size:
                size, quiet = self.said.stat().st_size, used
            time.sleep(0.05)
        if used != float("inf"):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "hang" if used - quiet >= HANG else "long"
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        ended = self.said.read_text(errors="replace").rpartition("ENDED ")[2][:400]
        if status < 0:
            return f"killed: by signal {-status}"
        if status:
            return f"traceback: {ended}" if status == 1 else "sentence"
        wrong = not_finite(self.project, self.project.path / "data")
        # A run may end well with a network that diverged, if it says so.
        told = any(
            word in self.said.read_text(errors="replace") for word in ("not finite", "diverged", "no number")
        )
        return (
            f"silent NaN: {', '.join(wrong)}" if wrong and not told else "ran, NaN told" if wrong else "ran"
        )

    def by_command(self, pipeline: str, env: str, pairs: list[str]) -> str:
        """Run by the command line; return what that came to."""
        self.clear()
        kedro = str(Path(sys.executable).with_name("kedro"))
        given = ",".join([*SMALL.split(), *SMALLER.get(pipeline, ()), *pairs])
        command = [kedro, "run", f"--pipelines={pipeline}", f"--env={env}", f"--params={given}"]
        try:
            done = subprocess.run(
                command, cwd=self.project.path, capture_output=True, text=True, timeout=20 * self.seconds
            )
        except subprocess.TimeoutExpired:
            return "long"
        if "Traceback" in done.stderr + done.stdout:
            return "traceback: " + (done.stderr.strip().splitlines() or [""])[-1][:300]
        if done.returncode:
            return "sentence"
        wrong = not_finite(self.project, self.project.path / "data")
        return f"silent NaN: {', '.join(wrong)}" if wrong else "ran"

    def clear(self) -> None:
        """Remove what earlier cases wrote."""
        for folder in (self.project.path / "data").iterdir():
            if folder.name != "01_raw":
                shutil.rmtree(folder)
        for path in self.project.path.glob("mlflow.db*"):
            path.unlink()
        shutil.rmtree(self.project.path / "mlruns", ignore_errors=True)
        if self.empty.exists():
            shutil.copyfile(self.empty, self.project.path / "mlflow.db")


def main() -> int:
    """Draw as many sets of parameters as the command says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--commands", type=float, default=0.05, help="the share that the real command runs")
    parser.add_argument("--pipelines", default=",".join(PIPELINES))
    parser.add_argument("--seconds", type=float, default=60.0, help="of processor time that a run gets")
    given = parser.parse_args()
    os.environ.update(golden.THREADS | golden.QUIET)
    for name in ("MLFLOW_TRACKING_URI", "LAYERWISE_ARTIFACTS"):
        os.environ.pop(name, None)
    from kedro.framework.startup import bootstrap_project

    import layerwise.tracking.model_logging
    import layerwise.training  # noqa: F401 - imported before the forks

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    rng, counts = random.Random(given.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        project = golden.Project(Path(name).resolve())
        bootstrap_project(project.path)
        fuzzer = Fuzzer(project, given.seconds)
        for k in range(given.cases):
            pipeline = rng.choice(given.pipelines.split(","))
            env = rng.choice(PIPELINES[pipeline][1])
            pairs = drawn(pipeline, rng)
            # Figures take most of a run: every fourth one makes them.
            figures = rng.random() < 0.25
            by_command = rng.random() < given.commands
            if by_command:
                found = fuzzer.by_command(pipeline, env, pairs)
            else:
                found = fuzzer.outcome(pipeline, env, pairs, figures)
            counts[found.partition(":")[0]] += 1
            counts["by the command"] += by_command
            if found.startswith(BAD):
                print(f"case {k}: {pipeline} --env={env} {' '.join(pairs)}: {found}", flush=True)
            if k % 20 == 19:
                print(f"{k + 1} of {given.cases}: {dict(counts)}", flush=True)
    print(dict(counts))
    return 1 if any(name in counts for name in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())
