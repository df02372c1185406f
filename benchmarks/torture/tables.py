"""Spoil tables at random, train on them, ask a trained model about them, and count how the project answers.

    python benchmarks/torture/tables.py --seed 1 --cases 200

Each case is a small table of numbers, words, dates and a target, spoiled in one to three ways: cells of 1e200, a date
of the year 1, a stray quote, rows of another length, names that come twice, bytes that are no text, a file that is cut
off. It is read and prepared as a run does it, and a model of the sound table predicts it. Counts for each of both:
answered, a sentence, a traceback, slow (30 s), two features of one name, an answer that is no number. The exit status
is 1 where there is one of the last four.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import logging
import math
import os
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
N = 120
SLOW = 30.0
CELLS = (
    "1e200", "-1e200", "1e39", "inf", "nan", "", " ", "0x10", "1_000", "1,5", "true", "'", '"', '"x', 'x"', "-",
    "0001-01-01", "9999-12-31", "2020-02-30", "=1+1", "NULL", "١", "1e-320", "\0", "\t", "\ufeff", "x" * 3000,
    "99999999999999999999",
)  # fmt: skip
BAD = ("traceback", "slow", "two of one name", "no number")


def sound(rng: random.Random) -> list[list[str]]:
    """Return the cells of a table, its header first."""
    head = ["a", "b", "word", "when", "y"]
    rows = [
        [
            f"{rng.gauss(0, 1):.4f}",
            str(rng.randrange(100)),
            rng.choice(("red", "blue", "green")),
            f"20{rng.randrange(10, 25)}-0{rng.randrange(1, 9)}-{rng.randrange(10, 28)}",
            rng.choice(("no", "yes")),
        ]
        for _ in range(N)
    ]
    return [head, *rows]


def spoiled(cells: list[list[str]], rng: random.Random) -> bytes:
    """Return the bytes of a table after one to three changes."""
    cells = [list(row) for row in cells]
    for _ in range(rng.randint(1, 3)):
        row, column = rng.randrange(1, len(cells)), rng.randrange(5)
        how = rng.randrange(10)
        if how <= 3:
            for each in rng.sample(range(1, len(cells)), min(rng.choice((1, 1, 3, 60)), len(cells) - 1)):
                if column < len(cells[each]):
                    cells[each][column] = rng.choice(CELLS)
        elif how == 4:
            cells[row].append(rng.choice(CELLS))
        elif how == 5 and cells[row]:
            cells[row].pop()
        elif how == 6:
            cells[0][column] = rng.choice(("a", "a ", "", "y", "word_red", "when_days", "1", "A", "a=b", "é"))
        elif how == 7:
            value = rng.choice(CELLS)
            for each in cells[1:]:
                each[column : column + 1] = [value]
        elif how == 8:
            cells = cells[: rng.choice((1, 2, 3, 10))]
        else:
            cells[row] = []
        if len(cells) < 2:
            break
    separator = rng.choice((",", ",", ",", ";", "\t"))
    content = "\n".join(separator.join(row) for row in cells).encode("utf-8", "surrogatepass")
    how = rng.random()
    if how < 0.05:
        return content[: rng.randrange(len(content) + 1)]
    if how < 0.1:
        at = rng.randrange(len(content) + 1)
        return content[:at] + rng.choice((b"\xff", b"\xe9", b"\x00", b"\r")) + content[at:]
    return content


def outcome(call: Callable[[], str]) -> str:
    """Return what a call came to."""
    from layerwise.cli.errors import is_user_error

    began = time.monotonic()
    try:
        found = call()
    except Exception as error:
        found = (
            "sentence" if is_user_error(error) else f"traceback: {type(error).__name__}: {str(error)[:150]}"
        )
    return "slow" if time.monotonic() - began > SLOW else found


def train(path: Path, folder: Path) -> Any:
    """Return a model for a table, as training reads and prepares it; its weights are random."""
    from helpers import doors

    from layerwise.data import Problem

    return doors.train(path, folder, Problem(name="spoiled", task="binary", target="y"))[0]


def names_of(path: Path, folder: Path) -> str:
    """Train, and say whether every feature has a name of its own."""
    names = train(path, folder).columns.feature_names
    return "answered" if len(set(names)) == len(names) else "two of one name"


def predictions_of(model: Any, path: Path) -> str:
    """Predict, and say whether every row has numbers or a reason."""
    from helpers import doors

    answers = doors.by_predict(model, path)
    numbers = [value for answer in answers for value in answer.values() if isinstance(value, float)]
    return "answered" if all(map(math.isfinite, numbers)) else "no number"


def main() -> int:
    """Spoil as many tables as the command says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=100)
    given = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", DO_NOT_TRACK="true", MLFLOW_DISABLE_TELEMETRY="true")
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    csv.field_size_limit(sys.maxsize)
    rng, counts = random.Random(given.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = folder / "sound.csv"
        whole.write_text("\n".join(",".join(row) for row in sound(rng)))
        model = train(whole, folder / "model")
        for k in range(given.cases):
            content, packed = spoiled(sound(rng), rng), rng.random() < 0.1
            path = folder / ("case.csv.gz" if packed else "case.csv")
            if packed:
                content = gzip.compress(content)[: rng.choice((10**9, 20, 100, 400))]
            path.write_bytes(content)
            for what, call in (
                ("trained", lambda path=path: names_of(path, folder / "own")),
                ("predicted", lambda path=path: predictions_of(model, path)),
            ):
                found = outcome(call)
                counts[f"{what}: {found.partition(':')[0]}"] += 1
                if found.partition(":")[0] in BAD:
                    print(f"case {k}: {what}: {found}", flush=True)
            if k % 20 == 19:
                print(f"{k + 1} of {given.cases}: {dict(counts)}", flush=True)
    print(dict(counts))
    return 1 if any(name.endswith(BAD) for name in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
