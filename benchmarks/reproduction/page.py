"""The page `docs/reproduction.md`, made of the rows and their figures alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reproduction.rows import Figure, Group, Report, Row, own_figures

from layerwise.evaluation.metrics import student_factor
from layerwise.evaluation.reports import table

HEAD = """# Published figures, and ours

Made by `make reproduce` of `benchmarks/reproduction/rows.yml` and `docs/reproduction.json`; a test fails when the page
differs from these two. Each row is one `kedro run` a seed, tracked like any other; its figure is the metric that the
run in MLflow has. Test rows are read once, by the evaluation at the end.

```
make reproduce                                  # every row that has no figure yet, one seed: hours
make reproduce ROWS="movielens kos" SEEDS=3     # some rows, seeds 0 to 2
make reproduce ROWS=dbn_short MINUTES=15        # for 15 minutes; the same command then goes on
```

- *Ours* is the mean over seeds with its 95 % interval (Student's t); of one seed there is no interval.
- *Minutes* are of CPU time for one seed, the whole command with its figures and its report.
- A row marked **short** trains less than the published system did, and says in what. One marked **earlier** was
  measured before this report was made, with the same parameters; the commit is the one that brought the figure.
- MNIST is downloaded by the first run, or read from the folder that `LAYERWISE_DATA` names, where `mnist/` holds its
  four idx files. Without either, the rows of the embedded digits and of the forest fires still run.
"""
OTHERS = """
## Measured by other commands
Speed, and comparisons that take more than one run, on 2 cores unless it says otherwise. The commit is the one that
brought the figure.
"""


def document(report: Report, figures: dict[str, list[Figure]]) -> str:
    """Return the whole page."""
    parts = [HEAD]
    for group in report.groups:
        lines = [_line(group, row, own_figures(row, figures)) for row in group.rows]
        head = [
            "row",
            "system",
            f"published, {group.unit}",
            f"ours, {group.unit}",
            "seeds",
            "minutes",
            "measured",
        ]
        parts.append(f"\n## {group.title}\n{group.about}\n\n{table(head, lines)}\n")
        notes = "".join(
            f"- `{row.name}`: {said}\n"
            for row in group.rows
            if (said := _said(row, own_figures(row, figures)))
        )
        commands = "\n".join(f"{row.command}  # {row.name}" for row in group.rows)
        parts.append(f"{notes and chr(10)}{notes}\n```\n{commands}\n```\n")
    lines = [[f"`{m.command}`", m.figure, m.beside, f"{m.date}, {m.commit}"] for m in report.others]
    parts.append(f"{OTHERS}\n{table(['command', 'measured', 'beside', 'when'], lines)}\n")
    return "".join(parts)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and half of its 95 % interval by Student's t; no number for the half of a single value."""
    n, mean = len(values), sum(values) / len(values)
    if n == 1:
        return mean, math.nan
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    return mean, student_factor(n) * deviation / math.sqrt(n)


def _line(group: Group, row: Row, found: list[Figure]) -> list[str]:
    published = "none" if row.published is None else f"{row.published:.{group.digits}f}"
    named = f"{published}{f' ({row.source})' if row.source else ''}{f'; {row.beside}' if row.beside else ''}"
    short = " **short**" if row.short else ""
    if not found and row.earlier:
        earlier = row.earlier
        where = f", {earlier.device}" if earlier.device else ""
        return [
            f"`{row.name}`", row.system, named, f"{earlier.figure} **earlier**{short}", str(earlier.seeds), "",
            f"{earlier.date}, {earlier.commit}{where}",
        ]  # fmt: skip
    if not found:
        return [f"`{row.name}`", row.system, named, "not run", "", f"about {row.minutes:.0f}", ""]
    mean, half = interval([group.scale * each.value for each in found])
    own = f"{mean:.{group.digits}f}" + ("" if math.isnan(half) else f" ± {half:.{group.digits}f}")
    minutes = sum(each.cpu_seconds for each in found) / len(found) / 60
    last = max(found, key=lambda each: each.date)
    return [
        f"`{row.name}`", row.system, named, own + short, str(len(found)), f"{minutes:.1f}",
        f"{last.date}, {last.commit}, {last.processor}",
    ]  # fmt: skip


def _said(row: Row, found: list[Figure]) -> str:
    said = [f"Short: {row.short}."] if row.short else []
    if not found and not row.earlier:
        said.append(f"Not run: {row.not_run or 'it waits for the minutes of a core that it takes'}.")
    return " ".join([*said, row.note]).strip()
