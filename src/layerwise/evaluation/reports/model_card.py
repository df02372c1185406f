"""A model card in Markdown (Mitchell et al. 2019): a network's data, metrics, limitations and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerwise.data import DataSpec
from layerwise.evaluation.metrics import Metric
from layerwise.evaluation.reports.markdown import table


def make_model_card(
    data_spec: DataSpec,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, Metric],
    baselines: Mapping[str, Mapping[str, Metric]] | None = None,
    notes: Sequence[str] = (),
    *,
    conclusions: Sequence[str] = (),
    title: str = "Model card",
    figures: Sequence[str] = (),
    sections: Sequence[str] = (),
) -> str:
    """Return the card.

    Args:
        data_spec: of the preprocessed rows.
        parameters: of the run, nested or flat; shown with dotted names.
        metrics: of the network on the test rows.
        baselines: metrics of other models on the same rows, by model.
        notes: sentences about this run, such as warnings about leaks.
        conclusions: sentences of `compare_with_baselines`.
        title: the first heading.
        figures: file names, relative to the card.
        sections: further ones, each with its heading, after the results.
    """
    others = {name: dict(model_metrics) for name, model_metrics in (baselines or {}).items()}
    parts = [
        f"# {title}",
        "## Data\n\n" + table(["", ""], _data_rows(data_spec)),
        "## Results on the test rows\n\n" + _results(metrics, others),
    ]
    if conclusions:
        parts.append("\n".join(f"**{sentence}**" + "  " for sentence in conclusions))
    parts += sections
    if notes:
        parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in notes))
    if figures:
        parts.append(
            "## Figures\n\n" + "\n\n".join(f"![{_figure_caption(name)}]({name})" for name in figures)
        )
    parts.append(
        "## What it should not be used for\n\n" + "\n".join(f"- {line}" for line in _limitations(data_spec))
    )
    rows = [[f"`{name}`", f"`{value}`"] for name, value in _flatten(parameters)]
    parts.append("## Parameters\n\n" + table(["name", "value"], rows))
    return "\n\n".join(parts) + "\n"


def _data_rows(data_spec: DataSpec) -> list[list[str]]:
    rows = [
        ["task", data_spec.task],
        ["target", ", ".join(data_spec.target_names)],
        ["source", data_spec.source],
        ["sha256", f"`{data_spec.sha256}`" if data_spec.sha256 else ""],
        [
            "rows",
            f"{data_spec.n_training:,} training, {data_spec.n_validation:,} validation, "
            f"{data_spec.n_test:,} test",
        ],
        ["inputs", f"{data_spec.n_inputs:,} columns"],
        ["classes", ", ".join(data_spec.class_names)],
        ["positive class", data_spec.positive],
    ]
    if data_spec.image_shape:
        rows[5][1] = "images of {} x {} pixels".format(*data_spec.image_shape)
    elif len(data_spec.blocks) <= 40:
        rows.append(["columns", ", ".join(f"{block.name} ({block.kind})" for block in data_spec.blocks)])
    return [row for row in rows if row[1]]


def _results(metrics: Mapping[str, Metric], others: Mapping[str, Mapping[str, Metric]]) -> str:
    head = ["metric", "better", "network [95 % interval]", "base rate", *others]
    rows = []
    for name, own in metrics.items():
        base = "" if own.base_rate is None else f"{own.base_rate:.4f}"
        baseline_cells = [
            str(model_metrics[name]) if name in model_metrics else "" for model_metrics in others.values()
        ]
        rows.append([name, own.better, str(own), base, *baseline_cells])
    return table(head, rows) + (
        "\n\nIntervals are of the test rows' chance alone; another seed or split changes more. "
        "The base rate is that of the best constant prediction."
    )


def _limitations(data_spec: DataSpec) -> list[str]:
    lines = [
        "Decisions about single people or places without a person who answers for them.",
        "Rows from another source, time or population than the data above: nothing was measured on those.",
        "Causes: a column that helps to predict the target need not bring it about.",
    ]
    if data_spec.task == "regression":
        lines.append("Targets outside the range of the training rows, where the network extrapolates.")
    else:
        lines.append(
            "Probabilities taken at face value where the calibration error matters and was not looked at."
        )
        lines.append(
            "Rows of a class that is not listed above: the network always predicts one of those it knows."
        )
    if data_spec.image_shape:
        lines.append("Images of another size, contrast, orientation or background than the training images.")
    if data_spec.n_test and data_spec.n_test < 500:
        lines.append(f"Fine comparisons: {data_spec.n_test} test rows make wide intervals.")
    return lines


def _flatten(parameters: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    result: list[tuple[str, Any]] = []
    for key, value in parameters.items():
        if isinstance(value, Mapping) and value:
            result += _flatten(value, f"{prefix}{key}.")
        else:
            result.append((f"{prefix}{key}", value))
    return result


def _figure_caption(file_name: str) -> str:
    return file_name.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("_", " ")
