"""A model card in Markdown (Mitchell et al. 2019): what a network learnt from, what it is and is not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerwise.data.tensors import Description
from layerwise.evaluation.metrics.baselines import compare
from layerwise.evaluation.metrics.supervised import Measure


def model_card(
    description: Description,
    parameters: Mapping[str, Any],
    measures: Mapping[str, Measure],
    baselines: Mapping[str, Mapping[str, Measure]] | None = None,
    notes: Sequence[str] = (),
    *,
    title: str = "Model card",
    figures: Sequence[str] = (),
) -> str:
    """Return the card.

    Args:
        description: of the prepared rows.
        parameters: nested or flat; shown with dotted names.
        measures: of the network on the test rows.
        baselines: of other models on the same rows.
        notes: sentences about this run, such as warnings about leaks.
        title: the first heading.
        figures: file names of pictures that lie beside the card.
    """
    others = {name: dict(figures) for name, figures in (baselines or {}).items()}
    parts = [
        f"# {title}",
        "## Data\n\n" + _table(["", ""], _data(description)),
        "## Results on the test rows\n\n" + _results(measures, others),
    ]
    verdict = compare(dict(measures), others)
    if verdict:
        parts.append("\n".join(f"**{sentence}**" + "  " for sentence in verdict))
    if notes:
        parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in notes))
    if figures:
        parts.append("## Figures\n\n" + "\n\n".join(f"![{_words(name)}]({name})" for name in figures))
    parts.append(
        "## What it should not be used for\n\n" + "\n".join(f"- {line}" for line in _limits(description))
    )
    rows = [[f"`{name}`", f"`{value}`"] for name, value in _flat(parameters)]
    parts.append("## Parameters\n\n" + _table(["name", "value"], rows))
    return "\n\n".join(parts) + "\n"


def _data(description: Description) -> list[list[str]]:
    rows = [
        ["task", description.task],
        ["target", ", ".join(description.target_names)],
        ["source", description.source],
        ["sha256", f"`{description.sha256}`" if description.sha256 else ""],
        [
            "rows",
            f"{description.n_training:,} training, {description.n_validation:,} validation, "
            f"{description.n_test:,} test",
        ],
        ["inputs", f"{description.n_inputs:,} columns"],
        ["classes", ", ".join(description.class_names)],
    ]
    if description.image_shape:
        rows[5][1] = "images of {} x {} pixels".format(*description.image_shape)
    elif len(description.blocks) <= 40:
        rows.append(["columns", ", ".join(f"{block.name} ({block.kind})" for block in description.blocks)])
    return [row for row in rows if row[1]]


def _results(measures: Mapping[str, Measure], others: Mapping[str, Mapping[str, Measure]]) -> str:
    head = ["measure", "better", "network [95 % interval]", "base rate", *others]
    rows = []
    for name, own in measures.items():
        base = "" if own.base_rate is None else f"{own.base_rate:.4f}"
        rivals = [str(figures[name]) if name in figures else "" for figures in others.values()]
        rows.append([name, own.better, str(own), base, *rivals])
    return _table(head, rows) + (
        "\n\nIntervals are bootstrapped over the test rows; another seed or split changes more. "
        "The base rate is what the best constant answer gets."
    )


def _limits(description: Description) -> list[str]:
    lines = [
        "Decisions about single people or places without a person who answers for them.",
        "Rows from another source, time or population than the data above: nothing was measured on those.",
        "Causes: a column that helps to predict the target need not bring it about.",
    ]
    if description.task == "regression":
        lines.append("Targets outside the range of the training rows, where the network extrapolates.")
    else:
        lines.append(
            "Probabilities taken at face value where the calibration error matters and was not looked at."
        )
        lines.append("Rows of a class that is not listed above: the network must name one of those it knows.")
    if description.image_shape:
        lines.append(
            "Pictures of another size, contrast, orientation or background than the training images."
        )
    if description.n_test and description.n_test < 500:
        lines.append(f"Fine comparisons: {description.n_test} test rows make wide intervals.")
    return lines


def _flat(parameters: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    result: list[tuple[str, Any]] = []
    for key, value in parameters.items():
        if isinstance(value, Mapping) and value:
            result += _flat(value, f"{prefix}{key}.")
        else:
            result.append((f"{prefix}{key}", value))
    return result


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _words(file_name: str) -> str:
    return file_name.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("_", " ")
