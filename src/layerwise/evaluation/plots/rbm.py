"""Figures of a restricted Boltzmann machine's hidden activations and of its inpainting of missing pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from layerwise.data import ImageShape
from layerwise.evaluation.metrics import as_array
from layerwise.evaluation.plots.images import show_image
from layerwise.evaluation.plots.style import (
    NARROWEST_TITLE,
    SEQUENTIAL_CMAP,
    cycle_color,
    grid_of_axes,
    hide_ticks,
    new_figure,
    set_suptitle,
    style_axes,
    wrapped_title,
)

MAX_ROWS = 100
MAX_UNITS = 200


def plot_activations(activations: Any, *, title: str = "Hidden activations") -> Figure:
    """Plot activations as a matrix of rows by units, and a histogram of the units' means.

    Vertical stripes are units that ignore the row; even horizontal stripes are rows that all units take for the same
    (Yosinski & Lipson 2012).

    Args:
        activations: (rows, units) activations, of an RBM the means given the rows.
        title: of the figure.
    """
    matrix = as_array(activations).astype(np.float64)
    figure = new_figure(9.6, 4.4)
    left, right = grid_of_axes(figure, 1, 2)[0]
    shown = matrix[:MAX_ROWS, :MAX_UNITS]
    image = left.imshow(
        shown,
        cmap=SEQUENTIAL_CMAP,
        vmin=min(0.0, float(shown.min())),
        vmax=max(1.0, float(shown.max())),
        aspect="auto",
    )
    style_axes(left, title=f"{shown.shape[0]} rows, {shown.shape[1]} of {matrix.shape[1]} units", grid="none")
    left.set_xlabel("hidden unit")
    left.set_ylabel("row")
    figure.colorbar(image, ax=left, label="activation")
    # A bin of a few units each: 40 for the hundreds of an RBM, about ten for the 30 of a latent.
    right.hist(matrix.mean(0), bins=min(40, 2 * math.ceil(math.sqrt(matrix.shape[1]))), color=cycle_color(0))
    right.yaxis.set_major_locator(MaxNLocator(integer=True))
    style_axes(
        right,
        title="Units by their mean activation over all rows",
        xlabel="mean activation",
        ylabel="units",
        grid="y",
    )
    set_suptitle(figure, title)
    return figure


def plot_inpainting(
    rows: Any, missing: Any, imputed: Any, image_shape: ImageShape, *, title: str = ""
) -> Figure:
    """Plot images, the same with missing pixels in grey, and with those pixels inpainted by the RBM.

    Args:
        rows: (n, d) in [0, 1].
        missing: (d,) bool, True for the missing pixels.
        imputed: (n, d) the RBM's pixels where missing, the given ones elsewhere.
        image_shape: height and width, and 3 of color images.
        title: of the figure.
    """
    original, inpainted, is_missing = as_array(rows), as_array(imputed), as_array(missing).astype(bool)
    masked = np.where(is_missing, 0.5, original)
    n = len(original)
    width = max(0.75 * n + 1.3, NARROWEST_TITLE)
    title, title_lines = wrapped_title(title, width)
    figure = new_figure(width, 0.75 * 3 * image_shape[0] / image_shape[1] + 0.55 + 0.2 * title_lines)
    lines = {"image": original, "given": masked, "inpainted": inpainted}
    for axes_row, (name, images) in zip(grid_of_axes(figure, 3, n), lines.items(), strict=True):
        for axes, image in zip(axes_row, images, strict=True):
            show_image(axes, image.reshape(image_shape))
            hide_ticks(axes)
        axes_row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9.5)
    set_suptitle(figure, title)
    return figure
