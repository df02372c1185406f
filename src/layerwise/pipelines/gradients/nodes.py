"""Nodes that survey initializers, try remedies on failing networks, and measure long-range memory."""

from matplotlib.figure import Figure

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.pipelines.gradients.report import (
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
    survey_trials,
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


def plot_gradients(survey: Survey, settings: GradientStudySettings) -> Figure:
    """Plot the gradient by layer of the deepest networks, and the first layer's by depth."""
    networks = [
        plots.NetworkGradients(
            depth=len(trial.shape["hidden_sizes"]),
            activation=trial.shape["activation"],
            initializer=trial.shape["initializer"],
            gradients=found.gradients,
        )
        for trial, found in zip(survey_trials(settings), survey.root, strict=True)
    ]
    return plots.plot_gradients_by_layer(networks)


def plot_remedies(remedies: Remedies) -> Figure:
    """Plot each remedy's validation loss and the gradient of its first layer beside the failing network's."""
    return plots.plot_remedies(
        {failing: [each.model_dump() for each in found] for failing, found in remedies.root.items()}
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
