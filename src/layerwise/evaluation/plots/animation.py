"""Figures put together as an animation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from layerwise.data import ImageShape
from layerwise.evaluation.metrics import Array, as_array
from layerwise.evaluation.plots.images import plot_images
from layerwise.evaluation.plots.style import cycle_color, new_figure, set_suptitle, style_axes

Animation = list[tuple[int, Array]]


def render_figure(figure: Figure) -> Array:
    """Return a drawn figure as (height, width, 3) uint8."""
    canvas = cast(FigureCanvasAgg, figure.canvas)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def epoch_title(epoch: int) -> str:
    """Return the title of an epoch's frame."""
    return "before training" if epoch == 0 else f"epoch {epoch}"


def animate_images(snapshots: Sequence[tuple[int, Any]], image_shape: ImageShape) -> Animation:
    """Return a frame for each snapshot: epoch and samples (n, d) in [0, 1] of fixed noise."""
    return [
        (epoch, render_figure(plot_images(as_array(rows).clip(0, 1), image_shape, title=epoch_title(epoch))))
        for epoch, rows in snapshots
    ]


def animate_points(
    snapshots: Sequence[tuple[int, Any]], real: Any, names: tuple[str, str] = ("x", "y")
) -> Animation:
    """Return a frame for each snapshot: epoch and generated points (n, 2), over the real ones."""
    return [
        (epoch, render_figure(plot_points(rows, real, epoch_title(epoch), names)))
        for epoch, rows in snapshots
    ]


def plot_points(generated: Any, real: Any, title: str, names: tuple[str, str] = ("x", "y")) -> Figure:
    """Plot generated points (n, 2) over real ones (m, 2), within the limits of the real ones."""
    real_points, generated_points = as_array(real), as_array(generated)
    figure = new_figure(4.6, 4.9)
    axes = figure.subplots()
    for points, size, k, alpha, label in (
        (real_points, 4, 0, 0.35, "real"),
        (generated_points, 5, 2, 0.7, "generated"),
    ):
        x, y = points[:, 0], points[:, 1]
        axes.scatter(x, y, s=size, color=cycle_color(k), alpha=alpha, linewidths=0, label=label)
    low, high = real_points.min(0), real_points.max(0)
    margin = 0.15 * (high - low)
    axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
    axes.legend(loc="upper right", fontsize=8, framealpha=0.85, edgecolor="none")
    style_axes(axes, xlabel=names[0], ylabel=names[1])
    set_suptitle(figure, title)
    return figure
