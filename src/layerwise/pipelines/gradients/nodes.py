"""Nodes that survey initializers, try remedies on failing networks, and measure long-range memory."""

import math

import numpy as np
from matplotlib.figure import Figure

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.pipelines.gradients.report import (
    format_number,
    memory_section,
    remedies_section,
    survey_section,
)
from layerwise.training.diagnostics import (
    GradientStudySettings,
    MemoryStudy,
    Remedies,
    Survey,
    run_remedies,
    run_survey,
    train_long_range_memory,
)


def survey_initializers(
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: GradientStudySettings,
    seed: int,
) -> Survey:
    """Train every depth with every activation and initializer for an epoch; return each layer's gradient."""
    return run_survey(labelled, validation, columns, settings, seed)


def try_remedies(
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: GradientStudySettings,
    seed: int,
) -> tuple[Remedies, LoggedMetrics]:
    """Train failing networks as they are, and with one remedy at a time."""
    found = run_remedies(labelled, validation, columns, settings, seed)
    return found, LoggedMetrics.of(found.metrics(), prefix="remedies/")


def measure_long_range_memory(
    settings: GradientStudySettings, seed: int
) -> tuple[MemoryStudy, LoggedMetrics]:
    """Train each kind of recurrent network to name the first symbol of a long sequence."""
    shape = {
        "length": settings.sequence_length,
        "updates": settings.updates,
        "hidden_size": settings.recurrent_units,
    }
    found = MemoryStudy(tuple(train_long_range_memory(cell, **shape, seed=seed) for cell in settings.cells))
    return found, LoggedMetrics.of(found.metrics(), prefix="long_range_memory/")


def plot_gradients(survey: Survey) -> Figure:
    """Plot the gradient of each layer on a logarithmic scale: a row a network, a column a layer."""
    deepest = max(len(each.gradients) for each in survey.root)
    values = np.full((len(survey.root), deepest), np.nan)
    for line, each in zip(values, survey.root, strict=True):
        hidden = [_none_to_nan(value) for value in each.gradients]
        line[: len(hidden) - 1], line[-1] = hidden[:-1], hidden[-1]
    return plots.plot_heat_map(
        values,
        [each.name for each in survey.root],
        [*(f"layer {k}" for k in range(1, deepest)), "output"],
        title="Gradient by layer in the first epoch",
        ylabel="depth x activation, initializer",
        value="root mean square gradient of the weights",
        logarithmic=True,
        show_numbers=False,
    )


def plot_remedies(remedies: Remedies) -> Figure:
    """Plot each remedy's validation loss and largest gradient beside those of the failing network."""
    lines = [each for found in remedies.root.values() for each in found]
    values = np.array([[_none_to_nan(each.loss), _none_to_nan(each.last_gradient)] for each in lines])
    texts = [[format_number(each.loss), format_number(each.last_gradient)] for each in lines]
    return plots.plot_heat_map(
        np.log10(np.maximum(values, 1e-12)),
        [each.name for each in lines],
        ["loss", "gradient"],
        title="Validation loss and largest gradient, one remedy at a time",
        value="power of ten",
        texts=texts,
    )


def plot_long_range_memory(memory: MemoryStudy) -> Figure:
    """Plot how much of the gradient reaches each time step, and how fast each network learns."""
    return plots.plot_long_range_memory(memory.model_dump())


def write_report(
    survey: Survey, remedies: Remedies, memory: MemoryStudy, settings: GradientStudySettings
) -> str:
    """Write every trial with its diagnosis, in Markdown."""
    parts = [
        "# Vanishing and exploding gradients",
        survey_section(survey, settings),
        remedies_section(remedies),
        memory_section(memory, settings),
    ]
    return "\n\n".join(parts) + "\n"


def _none_to_nan(value: float | None) -> float:
    return math.nan if value is None else value
