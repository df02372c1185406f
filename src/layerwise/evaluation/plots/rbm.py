"""Figures of a restricted Boltzmann machine's hidden activity and of what it puts in the place of missing inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from layerwise.evaluation.metrics.arrays import as_array
from layerwise.evaluation.plots.images import Shape
from layerwise.evaluation.plots.style import (
    SEQUENTIAL,
    bare,
    colour,
    dress,
    grid_of_axes,
    headline,
    new_figure,
)

MOST_ROWS = 100
MOST_UNITS = 200


def hidden_activity(activities: Any, *, title: str = "Hidden activity") -> Figure:
    """Draw rows by units as grey cells, and how often each unit is on.

    Stripes down the picture are units that ignore the row; even stripes across are rows that all units take for the
    same (Yosinski & Lipson 2012).

    Args:
        activities: (rows, units) mean activities.
        title: of the figure.
    """
    matrix = as_array(activities).astype(np.float64)
    figure = new_figure(9.6, 4.4)
    left, right = grid_of_axes(figure, 1, 2)[0]
    shown = matrix[:MOST_ROWS, :MOST_UNITS]
    picture = left.imshow(
        shown,
        cmap=SEQUENTIAL,
        vmin=min(0.0, float(shown.min())),
        vmax=max(1.0, float(shown.max())),
        aspect="auto",
    )
    dress(left, title=f"{shown.shape[0]} rows, {shown.shape[1]} of {matrix.shape[1]} units", grid="none")
    left.set_xlabel("hidden unit")
    left.set_ylabel("row")
    figure.colorbar(picture, ax=left, label="mean activity")
    right.hist(matrix.mean(0), bins=40, color=colour(0))
    dress(right, title="Units by their mean activity over all rows", x="mean activity", y="units", grid="y")
    headline(figure, title)
    return figure


def inpainting(rows: Any, hidden: Any, filled: Any, image_shape: Shape, *, title: str = "") -> Figure:
    """Draw pictures, the same with a part taken away, and with that part drawn by the machine.

    Args:
        rows: (n, d) in [0, 1].
        hidden: (d,) bool, the pixels that were taken away.
        filled: (n, d) what the machine puts there, the other pixels as they were.
        image_shape: height and width.
        title: of the figure.
    """
    original, answer, gone = as_array(rows), as_array(filled), as_array(hidden).astype(bool)
    masked = np.where(gone, 0.5, original)
    n = len(original)
    figure = new_figure(
        max(0.75 * n + 1.3, 0.105 * len(title)), 0.75 * 3 * image_shape[0] / image_shape[1] + 0.75
    )
    lines = {"row": original, "given": masked, "completed": answer}
    for axes_line, (name, pictures) in zip(grid_of_axes(figure, 3, n), lines.items(), strict=True):
        for axes, picture in zip(axes_line, pictures, strict=True):
            axes.imshow(picture.reshape(image_shape), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            bare(axes)
        axes_line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9.5)
    headline(figure, title)
    return figure
