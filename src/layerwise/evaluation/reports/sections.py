"""Sections that the model card and the evaluation report share, in Markdown."""

from __future__ import annotations

from layerwise.evaluation.metrics import MOST_COLUMNS, ImportanceTable
from layerwise.evaluation.reports.evaluation import EvaluationReport
from layerwise.evaluation.reports.markdown import escape, table
from layerwise.evaluation.segments import MIN_ROWS, Segment, SegmentTable

MAX_IMPORTANCES = 40


def report_sections(report: EvaluationReport) -> list[str]:
    """Return what a report has beside its metrics: those of the segments, and the importances, if there are any."""
    found = [segment_section(report.segments)] if report.segments.root else []
    return [*found, importance_section(report.importance)] if report.importance.root else found


def importance_section(importances: ImportanceTable) -> str:
    """Return the importance of each raw column, at most 40 of them, with a heading."""
    metric, rows = importances.root[0].metric, []
    for each in importances.root[:MAX_IMPORTANCES]:
        interval = "" if each.low is None or each.high is None else f" [{each.low:.4g}, {each.high:.4g}]"
        rows.append([escape(each.name), f"{each.mean:.4g}{interval}"])
    note = (
        f"How much worse the {metric} of the test rows gets, in its own unit, when the column's cells are shuffled "
        "among the rows. Columns that say the same share their importance."
    )
    if len(importances.root) == MOST_COLUMNS:
        note += f" Of a table of more than {MOST_COLUMNS} columns those are measured that the outputs change most with."
    return f"## Importance of the columns\n\n{table(['column', f'loss of {metric} [95 % interval]'], rows)}\n\n{note}"


def segment_section(segments: SegmentTable) -> str:
    """Return the metrics on each segment and how many rows it has, with a heading."""
    names = list(dict.fromkeys(name for segment in segments.root for name in segment.metrics))
    rows = [
        [
            escape(segment.column),
            escape(segment.value),
            f"{segment.rows:,}",
            *_base_rate(segment, names[:1]),
            *(str(segment.metrics[name]) if name in segment.metrics else "" for name in names),
        ]
        for segment in segments.root
    ]
    constants = [f"{name} of a constant" for name in names[:1]]
    measured = [f"{name} [95 % interval]" for name in names]
    text = table(["column", "value", "rows", *constants, *measured], rows)
    note = f"Numbers are cut at their quartiles. Of fewer than {MIN_ROWS} rows nothing is measured."
    return f"## By segment\n\n{text}\n\n{note}"


def _base_rate(segment: Segment, names: list[str]) -> list[str]:
    """Return what the best constant prediction gets on a segment: a hard one may just be more mixed."""
    rates = [segment.metrics[name].base_rate if name in segment.metrics else None for name in names]
    return ["" if rate is None else f"{rate:.4f}" for rate in rates]
