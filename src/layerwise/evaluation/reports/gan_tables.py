"""The section of a GAN's report on a table's synthetic rows."""

from __future__ import annotations

from layerwise.data import DataSpec
from layerwise.evaluation.generative import ColumnFidelity, RowFidelity
from layerwise.evaluation.reports.markdown import table

NAMES = {"roc_auc": "AUC", "error": "error", "r2": "R squared"}


def table_section(by_column: ColumnFidelity, by_row: RowFidelity, columns: DataSpec) -> str:
    """Return the section on synthetic rows."""
    parts = [
        f"## Synthetic rows\n\nAs many synthetic rows as training rows ({columns.n_training:,}), against "
        f"{columns.n_test:,} test rows.",
        *([_utility(by_row)] if by_row.utility else []),
        "### Detection\n\nGradient boosting distinguishes synthetic from test rows with AUC "
        f"{by_row.detection_auc:.3f} in 5 folds; 0.5 says that it cannot.",
        _marginals(by_column),
        *([_classes(by_row, columns)] if by_row.classes else []),
        _privacy(by_column, by_row),
    ]
    return "\n\n".join(parts)


def _utility(by_row: RowFidelity) -> str:
    lines = [
        [model, NAMES[each.metric], f"{each.synthetic:.4f}", f"{each.real:.4f}"]
        for model, each in by_row.utility.items()
    ]
    return "### Utility: trained on synthetic rows, tested on real ones\n\n" + table(
        ["model", "metric", "trained on synthetic rows", "trained on real rows"], lines
    )


def _marginals(by_column: ColumnFidelity) -> str:
    return (
        "### Marginals and associations\n\nKolmogorov-Smirnov distance of numbers, total variation of categories; "
        f"mean {by_column.marginal:.3f}. The associations of pairs differ by {by_column.pairwise:.3f} in the mean, "
        f"most between {' and '.join(by_column.worst_pair)}.\n\n"
        + table(
            ["column", "distance"], [[name, f"{value:.3f}"] for name, value in by_column.marginals.items()]
        )
    )


def _classes(by_row: RowFidelity, columns: DataSpec) -> str:
    fractions, agreement = by_row.classes, by_row.agreement
    lines = [
        [name, f"{generated:.1%}", f"{real:.1%}"]
        for name, generated, real in zip(
            columns.class_names, fractions["generated"], fractions["real"], strict=True
        )
    ]
    return (
        "### Classes\n\n"
        + table(["class", "synthetic rows", "training rows"], lines)
        + f"\n\nA network trained on real rows agrees with the class of {agreement['generated']:.1%} of synthetic "
        f"rows, and of {agreement['real']:.1%} of test rows."
    )


def _privacy(by_column: ColumnFidelity, by_row: RowFidelity) -> str:
    found, attack = by_row.privacy.memorization, by_row.privacy.membership
    return (
        f"### Privacy\n\nThe median distance to the nearest training row is {found.generated:.3f} for "
        f"synthetic rows and {found.unseen:.3f} for test rows (ratio {found.ratio:.2f}; far "
        f"below 1 says copies); {found.copies:.1%} of synthetic rows lie nearer to a training row than 99 of "
        f"100 test rows do, and {by_column.exact_copies:.1%} are a training row in every column. "
        f"An attacker who has the synthetic rows tells {attack.n_rows:,} training rows from as many others, by the "
        f"distance to the nearest synthetic row, with AUC {attack.auc:.3f} [{attack.auc_low:.3f}, "
        f"{attack.auc_high:.3f}]; 0.5 says that he cannot. This does not guarantee privacy."
    )
