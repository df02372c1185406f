"""How a run's CPU seconds and memory grow with rows, columns, classes, units, layers and networks.

    python benchmarks/costs.py [--only mlp/columns ...] [--minutes 10] [--again]

A figure is one command in a process of its own, on one thread, on a table that is drawn from a seed. What is measured
is written into docs/costs.json at once; the next call goes on with what is missing, and `--again` measures what is
there already. Everything together takes a quarter of an hour of one core. `python docs/make_speed.py` then makes the
page.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from large_tables import ROOT, make_project, measure

FIGURES = ROOT / "docs/costs.json"
# Steps below are no figure's business.
LEAST_SECONDS = 0.05
# Every network's, so that what is seen is growth and not an early stop.
SHORT = (
    "finetuning.epochs=1",
    "pretraining.epochs=1",
    "rbm.epochs=1",
    "autoencoder.epochs=1",
    "gan.epochs=1",
)
TRAINING = ("finetuning.epochs=20", "pretraining.epochs=20", "rbm.epochs=20")


@dataclass(frozen=True)
class Series:
    """One axis of one pipeline: the sizes, and what else the table and the command have."""

    pipeline: str
    axis: str
    sizes: tuple[int, ...]
    params: tuple[str, ...] = SHORT
    rows: int = 1000
    columns: int = 20
    classes: int = 2
    # What the trained model is asked on the same rows.
    then: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Pipeline and axis."""
        return f"{self.pipeline}/{self.axis}"

    def table(self, size: int) -> dict[str, int]:
        """Return the size of the table."""
        found = {"rows": self.rows, "columns": self.columns, "classes": self.classes}
        return found | ({self.axis: size} if self.axis in found else {})

    def settings(self, size: int) -> list[str]:
        """Return the parameters of the command."""
        task = "multiclass" if self.table(size)["classes"] > 2 else "binary"
        own = {
            "networks": f"seeds={size}",
            "units": f"rbm.n_hidden={size}" if self.pipeline == "rbm" else f"mlp.hidden_sizes=[{size}]",
            "layers": f"{self.pipeline}.hidden_sizes={[128] * size}",
        }
        return [f"problem.task={task}", *self.params, *([own[self.axis]] if self.axis in own else [])]


ASK = ("predict", "evaluate")
SERIES = (
    Series("mlp", "rows", (1000, 10_000, 100_000), then=ASK),
    Series("mlp", "columns", (10, 100, 1000, 3000), then=ASK),
    Series("mlp", "classes", (10, 100, 1000), (*SHORT, "evaluation.baselines=false"), rows=20_000, then=ASK),
    Series("mlp", "units", (64, 512, 4096), TRAINING),
    Series("mlp", "layers", (1, 4, 16), TRAINING),
    Series("mlp", "networks", (1, 8, 64), TRAINING),
    Series("dbn", "rows", (1000, 10_000, 100_000)),
    Series("dbn", "columns", (10, 100, 1000)),
    Series("dbn", "layers", (1, 4, 16), TRAINING),
    Series("rbm", "rows", (1000, 10_000, 100_000)),
    Series("rbm", "columns", (10, 100, 1000)),
    Series("rbm", "units", (64, 512, 4096)),
    Series("autoencoder", "rows", (1000, 10_000, 100_000)),
    Series("autoencoder", "columns", (10, 100, 1000)),
    Series("autoencoder", "classes", (10, 100, 1000), rows=20_000),
    Series("gan", "rows", (1000, 10_000)),
    Series("gan", "columns", (10, 100)),
    Series("gan", "classes", (10, 100), rows=5000),
)


def write_table(path: Path, rows: int, columns: int, classes: int) -> None:
    """Write standard normal numbers, and as target the noisy rank of the last of them in equal classes."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    values = rng.standard_normal((rows, columns)).round(4)
    frame = pd.DataFrame(values, columns=[f"x{k}" for k in range(columns)])
    ranks = np.argsort(np.argsort(values[:, -1] + 0.5 * rng.standard_normal(rows)))
    frame["y"] = [f"c{k}" for k in ranks * classes // rows]
    frame.to_csv(path, index=False)


def costs_of(series: Series, size: int) -> dict[str, dict[str, Any]]:
    """Return the CPU seconds, the peak of memory and the dear steps of each command, by pipeline."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        write_table(Path("table.csv"), **series.table(size))
        make_project(Path(folder).resolve(), "table.csv")
        found = {}
        for pipeline in (series.pipeline, *series.then):
            ask = [f"{pipeline}.model=large@champion", f"{pipeline}.input=table.csv"]
            own = pipeline == series.pipeline
            steps, seconds, peak = measure(pipeline, series.settings(size) if own else ask)
            dear = {name: round(each, 2) for name, (each, _) in steps.items() if each >= LEAST_SECONDS}
            found[pipeline] = {"seconds": round(seconds, 1), "megabytes": round(peak / 1e6), "steps": dear}
        return found


def missing(series: Series, figures: dict[str, Any]) -> Iterator[int]:
    """Yield the sizes that have no figures yet, the smallest first."""
    yield from (size for size in series.sizes if str(size) not in figures.get(series.name, {}))


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", metavar="PIPELINE/AXIS", help="which; without it, all")
    parser.add_argument("--minutes", type=float, help="begin nothing after so many minutes")
    parser.add_argument("--again", action="store_true", help="also what has its figures")
    given = parser.parse_args()
    end = time.monotonic() + 60 * (given.minutes or float("inf"))
    for series in SERIES:
        if given.only and series.name not in given.only:
            continue
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        for size in series.sizes if given.again else list(missing(series, known)):
            if time.monotonic() > end:
                return
            found = costs_of(series, size)
            print(series.name, size, {name: each["seconds"] for name, each in found.items()}, flush=True)
            # Read anew: another process may measure another series.
            figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
            figures.setdefault(series.name, {})[str(size)] = found
            FIGURES.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
