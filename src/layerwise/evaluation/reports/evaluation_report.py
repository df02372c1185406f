"""What a trained network is worth on new rows, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerwise.evaluation.drift import Drift, sentences
from layerwise.evaluation.metrics.supervised import Measure

MOST_COLUMNS = 200


def worse(name: str, new: Measure, old: Measure) -> str | None:
    """Return a sentence where a measure fell and the old value lies outside of the new interval."""
    if new.low is None or new.high is None or new.low <= old.value <= new.high or new.beats(old.value):
        return None
    return f"{name} is worse than on the test rows: {new}, and was {old.value:.4f}."


def evaluation_report(
    model: str,
    new: Mapping[str, Measure],
    old: Mapping[str, Measure],
    drift: Sequence[Drift],
    *,
    rows: int,
    refused: Mapping[str, int],
) -> str:
    """Return the report.

    Args:
        model: what to call it.
        new: measures of the new rows.
        old: those of the test rows when it was trained.
        drift: of each column.
        rows: that were measured.
        refused: rows that were not, by their reason.
    """
    parts = [
        "# Evaluation on new rows",
        f"Model: {model}. {rows:,} rows measured, {sum(refused.values()):,} refused.",
        _table(
            ["measure", "better", "new rows [95 % interval]", "test rows", "base rate of the new rows"],
            [
                [name, each.better, str(each), _value(old.get(name)), _rate(each)]
                for name, each in new.items()
            ],
        ),
    ]
    fallen = [said for name, each in new.items() if name in old and (said := worse(name, each, old[name]))]
    parts += [f"**{said}**" for said in fallen]
    if refused:
        counts = [[reason, f"{count:,}"] for reason, count in refused.items()]
        parts += ["## Refused rows", _table(["reason", "rows"], counts)]
    parts += ["## Drift", _drift(drift)]
    return "\n\n".join(parts) + "\n"


def _drift(found: Sequence[Drift]) -> str:
    if not found:
        return "The model has no summary of its training rows."
    cells = [
        [
            each.column,
            f"{each.psi:.3f}",
            f"{each.noise:.3f}",
            "" if each.ks is None else f"{each.ks:.3f}",
            "" if each.ks_p is None else f"{each.ks_p:.2g}",
            f"{100 * each.missing:.1f} %",
            each.verdict,
        ]
        for each in sorted(found, key=lambda each: -each.psi)[:MOST_COLUMNS]
    ]
    return "\n\n".join(
        [
            "  \n".join(sentences(found)),
            _table(["column", "PSI", "without drift", "KS", "p", "empty", "verdict"], cells),
            "PSI: population stability index; from .1 on some drift, from .25 on much (Siddiqi 2006). Without drift "
            "is its mean for so many rows. KS: the greatest distance between both distribution functions.",
        ]
    )


def _value(measure: Measure | None) -> str:
    return "" if measure is None else f"{measure.value:.4f}"


def _rate(measure: Measure) -> str:
    return "" if measure.base_rate is None else f"{measure.base_rate:.4f}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
