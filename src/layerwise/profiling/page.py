"""An HTML page about a new problem's file: what was found, each column, the settings. It needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.profiling.columns import ColumnProfile
from layerwise.profiling.proposal import Proposal
from layerwise.profiling.yaml_files import catalog_text, parameters_text
from layerwise.utils import address_of

if TYPE_CHECKING:
    import pandas as pd

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd }
th { position: sticky; top: 0; background: #fff }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
pre { background: #f5f5f5; padding: 1rem; white-space: pre-wrap } .note { color: #a33 } svg { display: block }
.wide { overflow-x: auto }
"""
BAR, HEIGHT = 7, 28
NUMBERS = ("missing", "different")
# Of a table of more columns those with a remark and the first others are shown at once; skrub's page has the first.
MOST_SHOWN, MOST_REPORTED = 100, 200


def render_page(proposal: Proposal, path: Path, columns: Sequence[ColumnProfile]) -> str:
    """Return the page."""
    findings = "".join(f"<li>{escape(text)}</li>" for text in proposal.findings)
    drop, target = proposal.value("problem.drop") or [], proposal.value("problem.target")
    targets = target if isinstance(target, list) else [target]
    plain = [each.name for each in columns if not (each.note or each.name in targets)]
    later = set(plain[MOST_SHOWN:])
    made = {each.name: _row(each, each.name in drop, each.name in targets) for each in columns}
    rows = "".join(row for name, row in made.items() if name not in later)
    more = "".join(row for name, row in made.items() if name in later)
    head = "".join(
        f"<th class='number'>{name}</th>" if name in NUMBERS else f"<th>{name}</th>"
        for name in ("column", "holds", *NUMBERS, "values", "spread", "remark")
    )
    extent = f" ({columns[0].n_rows:,} rows that can be read, {len(columns)} columns)" if columns else ""
    table = ""
    if columns:
        link = "<a href='table_report.html'>Distributions of each column, and which go together</a>"
        table = f"<h2>Columns</h2><p>{link}</p><div class='wide'><table><tr>{head}</tr>{rows}</table></div>"
    if more:
        count = f"{len(later):,} more columns without a remark"
        table += f"<details><summary>{count}</summary><table><tr>{head}</tr>{more}</table></details>"
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(proposal.name)}</title>"
        f"<style>{STYLE}</style></head><body><h1>{escape(proposal.name)}</h1><p>{escape(address_of(path))}{extent}</p>"
        f"<h2>What was found</h2><ul>{findings or '<li>Nothing out of the way.</li>'}</ul>{table}"
        f"<h2>parameters.yml</h2><pre>{escape(parameters_text(proposal))}</pre>"
        f"<h2>catalog.yml</h2><pre>{escape(catalog_text(proposal))}</pre></body></html>\n"
    )


def render_table_report(frame: pd.DataFrame, title: str) -> str:
    """Return skrub's page about a table: each column's distribution and which columns go together, of very many the
    first ones.
    """
    from skrub import TableReport

    if frame.shape[1] > MOST_REPORTED:
        title = f"{title}: the first {MOST_REPORTED - 1} of {frame.shape[1]:,} columns, and the last"
        frame = frame.iloc[:, [*range(MOST_REPORTED - 1), -1]]
    report: str = TableReport(frame, title=title, verbose=0).html()
    return report


def _row(column: ColumnProfile, is_dropped: bool, is_target: bool) -> str:
    values = " … ".join(column.range) if column.range else ", ".join(column.examples)
    remark = "the target" if is_target else "left out" if is_dropped else ""
    remark = "; ".join(filter(None, [remark, column.note]))
    missing = f"{column.n_missing / column.n_rows:.1%}" if column.n_missing else "0"
    cells = [
        f"<td>{escape(column.name)}</td><td>{column.kind}</td><td class='number'>{missing}</td>",
        f"<td class='number'>{column.n_distinct:,}</td><td>{escape(values)}</td><td>{_bars(column.histogram)}</td>",
        f"<td class='note'>{escape(remark)}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _bars(counts: Sequence[int]) -> str:
    """Return a histogram as an inline drawing."""
    if not counts:
        return ""
    bars = "".join(
        f"<rect x='{k * BAR}' y='{HEIGHT * (1 - n / max(counts)):.1f}' width='{BAR - 1}' "
        f"height='{HEIGHT * n / max(counts):.1f}' fill='#4878a8'/>"
        for k, n in enumerate(counts)
    )
    return f"<svg width='{BAR * len(counts)}' height='{HEIGHT}'>{bars}</svg>"
