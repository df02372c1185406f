"""The rows of the reproduction report, as `rows.yml` has them, and the figures that were measured for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from layerwise.utils import Config, nearest

PROJECT = Path(__file__).parents[2]
FIGURES = PROJECT / "docs/reproduction.json"
ROWS = Path(__file__).with_name("rows.yml")


class Earlier(Config):
    """A figure that was measured before the report was: its text as it stood, and where it comes from."""

    figure: str
    seeds: int
    date: str
    commit: str
    device: str = ""


class Figure(Config):
    """What one run measured: a metric as MLflow has it, and what it took."""

    seed: int
    value: float
    command: str
    cpu_seconds: float
    date: str
    commit: str
    processor: str


class Row(Config):
    """One system, what was published of it, and the run that is to reach it.

    Args:
        name: by which `make reproduce` takes it.
        system: what it is.
        pipeline: of the run.
        env: its problem.
        params: `name=value` with spaces between them.
        metric: as MLflow names it.
        published: the figure in the group's unit; None where there is none.
        source: of that figure.
        beside: what else to compare with.
        minutes: of one core that a seed takes, about; more than three hours are run in a shorter form.
        short: in what the run is shorter than the published training; empty where it is not.
        not_run: why there is no figure yet.
        note: what was tried, or what differs.
        earlier: a figure from before.
    """

    name: str
    system: str
    pipeline: str
    env: str
    params: str = ""
    metric: str
    published: float | None = None
    source: str = ""
    beside: str = ""
    minutes: float
    short: str = ""
    not_run: str = ""
    note: str = ""
    earlier: Earlier | None = None

    @property
    def command(self) -> str:
        """The command that a reader types; a run adds its seed."""
        params = ",".join(self.params.split())
        quote = '"' if "[" in params else ""
        options = f" {quote}--params={params}{quote}" if params else ""
        return f"kedro run --pipelines={self.pipeline} --env={self.env}{options}"


class Group(Config):
    """Rows of one unit: a metric times `scale` is the figure."""

    title: str
    about: str
    unit: str
    scale: float = 1.0
    digits: int = 2
    higher_is_better: bool = False
    rows: tuple[Row, ...]


class Measurement(Config):
    """A measurement of another command, whose figure is a sentence."""

    command: str
    figure: str
    beside: str
    date: str
    commit: str


class Report(Config):
    """Everything that the page is made of, but for the figures."""

    groups: tuple[Group, ...]
    others: tuple[Measurement, ...]

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all groups."""
        for group in self.groups:
            yield from group.rows

    def find(self, names: list[str]) -> list[Row]:
        """Return the rows of these names, all of them without any.

        Raises:
            SystemExit: there is no such row.
        """
        known = {row.name: row for row in self.rows()}
        for name in names:
            if name not in known:
                raise SystemExit(
                    f"there is no row '{name}'{nearest(name, list(known))}; known: {', '.join(known)}"
                )
        return [known[name] for name in names or known]


def read_report(file: Path = ROWS) -> Report:
    """Return the report's rows."""
    return Report.model_validate(yaml.safe_load(file.read_text()))


def read_figures(file: Path = FIGURES) -> dict[str, list[Figure]]:
    """Return what was measured, by the names of the rows."""
    plain = json.loads(file.read_text()) if file.exists() else {}
    return {name: [Figure.model_validate(each) for each in found] for name, found in plain.items()}


def write_figures(figures: dict[str, list[Figure]], file: Path = FIGURES) -> None:
    """Write what was measured, in the order of names and seeds."""
    plain = {
        name: [each.model_dump() for each in sorted(found, key=lambda each: each.seed)]
        for name, found in sorted(figures.items())
        if found
    }
    file.write_text(json.dumps(plain, indent=1) + "\n")


def own_figures(row: Row, figures: dict[str, list[Figure]]) -> list[Figure]:
    """Return the figures that the row's present command measured; those of another command say nothing of it."""
    return [each for each in figures.get(row.name, []) if each.command == row.command]
