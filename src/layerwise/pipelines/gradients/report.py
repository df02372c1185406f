"""The sections of the report on vanishing and exploding gradients, in Markdown."""

from layerwise.evaluation.reports import table
from layerwise.training.diagnostics import (
    VANISHING_RATIO,
    GradientStudySettings,
    MemoryStudy,
    Remedies,
    RemedyResult,
    Survey,
)


def survey_section(survey: Survey, settings: GradientStudySettings) -> str:
    """Return the table of depths, activations and initializers."""
    lines = [
        [each.name, format_number(each.ratio), format_number(each.loss), each.diagnosis]
        for each in survey.root
    ]
    return (
        "## Depth, activation and initializer\n\n"
        f"One epoch on up to {settings.rows:,} rows, {settings.width} units a layer. The ratio is the first layer's "
        f"gradient over the last hidden layer's; below {VANISHING_RATIO:g} it is called vanishing.\n\n"
        + table(["network", "ratio", "validation loss", "diagnosis"], lines)
    )


def remedies_section(remedies: Remedies) -> str:
    """Return a table for each failing network, with what is wrong with it below."""
    parts = [
        "## Remedies\n\nA remedy works when its network ends with a lower validation loss than the failing one."
    ]
    head = ["network", "validation loss", "error", "largest gradient", "diagnosis", "works"]
    for failing, found in remedies.root.items():
        lines = [_remedy_line(each, is_failing=k == 0) for k, each in enumerate(found)]
        parts.append(f"### {failing[0].upper()}{failing[1:]}\n\n" + table(head, lines))
        parts += [f"> {diagnosis}" for diagnosis in found[0].diagnoses]
    return "\n\n".join(parts)


def _remedy_line(found: RemedyResult, is_failing: bool) -> list[str]:
    numbers = [format_number(value) for value in (found.loss, found.error, found.last_gradient)]
    works = "" if is_failing else "yes" if found.works else "no"
    return [found.name, *numbers, found.diagnosis, works]


def memory_section(memory: MemoryStudy, settings: GradientStudySettings) -> str:
    """Return the table of recurrent networks."""
    lines = [
        [
            each.cell,
            f"{each.accuracy:.3f}",
            f"{each.base_rate:.3f}",
            format_number(each.gradients[0] / max(each.gradients[-1], 1e-300)),
        ]
        for each in memory.root
    ]
    return (
        f"## Long-range memory: the first of {settings.sequence_length} symbols\n\nAccuracy on new sequences after "
        f"{settings.updates} updates, and how much of the last step's gradient reaches the first before training.\n\n"
        + table(["cell", "accuracy", "base rate", "gradient, first by last step"], lines)
    )


def format_number(value: float | None) -> str:
    """Return a number of three digits, `NaN` for None."""
    if value is None:
        return "NaN"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.1e}"
