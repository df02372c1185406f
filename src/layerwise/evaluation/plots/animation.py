"""Figures put together as an animation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from layerwise.evaluation.metrics.arrays import Array, as_array
from layerwise.evaluation.plots.images import image_grid
from layerwise.evaluation.plots.style import colour, dress, headline, new_figure

Film = list[tuple[int, Array]]


def as_picture(figure: Figure) -> Array:
    """Return a drawn figure as (height, width, 3) uint8."""
    canvas = cast(FigureCanvasAgg, figure.canvas)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def moment(epoch: int) -> str:
    """Return the name of a stage of training."""
    return "before training" if epoch == 0 else f"epoch {epoch}"


def film_of_pictures(stages: Sequence[tuple[int, Any]], image_shape: tuple[int, int]) -> Film:
    """Return a frame for each stage: epoch and samples (n, d) in [0, 1] of the same noise."""
    return [
        (epoch, as_picture(image_grid(as_array(rows).clip(0, 1), image_shape, title=moment(epoch))))
        for epoch, rows in stages
    ]


def film_of_points(stages: Sequence[tuple[int, Any]], real: Any, names: tuple[str, str] = ("x", "y")) -> Film:
    """Return a frame for each stage: generated points (n, 2) over real ones."""
    return [(epoch, as_picture(points(rows, real, moment(epoch), names))) for epoch, rows in stages]


def points(generated: Any, real: Any, title: str, names: tuple[str, str] = ("x", "y")) -> Figure:
    """Draw generated points (n, 2) over real ones (m, 2), in the frame of the real ones."""
    known, made = as_array(real), as_array(generated)
    figure = new_figure(4.6, 4.9)
    axes = figure.subplots()
    axes.scatter(known[:, 0], known[:, 1], s=4, color=colour(0), alpha=0.35, linewidths=0, label="real")
    axes.scatter(made[:, 0], made[:, 1], s=5, color=colour(2), alpha=0.7, linewidths=0, label="generated")
    low, high = known.min(0), known.max(0)
    room = 0.15 * (high - low)
    axes.set_xlim(low[0] - room[0], high[0] + room[0])
    axes.set_ylim(low[1] - room[1], high[1] + room[1])
    axes.legend(loc="upper right", fontsize=8, framealpha=0.85, edgecolor="none")
    dress(axes, x=names[0], y=names[1])
    headline(figure, title)
    return figure
