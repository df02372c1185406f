"""Sections that the model card and the evaluation report share, in Markdown."""

from __future__ import annotations

from layerwise.evaluation.reports.evaluation import EvaluationReport
from layerwise.evaluation.reports.markdown import escape, table
from layerwise.evaluation.segments import MIN_ROWS, Segment, SegmentTable


def report_sections(report: EvaluationReport) -> list[str]:
    """Return what a report has beside its metrics: those of the segments, if there are any."""
    return [segment_section(report.segments)] if report.segments.root else []


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
