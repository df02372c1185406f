"""Survey initializers, try remedies on failing networks, and measure long-range memory."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.reports import table
from layerwise.training.diagnostics import (
    VANISHING_RATIO,
    GradientStudySettings,
    has_improved,
    remedy_trials,
    run_trial,
    survey_trials,
    train_long_range_memory,
)
from layerwise.utils import report_metrics

log = logging.getLogger(__name__)
TrialResults = list[dict[str, Any]]


def survey_initializers(
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: GradientStudySettings,
    seed: int,
) -> TrialResults:
    """Train every depth with every activation and initializer for an epoch; return each layer's gradient."""
    rows = labelled[slice(0, settings.rows)]
    return [
        _nan_to_none(run_trial(trial, rows, validation, columns, settings, seed, epochs=1))
        for trial in survey_trials(settings)
    ]


def try_remedies(
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: GradientStudySettings,
    seed: int,
) -> dict[str, TrialResults]:
    """Train failing networks as they are, and with one remedy at a time."""
    rows = labelled[slice(0, settings.rows)]
    result: dict[str, TrialResults] = {}
    for failing, trials in remedy_trials(settings, len(rows)).items():
        found = [run_trial(trial, rows, validation, columns, settings, seed) for trial in trials]
        result[failing] = [_nan_to_none(each | {"works": has_improved(each, found[0])}) for each in found]
    n = sum(each["works"] for found in result.values() for each in found)
    report_metrics(
        {"remedies/working": float(n), "remedies/tried": float(sum(len(f) - 1 for f in result.values()))}
    )
    return result


def measure_long_range_memory(settings: GradientStudySettings, seed: int) -> TrialResults:
    """Train each kind of recurrent network to name the first symbol of a long sequence."""
    found = []
    for cell in settings.cells:
        each = train_long_range_memory(
            cell,
            length=settings.sequence_length,
            updates=settings.updates,
            hidden_size=settings.recurrent_units,
            seed=seed,
        )
        report_metrics({f"long_range_memory/{cell}/accuracy": each["accuracy"]})
        found.append(each)
    return found


def plot_gradients(survey: TrialResults) -> Figure:
    """Plot the gradient of each layer on a logarithmic scale: a row a network, a column a layer."""
    deepest = max(len(each["gradients"]) for each in survey)
    values = np.full((len(survey), deepest), np.nan)
    for line, each in zip(values, survey, strict=True):
        hidden = [math.nan if value is None else value for value in each["gradients"]]
        line[: len(hidden) - 1], line[-1] = hidden[:-1], hidden[-1]
    return plots.plot_heat_map(
        values,
        [each["name"] for each in survey],
        [*(f"layer {k}" for k in range(1, deepest)), "output"],
        title="Gradient by layer in the first epoch",
        ylabel="depth x activation, initializer",
        value="root mean square gradient of the weights",
        logarithmic=True,
        show_numbers=False,
    )


def plot_remedies(remedies: dict[str, TrialResults]) -> Figure:
    """Plot each remedy's validation loss and largest gradient beside those of the failing network."""
    lines = [each for found in remedies.values() for each in found]
    values = np.array([[_none_to_nan(each["loss"]), _none_to_nan(each["last_gradient"])] for each in lines])
    texts = [[_format_number(each["loss"]), _format_number(each["last_gradient"])] for each in lines]
    magnitudes = np.log10(np.maximum(values, 1e-12))
    return plots.plot_heat_map(
        magnitudes,
        [each["name"] for each in lines],
        ["loss", "gradient"],
        title="Validation loss and largest gradient, one remedy at a time",
        value="power of ten",
        texts=texts,
    )


def plot_long_range_memory(long_range_memory: TrialResults) -> Figure:
    """Plot how much of the gradient reaches each time step, and how fast each network learns."""
    return plots.plot_long_range_memory(long_range_memory)


def write_report(
    survey: TrialResults,
    remedies: dict[str, TrialResults],
    long_range_memory: TrialResults,
    settings: GradientStudySettings,
) -> str:
    """Write every trial with its diagnosis, in Markdown."""
    initializer_cells = [
        [each["name"], _format_number(each["ratio"]), _format_number(each["loss"]), _diagnosis(each)]
        for each in survey
    ]
    parts = [
        "# Vanishing and exploding gradients",
        "## Depth, activation and initializer\n\n"
        f"One epoch on up to {settings.rows:,} rows, {settings.width} units a layer. The ratio is the first layer's "
        f"gradient over the last hidden layer's; below {VANISHING_RATIO:g} it is called vanishing.\n\n"
        + table(["network", "ratio", "validation loss", "diagnosis"], initializer_cells),
        "## Remedies\n\nA remedy works when its network ends with a lower validation loss than the failing one.",
    ]
    for failing, found in remedies.items():
        lines = [
            [
                each["name"],
                _format_number(each["loss"]),
                _format_number(each["error"]),
                _format_number(each["last_gradient"]),
                _diagnosis(each),
                "" if k == 0 else "yes" if each["works"] else "no",
            ]
            for k, each in enumerate(found)
        ]
        head = ["network", "validation loss", "error", "largest gradient", "diagnosis", "works"]
        parts.append(f"### {failing[0].upper()}{failing[1:]}\n\n" + table(head, lines))
        for each in found[:1]:
            parts += [f"> {diagnosis}" for diagnosis in each["diagnoses"]]
    cells = [
        [
            each["cell"],
            f"{each['accuracy']:.3f}",
            f"{each['base_rate']:.3f}",
            _format_number(each["gradients"][0] / max(each["gradients"][-1], 1e-300)),
        ]
        for each in long_range_memory
    ]
    parts.append(
        f"## Long-range memory: the first of {settings.sequence_length} symbols\n\nAccuracy on new sequences after "
        f"{settings.updates} updates, and how much of the last step's gradient reaches the first before training.\n\n"
        + table(["cell", "accuracy", "base rate", "gradient, first by last step"], cells)
    )
    text = "\n\n".join(parts) + "\n"
    log.info("The results are written in data/08_reporting/<problem>/gradients/report.md")
    return text


def _nan_to_none(found: dict[str, Any]) -> dict[str, Any]:
    """Return the result without NaN and infinity, which JSON does not have: they become null."""

    def finite_or_none(value: Any) -> Any:
        if isinstance(value, list):
            return [finite_or_none(each) for each in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {name: finite_or_none(value) for name, value in found.items()}


def _none_to_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _format_number(value: float | None) -> str:
    if value is None:
        return "NaN"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.1e}"


def _diagnosis(found: dict[str, Any]) -> str:
    return ", ".join(diagnosis.split(":")[0] for diagnosis in found["diagnoses"]) or "healthy"
