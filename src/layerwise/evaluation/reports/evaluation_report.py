"""The evaluation report in Markdown: a network's metrics on new rows and on the test rows, and drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerwise.evaluation.drift import Drift, describe_drift
from layerwise.evaluation.metrics import Metric, worse_than_others
from layerwise.evaluation.reports.markdown import table
from layerwise.evaluation.reports.sections import segment_section
from layerwise.evaluation.segments import SegmentTable, describe_segments

MAX_COLUMNS = 200
# Biased upwards for few rows, and by another amount for another number of them: two of them don't compare.
NOT_COMPARED = {"calibration_error"}


def describe_worsening(new: Mapping[str, Metric], old: Mapping[str, Metric]) -> list[str]:
    """Return a sentence for each metric that got worse by more than chance, as `worse_than_others` says.

    Args:
        new: metrics of the new rows; none where their targets are not known.
        old: those of the test rows.
    """
    pairs = {
        name: (each, old[name]) for name, each in new.items() if name in old and name not in NOT_COMPARED
    }
    return [
        f"{name} is worse than on the test rows: {new[name]}, and was {old[name]}."
        for name in worse_than_others(pairs)
    ]


def describe_seen_rows(seen: int, rows: int) -> str:
    """Return a warning that a model was trained on rows that it is measured on.

    Args:
        seen: how many of the rows it was trained or validated on.
        rows: all of them.
    """
    return (
        f"The model was trained or validated on {seen:,} of these {rows:,} rows (the same inputs): the metrics say "
        "less of new rows than they seem to."
    )


def make_evaluation_report(
    model: str,
    new: Mapping[str, Metric],
    old: Mapping[str, Metric],
    drift: Sequence[Drift],
    *,
    rows: int,
    refused: Mapping[str, int],
    seen: int | None = None,
    segments: SegmentTable | None = None,
) -> str:
    """Return the report.

    Args:
        model: its name.
        new: metrics of the new rows; none where their targets are not known.
        old: metrics of the test rows when the model was trained.
        drift: of each column.
        rows: the number of rows that were measured.
        refused: the number of rows that were not, by reason.
        seen: how many of the measured rows the model was trained or validated on; None if that is not known.
        segments: the metrics on parts of the rows, if they were asked for.
    """
    parts = [
        "# Evaluation on new rows",
        f"Model: {model}. {rows:,} rows measured, {sum(refused.values()):,} refused.",
    ]
    if new:
        parts.append(
            table(
                [
                    "metric",
                    "better",
                    "new rows [95 % interval]",
                    "test rows [95 % interval]",
                    "base rate of the new rows",
                ],
                [
                    [name, each.better, str(each), str(old.get(name, "")), _format_base_rate(each)]
                    for name, each in new.items()
                ],
            )
        )
    if seen:
        parts.append(f"**{describe_seen_rows(seen, rows)}**")
    parts += [f"**{sentence}**" for sentence in describe_worsening(new, old)]
    if segments is not None:
        parts += [f"**{sentence}**" for sentence in describe_segments(segments)]
        parts.append(segment_section(segments))
    if refused:
        counts = [[reason, f"{count:,}"] for reason, count in refused.items()]
        parts += ["## Refused rows", table(["reason", "rows"], counts)]
    parts += ["## Drift", _drift_section(drift)]
    return "\n\n".join(parts) + "\n"


def _drift_section(found: Sequence[Drift]) -> str:
    if not found:
        return "The model has no summary of its training rows."
    cells = [
        [
            each.column,
            f"{each.psi:.3f}",
            f"{each.expected_psi:.3f}",
            "" if each.ks is None else f"{each.ks:.3f}",
            "" if each.ks_pvalue is None else f"{each.ks_pvalue:.2g}",
            f"{100 * each.missing:.1f} %",
            each.level,
        ]
        for each in sorted(found, key=lambda each: -each.psi)[:MAX_COLUMNS]
    ]
    return "\n\n".join(
        [
            "  \n".join(describe_drift(found)),
            table(["column", "PSI", "without drift", "KS", "p", "empty", "level"], cells),
            "PSI: population stability index; from .1 on some drift, from .25 on drift (Siddiqi 2006). Without drift "
            "is its mean for so many rows. KS: the greatest distance between both distribution functions; above .1 "
            "with a p below .01 divided by the number of columns it is some drift, whatever the PSI.",
        ]
    )


def _format_base_rate(metric: Metric) -> str:
    return "" if metric.base_rate is None else f"{metric.base_rate:.4f}"
