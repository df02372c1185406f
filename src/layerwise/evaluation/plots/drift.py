"""Figure of drift: the population stability index of each column, with the thresholds of its levels."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from layerwise.evaluation.drift import LARGE_PSI, MODERATE_PSI, Drift
from layerwise.evaluation.plots.style import (
    MUTED_COLOR,
    TEXT_COLOR,
    new_figure,
    set_suptitle,
    shorten_labels,
    style_axes,
)

MAX_COLUMNS = 30
LEVEL_COLORS = {"stable": "#94a4a2", "some drift": "#ffa90e", "drift": "#bd1f01"}


def plot_drift(
    found: Sequence[Drift], n_rows: int, *, title: str = "Drift of the new rows from training"
) -> Figure:
    """Plot a bar for each column, the highest index at the top.

    Args:
        found: one for each column.
        n_rows: the number of new rows.
        title: of the figure.
    """
    shown = sorted(found, key=lambda each: each.psi)[-MAX_COLUMNS:]
    figure = new_figure(8.2, 1.5 + 0.32 * len(shown))
    set_suptitle(figure, title)
    axes = figure.subplots()
    largest = max([each.psi for each in shown] + [LARGE_PSI * 1.2])
    axes.barh(
        range(len(shown)), [each.psi for each in shown], color=[LEVEL_COLORS[each.level] for each in shown]
    )
    axes.set_xlim(0, largest * 1.45)
    for position, each in enumerate(shown):
        text = f"{each.psi:.3f}" + (f"  {each.details}" if each.details else "")
        axes.text(
            each.psi + largest * 0.015,
            position,
            shorten_labels([text], 62)[0],
            va="center",
            fontsize=8,
            color=TEXT_COLOR,
        )
    for threshold in (MODERATE_PSI, LARGE_PSI):
        axes.axvline(threshold, color=MUTED_COLOR, linewidth=1, linestyle="--", zorder=0)
    axes.set_yticks(range(len(shown)), shorten_labels([each.column for each in shown]))
    thresholds = f"dashed: some drift from {MODERATE_PSI}, drift from {LARGE_PSI}"
    xlabel = f"population stability index of {n_rows:,} new rows ({thresholds})"
    style_axes(axes, xlabel=xlabel, grid="x")
    axes.set_ylim(-0.6, len(shown) + 0.1)
    return figure
