"""The section of a GAN's report on a table's synthetic rows."""

from __future__ import annotations

from typing import Any

from layerwise.data import DataSpec
from layerwise.evaluation.reports.markdown import table

NAMES = {"roc_auc": "AUC", "error": "error", "r2": "R squared"}


def table_report(found: dict[str, Any], columns: DataSpec) -> str:
    """Return the section on synthetic rows."""
    utility = [
        [model, NAMES[each["metric"]], f"{each['synthetic']:.4f}", f"{each['real']:.4f}"]
        for model, each in found["utility"].items()
    ]
    memorization = found["memorization"]
    parts = [
        f"## Synthetic rows\n\nAs many synthetic rows as training rows ({columns.n_training:,}), against "
        f"{columns.n_test:,} test rows.\n\n"
        "### Utility: trained on synthetic rows, tested on real ones\n\n"
        + table(["model", "metric", "trained on synthetic rows", "trained on real rows"], utility),
        "### Detection\n\nGradient boosting distinguishes synthetic from test rows with AUC "
        f"{found['detection_auc']:.3f} in 5 folds; 0.5 says that it cannot.",
        "### Marginals and associations\n\nKolmogorov-Smirnov distance of numbers, total variation of categories; "
        f"mean {found['marginal']:.3f}. The associations of pairs differ by {found['pairwise']:.3f} in the mean, most "
        f"between {' and '.join(found['worst_pair'])}.\n\n"
        + table(
            ["column", "distance"], [[name, f"{value:.3f}"] for name, value in found["marginals"].items()]
        ),
    ]
    if "classes" in found:
        fractions = found["classes"]
        lines = [
            [name, f"{generated:.1%}", f"{real:.1%}"]
            for name, generated, real in zip(
                columns.class_names, fractions["generated"], fractions["real"], strict=True
            )
        ]
        agreement = found["agreement"]
        parts.append(
            "### Classes\n\n"
            + table(["class", "synthetic rows", "training rows"], lines)
            + f"\n\nA network trained on real rows agrees with the class of {agreement['generated']:.1%} of synthetic "
            f"rows, and of {agreement['real']:.1%} of test rows."
        )
    parts.append(
        f"### Privacy\n\nThe median distance to the nearest training row is {memorization['generated']:.3f} for "
        f"synthetic rows and {memorization['unseen']:.3f} for test rows (ratio {memorization['ratio']:.2f}; far "
        f"below 1 says copies); {memorization['copies']:.1%} of synthetic rows lie nearer to a training row than 99 of "
        f"100 test rows do, and {found['exact_copies']:.1%} are a training row in every column. "
        "This does not guarantee privacy."
    )
    return "\n\n".join(parts)
