"""The part of docs/speed.md on costs that grow: made of docs/costs.json and docs/peers.json.

    python docs/make_speed.py

`benchmarks/costs.py` and `benchmarks/peers.py` write the figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.evaluation.reports import table

DOCS = Path(__file__).parent
PAGE = DOCS / "speed.md"
HEADING = "## Costs that grow\n"
# What lies between nodes, loads and saves: imports, the start of MLflow and its end. It does not grow.
BESIDE = "else"
SHOWN_STEPS = 3
# Of shorter steps docs/costs.json says nothing.
LEAST_SECONDS = 0.05
INTRODUCTION = """Processor seconds and the peak of anonymous memory of one command on one thread, and the exponent p of
its nodes, loads and saves: seconds ~ size^p, fitted on a log scale with its standard error, and that of the last two
sizes alone, where constant costs weigh least; 1 is linear. Networks train for one epoch, or 20 where units, layers or
their number grow.
Where nothing else is said a table has 1,000 rows of 20 numbers and two classes; by classes it has 20,000 rows (of `gan`
5,000), and `mlp` is without baselines. `python benchmarks/costs.py` measures it.
"""
PEERS = """### Beside other packages
Processor seconds as multiples of ours: the same rows, layers, batches and epochs, one thread, medians of turns in one
run (`python benchmarks/peers.py`). Above 1 the other takes longer.
"""
Figures = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Return the slope of log seconds by log size, and its standard error; NaN of two points."""
    x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(seconds, dtype=float))
    x = x - x.mean()
    slope = float((x * y).sum() / (x * x).sum())
    residuals = y - y.mean() - slope * x
    degrees = len(x) - 2
    return slope, float(np.sqrt((residuals**2).sum() / degrees / (x * x).sum())) if degrees else float("nan")


def of_steps(entry: Mapping[str, Any]) -> float:
    """Return the seconds of a command's nodes, loads and saves; the least that is kept where all are below it."""
    return max(sum(seconds for name, seconds in entry["steps"].items() if name != BESIDE), LEAST_SECONDS)


def line(pipeline: str, axis: str, entries: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Return a row of the table.

    Args:
        pipeline: that was run.
        axis: what grows.
        entries: what each size cost, the smallest first.
    """
    sizes, found = list(entries), list(entries.values())
    own = [of_steps(each) for each in found]
    slope, error = exponent(sizes, own)
    fitted = f"{slope:.2f}" + (f" ± {error:.2f}" if error == error else "")
    last, before = found[-1]["steps"], found[-2]["steps"]
    dear = sorted((name for name in last if name != BESIDE), key=last.__getitem__, reverse=True)[:SHOWN_STEPS]
    steps = []
    for name in dear:
        plain = name.removesuffix(f"_{pipeline}").split(".")[-1]
        verb = name.split()[0] + " " if " " in name else ""
        grows = ""
        if before.get(name):
            grows = f", {exponent(sizes[-2:], [before[name], last[name]])[0]:.1f}"
        steps.append(f"{verb}{plain} {last[name]:.1f} s{grows}")
    return [
        pipeline,
        axis,
        ", ".join(f"{size:,}" for size in sizes),
        ", ".join(f"{each['seconds']:.0f}" for each in found),
        ", ".join(f"{each['megabytes']:,}" for each in found),
        fitted,
        f"{exponent(sizes[-2:], own[-2:])[0]:.2f}",
        "; ".join(steps),
    ]


def cost_table(figures: Figures) -> str:
    """Return what every series costs."""
    rows = []
    for name, by_size in sorted(figures.items()):
        axis = name.split("/")[1]
        sizes = sorted(map(int, by_size))
        for pipeline in by_size[str(sizes[0])]:
            if len(sizes) > 1:
                rows.append(line(pipeline, axis, {size: by_size[str(size)][pipeline] for size in sizes}))
    head = [
        "pipeline",
        "by",
        "sizes",
        "CPU s",
        "peak, MB",
        "exponent",
        "at the end",
        "dearest at the largest size, and its own exponent at the end",
    ]
    return table(head, rows)


def peer_table(peers: Mapping[str, Mapping[str, float]]) -> str:
    """Return the ratios of other packages."""
    rows = []
    for work, seconds in peers.items():
        own = seconds["layerwise"]
        others = [f"{name} {each / own:.2f}" for name, each in seconds.items() if name != "layerwise"]
        rows.append([work, f"{own:.2f}", ", ".join(others)])
    return table(["work", "ours, CPU s", "others, multiples of it"], rows)


def part(figures: Figures, peers: Mapping[str, Mapping[str, float]]) -> str:
    """Return what stands below the heading."""
    return f"{INTRODUCTION}\n{cost_table(figures)}\n\n{PEERS}\n{peer_table(peers)}\n"


def with_part(page: str, text: str) -> str:
    """Return the page with another part, up to the next heading of its rank."""
    before, rest = page.split(HEADING)
    return before + HEADING + text + "\n## " + rest.split("\n## ", 1)[1]


def document() -> str:
    """Return the whole page."""
    figures, peers = (json.loads((DOCS / name).read_text()) for name in ("costs.json", "peers.json"))
    return with_part(PAGE.read_text(), part(figures, peers))


if __name__ == "__main__":
    PAGE.write_text(document())
