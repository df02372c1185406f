"""Figures of a GAN: learning curves, snapshots of its samples, their classes, distances to training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from layerwise.evaluation.metrics import Array, as_array
from layerwise.evaluation.plots.style import (
    MUTED_COLOR,
    cycle_color,
    grid_of_axes,
    hide_ticks,
    legend,
    legend_below,
    new_figure,
    proper_names,
    set_suptitle,
    shorten_labels,
    style_axes,
)

# Inches of a letter of a class's name.
LETTER = 0.085
History = Sequence[Mapping[str, float]]
# Panels of the learning curves: title, what its axis measures, and the metrics with their labels, colours and lines.
# The colour says what is measured (real rows and the discriminator, generated rows and the generator), the line where.
Curve = tuple[str, int, str]
PANELS: tuple[tuple[str, str, dict[str, Curve]], ...] = (
    (
        "Value V(D, G)", "value function",
        {"train/value": ("training", 0, "-"), "validation/value": ("validation", 0, "--")},
    ),
    (
        "Losses", "loss",
        {"train/discriminator_loss": ("discriminator", 0, "-"), "train/generator_loss": ("generator", 2, "-")},
    ),
    (
        "Scores", "output of the discriminator",
        {
            "train/d_of_x": ("real, training", 0, "-"), "validation/d_of_x": ("real, validation", 0, "--"),
            "train/d_of_g": ("generated, training", 2, "-"), "validation/d_of_g": ("generated, validation", 2, "--"),
        },
    ),
    (
        "Gradients", "norm of the gradient (log scale)",
        {
            "train/discriminator_gradient": ("discriminator", 0, "-"),
            "train/generator_gradient": ("generator", 2, "-"),
        },
    ),
    (
        "Samples of fixed noise", "relative to real rows",
        {
            "samples/diversity": ("distance to the nearest other", 2, "-"),
            "samples/displacement": ("change in an epoch", 4, "-"),
        },
    ),
    (
        "Classes or modes", "how many",
        {"samples/known_modes": ("of real rows", 0, "--"), "samples/modes": ("among samples", 2, "-")},
    ),
)  # fmt: skip


def plot_gan_curves(history: History, *, title: str = "Training by epoch") -> Figure:
    """Plot value, losses, scores, gradients and the metrics of samples, those that the history has.

    Raises:
        ValueError: the history is empty.
    """
    if not history:
        raise ValueError("there is nothing to plot: the history is empty")
    panels = [
        (name, unit, {key: curve for key, curve in curves.items() if key in history[-1]})
        for name, unit, curves in PANELS
    ]
    panels = [panel for panel in panels if panel[2]]
    lines = -(-len(panels) // 2)
    figure = new_figure(12.4, 2.6 * lines + 0.5)
    axes_list = [axes for line in grid_of_axes(figure, lines, 2) for axes in line]
    for axes, (name, unit, curves) in zip(axes_list, panels, strict=False):
        _plot_curves(axes, history, curves)
        if name == "Gradients":
            axes.set_yscale("log")
        style_axes(axes, title=name, xlabel="epoch", ylabel=unit)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        legend(axes, outside=True)
    for axes in axes_list[len(panels) :]:
        axes.set_axis_off()
    set_suptitle(figure, title)
    return figure


def _plot_curves(axes: Axes, history: History, curves: Mapping[str, Curve]) -> None:
    for key, (label, color, line) in curves.items():
        found = [(epoch["epoch"], epoch[key]) for epoch in history if key in epoch]
        axes.plot(*np.array(found).T, color=cycle_color(color), linestyle=line, label=label, linewidth=1.4)
    if "train/d_of_x" in curves and all(0 <= epoch["train/d_of_x"] <= 1 for epoch in history):
        axes.axhline(0.5, color=MUTED_COLOR, linewidth=0.8, zorder=0)


def plot_frames(frames: Sequence[tuple[int, Array]], *, max_frames: int = 6, title: str = "") -> Figure:
    """Plot some frames of an animation side by side, the first and the last among them.

    Args:
        frames: epoch and image (height, width, 3).
        max_frames: at most so many.
        title: of the figure.
    """
    if not frames:
        raise ValueError("there are no frames to plot")
    picked = np.unique(np.linspace(0, len(frames) - 1, min(max_frames, len(frames))).round().astype(int))
    columns = min(3, len(picked))
    lines = -(-len(picked) // columns)
    height, width = frames[0][1].shape[:2]
    figure = new_figure(3.6 * columns, 3.6 * lines * height / width + 0.4)
    axes_list = [axes for line in grid_of_axes(figure, lines, columns) for axes in line]
    for axes, k in zip(axes_list, picked, strict=False):
        axes.imshow(frames[k][1], interpolation="lanczos")
        hide_ticks(axes)
    for axes in axes_list:
        axes.set_axis_off()
    set_suptitle(figure, title or "Samples of fixed noise during training")
    return figure


def plot_class_fractions(
    fractions: Mapping[str, Any],
    class_names: Sequence[str],
    *,
    title: str = "Classes of the samples",
    xlabel: str = "class, by the classifier",
) -> Figure:
    """Plot the fraction of every class among each generator's samples.

    Args:
        fractions: by generator, one fraction a class.
        class_names: as many names.
        title: of the figure.
        xlabel: what the classes are.
    """
    n, bars = len(class_names), len(fractions)
    names = shorten_labels(class_names, 24)
    width, inches = max(5.5, 0.75 * n), LETTER * max(map(len, names))
    # The axis and the legend beside it take two inches.
    is_wide = n * inches > width - 2
    figure = new_figure(width, 3.4 + inches * is_wide)
    axes = figure.subplots()
    for k, (name, values) in enumerate(fractions.items()):
        positions = np.arange(n) + (k - (bars - 1) / 2) * 0.8 / bars
        heights, label = 100 * np.asarray(values), proper_names(name)
        axes.bar(positions, heights, width=0.8 / bars, color=cycle_color(k), label=label)
    axes.axhline(100 / n, color=MUTED_COLOR, linewidth=1, linestyle="--", zorder=0, label="equal fractions")
    axes.set_xticks(np.arange(n), names, rotation=90 if is_wide else 0)
    style_axes(axes, xlabel=xlabel, ylabel="fraction of the rows (%)", grid="y")
    legend(axes, outside=True)
    set_suptitle(figure, title)
    return figure


def plot_distance_histogram(
    generated: Any, real: Any, *, title: str = "Distance to the nearest training row"
) -> Figure:
    """Plot the distances of generated rows to the nearest training row, beside those of test rows.

    Args:
        generated: (n,) distances of generated rows.
        real: (m,) the same of test rows.
        title: of the figure.
    """
    figure = new_figure(5.6, 3.4)
    axes = figure.subplots()
    edges = np.histogram_bin_edges(np.concatenate([generated, real]), bins=40).tolist()
    axes.hist(real, edges, density=True, color=cycle_color(0), alpha=0.55, label="test rows")
    axes.hist(
        generated,
        edges,
        density=True,
        histtype="step",
        color=cycle_color(2),
        linewidth=1.5,
        label="generated rows",
    )
    style_axes(axes, xlabel="Euclidean distance in the preprocessed columns", ylabel="density")
    legend(axes)
    set_suptitle(figure, title)
    return figure


def plot_scatter_grid(panels: Mapping[str, Any], real: Any, *, title: str = "", columns: int = 3) -> Figure:
    """Plot sets of generated points (n, 2), each over the same real points (m, 2).

    Args:
        panels: points by their caption.
        real: in every panel.
        title: of the figure.
        columns: panels in a line.
    """
    lines = -(-len(panels) // columns)
    real_points = as_array(real)
    figure = new_figure(2.7 * columns, 2.95 * lines + 0.8)
    axes_list = [axes for line in grid_of_axes(figure, lines, columns) for axes in line]
    limit = 1.25 * float(np.abs(real_points).max())
    for axes, (caption, points) in zip(axes_list, panels.items(), strict=False):
        generated = as_array(points)
        for rows, name, color, alpha in (
            (real_points, "real points", cycle_color(0), 0.3),
            (generated, "generated points", cycle_color(2), 0.7),
        ):
            axes.scatter(rows[:, 0], rows[:, 1], s=4, linewidths=0, color=color, alpha=alpha, label=name)
        axes.set_xlim(-limit, limit)
        axes.set_ylim(-limit, limit)
        axes.set_aspect("equal")
        hide_ticks(axes, caption)
    for axes in axes_list[len(panels) :]:
        axes.set_axis_off()
    legend_below(figure, marker_scale=4)
    set_suptitle(figure, title)
    return figure
