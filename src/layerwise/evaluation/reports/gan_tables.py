"""What is said of a table's synthetic rows."""

from __future__ import annotations

from typing import Any

from layerwise.data.tensors import DataSpec
from layerwise.evaluation.reports.markdown import table

NAMES = {"roc_auc": "AUC", "error": "error", "r2": "R squared"}


def table_report(found: dict[str, Any], columns: DataSpec) -> str:
    """Return the section on synthetic rows."""
    useful = [
        [model, NAMES[each["metric"]], f"{each['synthetic']:.4f}", f"{each['real']:.4f}"]
        for model, each in found["utility"].items()
    ]
    memorization = found["memorization"]
    parts = [
        f"## Its rows\n\nAs many synthetic rows as training rows ({columns.n_training:,}), against "
        f"{columns.n_test:,} test rows.\n\n"
        "### In use: trained on synthetic rows, tested on real ones\n\n"
        + table(["model", "metric", "trained on synthetic rows", "trained on real rows"], useful),
        f"### Told apart\n\nGradient boosting tells synthetic from test rows with AUC {found['detection_auc']:.3f} "
        "in 5 folds; 0.5 says that it cannot.",
        "### Column by column, pair by pair\n\nKolmogorov-Smirnov distance of numbers, total variation of choices; "
        f"mean {found['marginal']:.3f}. The associations of pairs differ by {found['pairwise']:.3f} in the mean, most "
        f"between {' and '.join(found['worst_pair'])}.\n\n"
        + table(
            ["column", "distance"], [[name, f"{value:.3f}"] for name, value in found["marginals"].items()]
        ),
    ]
    if "classes" in found:
        fractions = found["classes"]
        lines = [
            [name, f"{made:.1%}", f"{real:.1%}"]
            for name, made, real in zip(
                columns.class_names, fractions["generated"], fractions["real"], strict=True
            )
        ]
        agreement = found["agreement"]
        parts.append(
            "### Classes\n\n"
            + table(["class", "synthetic rows", "training rows"], lines)
            + f"\n\nA network trained on real rows names the class of {agreement['generated']:.1%} of synthetic rows "
            f"as they have it, and of {agreement['real']:.1%} of test rows."
        )
    parts.append(
        f"### Privacy\n\nThe median distance to the nearest training row is {memorization['generated']:.3f} for synthetic "
        f"rows and {memorization['unseen']:.3f} for test rows (ratio {memorization['ratio']:.2f}; far below 1 says copies); "
        f"{memorization['copies']:.1%} of synthetic rows lie nearer to a training row than 99 of 100 test rows do, and "
        f"{found['exact_copies']:.1%} are a training row in every column. This is no promise of privacy."
    )
    return "\n\n".join(parts)
