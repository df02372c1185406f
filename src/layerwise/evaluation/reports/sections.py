"""Sections that the model card and the evaluation report share, in Markdown."""

from __future__ import annotations

from layerwise.evaluation.reports.evaluation import EvaluationReport
from layerwise.evaluation.reports.markdown import table
from layerwise.evaluation.segments import MIN_ROWS, SegmentTable


def report_sections(report: EvaluationReport) -> list[str]:
    """Return what a report has beside its metrics: those of the segments, if there are any."""
    return [segment_section(report.segments)] if report.segments.root else []


def segment_section(segments: SegmentTable) -> str:
    """Return the metrics on each segment and how many rows it has, with a heading."""
    names = list(dict.fromkeys(name for segment in segments.root for name in segment.metrics))
    rows = [
        [
            segment.column,
            segment.value,
            f"{segment.rows:,}",
            *(str(segment.metrics[name]) if name in segment.metrics else "" for name in names),
        ]
        for segment in segments.root
    ]
    text = table(["column", "value", "rows", *(f"{name} [95 % interval]" for name in names)], rows)
    note = f"Numbers are cut at their quartiles. Of fewer than {MIN_ROWS} rows nothing is measured."
    return f"## By segment\n\n{text}\n\n{note}"
