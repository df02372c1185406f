"""Run the rows of docs/reproduction.md that have no figure yet: `make reproduce`, or

    python benchmarks/reproduce.py [ROW ...] [--seeds 1] [--minutes 15] [--page-only]

A row is one `kedro run` a seed. One that is cut off, by Ctrl-C or by --minutes, goes on at the next call. Each figure
is written into docs/reproduction.json at once, and the page docs/reproduction.md made anew.
"""

from __future__ import annotations

import argparse
import time

from reproduction.page import document
from reproduction.rows import FIGURES, Report, own_figures, read_figures, read_report, write_figures


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", help="names; without any, all rows, those that take least first")
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, ... of each row")
    parser.add_argument("--minutes", type=float, help="end after so many minutes; the same command goes on")
    parser.add_argument("--page-only", action="store_true", help="run nothing, make the page anew")
    given = parser.parse_args()
    report = read_report()
    if not given.page_only:
        run(report, given.rows, given.seeds, given.minutes)
    write_page(report)


def run(report: Report, names: list[str], seeds: int, minutes: float | None) -> None:
    """Run what has no figure, one seed of every row before the second of any."""
    # It imports MLflow, which the page does without.
    from reproduction.runs import UnfinishedError, measure

    end = time.monotonic() + 60 * minutes if minutes else float("inf")
    rows = sorted(report.find(names), key=lambda row: row.minutes)
    for seed in range(seeds):
        for row in rows:
            figures = read_figures()
            known = own_figures(row, figures)
            if any(each.seed == seed for each in known):
                continue
            left = end - time.monotonic()
            if left <= 0:
                return
            print(f"{row.name}, seed {seed}: {row.command}", flush=True)
            try:
                found = measure(row, seed, left)
            except UnfinishedError as unfinished:
                print(unfinished, flush=True)
                continue
            print(f"{row.name}, seed {seed}: {row.metric} {found.value:.5g}", flush=True)
            write_figures(read_figures() | {row.name: [*known, found]})
            write_page(report)


def write_page(report: Report) -> None:
    """Make the page anew."""
    FIGURES.with_suffix(".md").write_text(document(report, read_figures()))


if __name__ == "__main__":
    main()
