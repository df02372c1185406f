"""Try starts, cures and recurrent nets; draw them, and write down what was found."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from layerwise.data.tensors import Description, Rows
from layerwise.evaluation import plots as figures
from layerwise.training.diagnostics.diagnosis import VANISHING_SHARE
from layerwise.training.diagnostics.gradient_study import (
    LaboratorySettings,
    cure_trials,
    run_trial,
    survey_trials,
    works,
)
from layerwise.training.diagnostics.long_range_memory import remember
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)
Found = list[dict[str, Any]]


def survey_starts(
    labelled: Rows, validation: Rows, description: dict[str, Any], settings: LaboratorySettings, seed: int
) -> Found:
    """Train every depth with every activation and start for an epoch, and read the gradient of each layer."""
    columns, rows = Description(**description), labelled[slice(0, settings.rows)]
    return [
        _plain(run_trial(trial, rows, validation, columns, settings, seed, epochs=1))
        for trial in survey_trials(settings)
    ]


def try_cures(
    labelled: Rows, validation: Rows, description: dict[str, Any], settings: LaboratorySettings, seed: int
) -> dict[str, Found]:
    """Train sick networks as they are, and with one cure at a time."""
    columns, rows = Description(**description), labelled[slice(0, settings.rows)]
    result: dict[str, Found] = {}
    for sick, trials in cure_trials(settings, len(rows)).items():
        found = [run_trial(trial, rows, validation, columns, settings, seed) for trial in trials]
        result[sick] = [_plain(each | {"works": works(each, found[0])}) for each in found]
    n = sum(each["works"] for found in result.values() for each in found)
    report_metrics(
        {"cures/working": float(n), "cures/tried": float(sum(len(f) - 1 for f in result.values()))}
    )
    return result


def remember_first_symbol(settings: LaboratorySettings, seed: int) -> Found:
    """Train each kind of recurrent net to name the first symbol of a long sequence."""
    found = []
    for cell in settings.cells:
        each = remember(
            cell,
            length=settings.sequence_length,
            updates=settings.updates,
            hidden_size=settings.recurrent_units,
            seed=seed,
        )
        report_metrics({f"recurrent/{cell}/accuracy": each["accuracy"]})
        found.append(each)
    return found


def draw_gradients(survey: Found) -> Figure:
    """Draw the gradient of each layer: a line a network, a column a layer, by powers of ten."""
    deepest = max(len(each["gradients"]) for each in survey)
    values = np.full((len(survey), deepest), np.nan)
    for line, each in zip(values, survey, strict=True):
        hidden = [math.nan if value is None else value for value in each["gradients"]]
        line[: len(hidden) - 1], line[-1] = hidden[:-1], hidden[-1]
    return figures.heat_map(
        values,
        [each["name"] for each in survey],
        [*(f"layer {k}" for k in range(1, deepest)), "output"],
        title="Gradient by layer in the first epoch",
        y="depth x activation, start",
        value="gradient (root mean square of a weight's)",
        logarithmic=True,
        show_numbers=False,
    )


def draw_cures(cures: dict[str, Found]) -> Figure:
    """Draw each cure's validation loss beside that of the sick network."""
    lines = [each for found in cures.values() for each in found]
    values = np.array([[_number(each["loss"]), _number(each["last_gradient"])] for each in lines])
    texts = [[_short(each["loss"]), _short(each["last_gradient"])] for each in lines]
    shades = np.log10(np.maximum(values, 1e-12))
    return figures.heat_map(
        shades,
        [each["name"] for each in lines],
        ["loss", "gradient"],
        title="Validation loss and largest gradient, one cure at a time",
        value="power of ten",
        texts=texts,
    )


def draw_recurrent(recurrent: Found) -> Figure:
    """Draw how much of the gradient reaches each step, and how fast each net learns."""
    return figures.remembering(recurrent)


def write_report(
    survey: Found, cures: dict[str, Found], recurrent: Found, settings: LaboratorySettings
) -> str:
    """Write down every trial with its verdict, in Markdown."""
    starts = [[each["name"], _short(each["ratio"]), _short(each["loss"]), _verdict(each)] for each in survey]
    parts = [
        "# A laboratory for gradients",
        "## Depth, activation and start\n\n"
        f"One epoch on up to {settings.rows:,} rows, {settings.width} units a layer. The ratio is the first layer's "
        f"gradient over the last hidden layer's; below {VANISHING_SHARE:g} it is called vanishing.\n\n"
        + _table(["network", "ratio", "validation loss", "verdict"], starts),
        "## Cures\n\nA cure works when the network ends with a lower validation loss than the sick one.",
    ]
    for sick, found in cures.items():
        lines = [
            [
                each["name"],
                _short(each["loss"]),
                _short(each["error"]),
                _short(each["last_gradient"]),
                _verdict(each),
                "" if k == 0 else "yes" if each["works"] else "no",
            ]
            for k, each in enumerate(found)
        ]
        head = ["network", "validation loss", "error", "largest gradient", "verdict", "works"]
        parts.append(f"### {sick[0].upper()}{sick[1:]}\n\n" + _table(head, lines))
        for each in found[:1]:
            parts += [f"> {verdict}" for verdict in each["verdicts"]]
    cells = [
        [
            each["cell"],
            f"{each['accuracy']:.3f}",
            f"{each['base_rate']:.3f}",
            _short(each["gradients"][0] / max(each["gradients"][-1], 1e-300)),
        ]
        for each in recurrent
    ]
    parts.append(
        f"## Remembering the first of {settings.sequence_length} symbols\n\nAccuracy on fresh sequences after "
        f"{settings.updates} updates, and how much of the last step's gradient reaches the first before training.\n\n"
        + _table(["net", "accuracy", "base rate", "gradient, first by last step"], cells)
    )
    text = "\n\n".join(parts) + "\n"
    log.info("What was found is written in data/08_reporting/<problem>/gradients/report.md")
    return text


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: a number that is none becomes null."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(each) for each in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {name: plain(value) for name, value in found.items()}


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _short(value: float | None) -> str:
    if value is None:
        return "NaN"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.1e}"


def _verdict(found: dict[str, Any]) -> str:
    return ", ".join(verdict.split(":")[0] for verdict in found["verdicts"]) or "healthy"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])
