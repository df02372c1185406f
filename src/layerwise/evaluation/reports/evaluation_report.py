"""The evaluation report in Markdown: a network's metrics on new rows and on the test rows, and drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerwise.evaluation.drift import Drift, describe_drift
from layerwise.evaluation.metrics import Metric
from layerwise.evaluation.reports.markdown import table

MAX_COLUMNS = 200


def describe_worsening(name: str, new: Metric, old: Metric) -> str | None:
    """Return a sentence where a metric got worse and its old value lies outside of the new interval."""
    if new.low is None or new.high is None or new.low <= old.value <= new.high or new.beats(old.value):
        return None
    return f"{name} is worse than on the test rows: {new}, and was {old.value:.4f}."


def make_evaluation_report(
    model: str,
    new: Mapping[str, Metric],
    old: Mapping[str, Metric],
    drift: Sequence[Drift],
    *,
    rows: int,
    refused: Mapping[str, int],
) -> str:
    """Return the report.

    Args:
        model: its name.
        new: metrics of the new rows.
        old: metrics of the test rows when the model was trained.
        drift: of each column.
        rows: the number of rows that were measured.
        refused: the number of rows that were not, by reason.
    """
    parts = [
        "# Evaluation on new rows",
        f"Model: {model}. {rows:,} rows measured, {sum(refused.values()):,} refused.",
        table(
            ["metric", "better", "new rows [95 % interval]", "test rows", "base rate of the new rows"],
            [
                [name, each.better, str(each), _format_value(old.get(name)), _format_base_rate(each)]
                for name, each in new.items()
            ],
        ),
    ]
    worsened = [
        sentence
        for name, each in new.items()
        if name in old and (sentence := describe_worsening(name, each, old[name]))
    ]
    parts += [f"**{sentence}**" for sentence in worsened]
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
            "is its mean for so many rows. KS: the greatest distance between both distribution functions.",
        ]
    )


def _format_value(metric: Metric | None) -> str:
    return "" if metric is None else f"{metric.value:.4f}"


def _format_base_rate(metric: Metric) -> str:
    return "" if metric.base_rate is None else f"{metric.base_rate:.4f}"
