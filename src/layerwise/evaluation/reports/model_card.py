"""A model card in Markdown (Mitchell et al. 2019): a network's data, metrics, limitations and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerwise.data import DataSpec, describe_shape
from layerwise.evaluation.metrics import Metric
from layerwise.evaluation.reports.markdown import escape, table

# A smaller difference matters little.
MARGIN = 0.02
NETWORK_LIMITATIONS = (
    "Decisions about single people or places without a person who answers for them.",
    "Rows from another source, time or population than the data above: nothing was measured on those.",
    "Samples and reconstructions as if they were data: they repeat what the training rows have, their gaps too, and "
    "nobody's privacy is protected by them.",
)


def make_model_card(
    data_spec: DataSpec,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, Metric],
    baselines: Mapping[str, Mapping[str, Metric]] | None = None,
    notes: Sequence[str] = (),
    *,
    conclusions: Sequence[str] = (),
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
        sections: further ones, each with its heading, after the results.
    """
    others = {name: dict(model_metrics) for name, model_metrics in (baselines or {}).items()}
    parts = [
        "# Model card",
        "## Data\n\n" + table(["", ""], _data_rows(data_spec)),
        "## Results on the test rows\n\n" + _results(metrics, others),
    ]
    if conclusions:
        parts.append("\n".join(f"**{sentence}**" + "  " for sentence in conclusions))
    parts += sections
    if notes:
        parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in notes))
    parts.append(
        "## What it should not be used for\n\n" + "\n".join(f"- {line}" for line in _limitations(data_spec))
    )
    rows = [[f"`{name}`", f"`{value}`"] for name, value in _flatten(parameters)]
    parts.append("## Parameters\n\n" + table(["name", "value"], rows))
    return "\n\n".join(parts) + "\n"


def make_network_card(
    data_spec: DataSpec,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, float],
    *,
    title: str,
    conclusions: Sequence[str] = (),
) -> str:
    """Return the card of a network that learns without a target.

    Args:
        data_spec: of the preprocessed rows.
        parameters: of the run, nested or flat; shown with dotted names.
        metrics: by their names, `test/...`; `x_low` and `x_high` are shown as the interval of `x`.
        title: the first heading.
        conclusions: sentences on the results.
    """
    rows = [[f"`{name}`", f"`{value}`"] for name, value in _flatten(parameters)]
    parts = [
        f"# {title}",
        "## Data\n\n" + table(["", ""], _data_rows(data_spec)),
        "## Results on the test rows\n\n" + table(["metric", "value"], _measured_rows(metrics)),
        *(["\n".join(f"**{sentence}**" + "  " for sentence in conclusions)] if conclusions else []),
        *(["## Notes\n\n" + "\n".join(f"- {note}" for note in data_spec.notes)] if data_spec.notes else []),
        "## What it should not be used for\n\n" + "\n".join(f"- {line}" for line in NETWORK_LIMITATIONS),
        "## Parameters\n\n" + table(["name", "value"], rows),
    ]
    return "\n\n".join(parts) + "\n"


def compare_with_components(metrics: Mapping[str, float]) -> list[str]:
    """Return a sentence for each error of reconstruction that is above that of as many principal components by 2 %.

    Args:
        metrics: by their names; `pca_x` is what the components get where a network gets `x`.
    """
    pairs = {
        name: (value, metrics[other])
        for name, value in metrics.items()
        if (other := _of_components(name)) in metrics and "reconstruction" in name
    }
    return [
        f"Worse than as many principal components: {name.removeprefix('test/')} {own:.4g} against {other:.4g}."
        for name, (own, other) in pairs.items()
        if own > (1 + MARGIN) * other
    ]


def _of_components(name: str) -> str:
    folder, _, last = name.rpartition("/")
    return f"{folder}/pca_{last}" if folder else f"pca_{last}"


def _measured_rows(metrics: Mapping[str, float]) -> list[list[str]]:
    shown = []
    for name, value in metrics.items():
        base, _, end = name.rpartition("_")
        if not name.startswith("test/") or (end in ("low", "high") and base in metrics):
            continue
        low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
        interval = "" if low is None or high is None else f" [{low:.5g}, {high:.5g}]"
        shown.append([name.removeprefix("test/"), f"{value:.5g}{interval}"])
    return shown


def _data_rows(data_spec: DataSpec) -> list[list[str]]:
    rows = [
        ["task", data_spec.task],
        ["target", escape(", ".join(data_spec.target_names))],
        ["source", escape(data_spec.source)],
        ["sha256", f"`{data_spec.sha256}`" if data_spec.sha256 else ""],
        [
            "rows",
            f"{data_spec.n_training:,} training, {data_spec.n_validation:,} validation, "
            f"{data_spec.n_test:,} test",
        ],
        ["inputs", f"{data_spec.n_inputs:,} columns"],
        ["classes", escape(", ".join(data_spec.class_names))],
        ["positive class", escape(data_spec.positive)],
    ]
    if data_spec.image_shape:
        rows[5][1] = f"images of {describe_shape(data_spec.image_shape)}"
    elif len(data_spec.blocks) <= 40:
        rows.append(
            ["columns", ", ".join(f"{escape(block.name)} ({block.kind})" for block in data_spec.blocks)]
        )
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
