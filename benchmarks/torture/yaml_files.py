"""Break the YAML files of a problem at random, and count how the project answers.

    python benchmarks/torture/yaml_files.py --seed 1 --cases 200 [--commands 0.05]

Each case changes an environment's two files in one to three places: a character, a line, an indentation, a value, a
name, bytes that are no text. It is read in this process, and one in twenty by the real command (`--commands`). Counts:
read (the change did no harm), a sentence, a traceback. The exit status is 1 where there is a traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import random
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "src")]

import golden  # noqa: E402 - found by the path above

WORDS = (
    "yes", "no", "null", "~", "[]", "{}", "[1", "{a: 1", "'x", '"x', "&a", "*a", "!!python/name:os.system", "!x y",
    "${nope:1}", "${seed}", "${", "1e400", ".nan", "-1", "2020-01-01", "0x1F", "|", ">", "%", "@", "`", ": :", "- - -",
    "\t", "\ufeff", "é", "#",
)  # fmt: skip


def broken(text: str, rng: random.Random) -> bytes:
    """Return a file's text with one to three changes."""
    content = text
    for _ in range(rng.randint(1, 3)):
        lines = content.split("\n")
        k = rng.randrange(len(lines))
        how = rng.randrange(9)
        if how == 0:
            lines.insert(k, lines[rng.randrange(len(lines))])
        elif how == 1:
            del lines[k]
        elif how == 2:
            lines[k] = rng.choice((" ", "  ", "\t", "   ")) + lines[k]
        elif how == 3:
            lines[k] = lines[k].strip()
        elif how == 4 and ":" in lines[k]:
            lines[k] = lines[k].partition(":")[0] + ": " + rng.choice(WORDS)
        elif how == 5:
            at = rng.randrange(len(lines[k]) + 1)
            lines[k] = lines[k][:at] + rng.choice("{}[]:,&*#?|-<>=!%@`'\"\\\t\0x") + lines[k][at:]
        elif how == 6:
            lines.insert(k, rng.choice(WORDS))
        elif how == 7:
            lines[k] = lines[k].replace(":", "", 1)
        else:
            lines = lines[:k]
        content = "\n".join(lines)
    found = content.encode("utf-8", "surrogatepass")
    if rng.random() < 0.1:
        at = rng.randrange(len(found) + 1)
        found = found[:at] + rng.choice((b"\xff", b"\xe9", b"\x00", b"\xc3")) + found[at:]
    return found


def read_here(project: Path) -> str:
    """Read the environment in this process; return what that came to."""
    from kedro.framework.session import KedroSession

    from layerwise.cli.errors import is_user_error

    said = io.StringIO()
    try:
        with (
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(said),
            KedroSession.create(project, env="broken", save_on_close=False) as session,
        ):
            session.load_context().catalog  # noqa: B018 - reading it is the case
    except Exception as error:
        return (
            "sentence" if is_user_error(error) else f"traceback: {type(error).__name__}: {str(error)[:150]}"
        )
    return "read"


def read_by_command(project: Path) -> str:
    """Read it by the command line; return what that came to."""
    kedro = str(Path(sys.executable).with_name("kedro"))
    # No node of that name: everything before the nodes is done.
    command = [kedro, "run", "--pipelines=mlp", "--env=broken", "--to-nodes=none"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120)
    if "Traceback" in done.stderr + done.stdout:
        return "traceback: " + (done.stderr.strip().splitlines() or [""])[-1][:150]
    return "sentence"


def main() -> int:
    """Break as many environments as the command says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--commands", type=float, default=0.05, help="the share that the real command reads")
    given = parser.parse_args()
    os.environ.update(golden.THREADS | golden.QUIET)
    from kedro.framework.startup import bootstrap_project

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    rng, counts = random.Random(given.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        project = golden.Project(Path(name).resolve()).path
        bootstrap_project(project)
        folder = project / "conf/broken"
        folder.mkdir()
        for k in range(given.cases):
            for file in ("catalog.yml", "parameters.yml"):
                text = (ROOT / "conf/forest_fires" / file).read_text()
                (folder / file).write_bytes(broken(text, rng) if rng.random() < 0.7 else text.encode())
            by_command = rng.random() < given.commands
            found = read_by_command(project) if by_command else read_here(project)
            counts[found.partition(":")[0]] += 1
            counts["by the command"] += by_command
            if found.startswith("traceback"):
                print(f"case {k}: {found}", flush=True)
            if k % 20 == 19:
                print(f"{k + 1} of {given.cases}: {dict(counts)}", flush=True)
    print(dict(counts))
    return 1 if counts["traceback"] else 0


if __name__ == "__main__":
    sys.exit(main())
