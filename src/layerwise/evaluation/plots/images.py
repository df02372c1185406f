"""Figures of rows and weights as images: features, reconstructions, samples, augmented rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.data import ImageShape, values_of
from layerwise.evaluation.metrics import Array, as_array
from layerwise.evaluation.plots.latent import plot_heat_map
from layerwise.evaluation.plots.style import (
    DIVERGING_CMAP,
    NARROWEST_TITLE,
    TEXT_COLOR,
    grid_of_axes,
    hide_ticks,
    new_figure,
    set_suptitle,
    wrapped_title,
)

# Inputs of a table whose weights can be read in one figure.
MOST_INPUTS = 60


def plot_images(
    images: Any,
    image_shape: ImageShape,
    *,
    title: str = "",
    captions: Sequence[str] = (),
    columns: int | None = None,
) -> Figure:
    """Plot rows in [0, 1] as images, gray or in color, each under its caption.

    Args:
        images: (n, values), or (n, *image_shape).
        image_shape: height and width, and 3 of color images.
        title: of the figure.
        captions: none, or one an image.
        columns: images in a line; near a square by default.

    Raises:
        ValueError: no images, another number of captions, rows of another size.
    """
    images = _as_images(images, image_shape)
    if captions and len(captions) != len(images):
        raise ValueError(f"{len(captions)} captions do not fit {len(images)} images")
    columns = columns or int(np.ceil(np.sqrt(len(images))))
    lines = -(-len(images) // columns)
    if not captions:
        width, height, title = _size(lines, columns, image_shape, 0.62, title)
        figure = new_figure(width, height)
        axes = figure.subplots()
        _mosaic(axes, images, columns)
        set_suptitle(figure, title)
        return figure
    cell = max(0.9, 0.09 * max(len(caption) for caption in captions))
    width, height, title = _size(lines, columns, image_shape, cell, title)
    figure = new_figure(width, height + 0.2 * lines - 0.15)
    for k, axes in enumerate(axes for line in grid_of_axes(figure, lines, columns) for axes in line):
        if k < len(images):
            show_image(axes, images[k])
            hide_ticks(axes, captions[k])
        else:
            axes.set_axis_off()
    set_suptitle(figure, title)
    return figure


def plot_samples(images: Any, image_shape: ImageShape, *, title: str = "Samples of the network") -> Figure:
    """Plot generated rows, probabilities in [0, 1], side by side."""
    return plot_images(images, image_shape, title=title)


def plot_image_rows(
    variants: Mapping[str, Any],
    image_shape: ImageShape,
    *,
    title: str = "Augmentation",
    captions: Sequence[str] = (),
) -> Figure:
    """Plot the same rows once a line, each line after another transformation.

    Args:
        variants: the line's name ("original", "rotate", ...) and its (n, d) rows.
        image_shape: height and width, and 3 of color images.
        title: of the figure.
        captions: none, or one a column, above the first line.
    """
    if not variants:
        raise ValueError("there are no variants to plot")
    lines = {name: _as_images(rows, image_shape) for name, rows in variants.items()}
    count = min(len(images) for images in lines.values())
    width, height, title = _size(len(lines), count, image_shape, 0.75, title)
    figure = new_figure(width + 0.085 * max(len(name) for name in lines), height)
    axes = figure.subplots()
    _mosaic(axes, np.concatenate([images[:count] for images in lines.values()]), count)
    pixels_down, pixels_across = image_shape[:2]
    axes.set_yticks(np.arange(len(lines)) * (pixels_down + 1) + (pixels_down - 1) / 2, list(lines))
    if captions:
        middles = np.arange(count) * (pixels_across + 1) + (pixels_across - 1) / 2
        axes.set_xticks(middles, list(captions)[:count])
    axes.tick_params(
        length=0, labelsize=9.5, labelcolor=TEXT_COLOR, top=False, labeltop=True, labelbottom=False
    )
    set_suptitle(figure, title)
    return figure


def plot_features(
    weights: Any,
    *,
    image_shape: ImageShape | None = None,
    feature_names: Sequence[str] = (),
    rows: Any = None,
    limit: int = 64,
    title: str = "First-layer features",
) -> Figure:
    """Plot the weights of each unit of the first layer, red positive and blue negative.

    The units with the largest weights are shown, or those that vary most over `rows`; of a table with many inputs, the
    inputs with the largest weights. Each unit's image has its own scale, since a filter is read by its pattern; in
    color 0 is gray. A table's heat map has one scale for all units.

    Args:
        weights: (d, hidden): a column a unit.
        image_shape: height and width if the inputs are pixels, and 3 of color images.
        feature_names: the d names of the inputs of a table.
        rows: (n, d) rows, of images: the units that vary most over them are shown, their weights times the standard
            deviations of the pixels, since the weight of a pixel that never changes stays as it was drawn.
        limit: at most so many units.
        title: of the figure.
    """
    matrix = as_array(weights).astype(np.float64)
    strength = np.linalg.norm(matrix, axis=0)
    if rows is not None and image_shape is not None:
        values = as_array(rows).astype(np.float64)
        strength = (values @ matrix).std(0)
        matrix = matrix * values.std(0)[:, None]
    strongest = np.sort(np.argsort(-strength, kind="stable")[:limit])
    some = len(strongest) < matrix.shape[1]
    shown = f"{len(strongest)} of {matrix.shape[1]} units" if some else "all units"
    if image_shape is None:
        names = list(feature_names) or [f"input {k + 1}" for k in range(len(matrix))]
        kept = np.sort(np.argsort(-np.linalg.norm(matrix, axis=1), kind="stable")[:MOST_INPUTS])
        if len(kept) < len(matrix):
            shown += f"; the {len(kept)} of {len(matrix):,} inputs with the largest weights"
        return plot_heat_map(
            matrix[np.ix_(kept, strongest)],
            [names[k] for k in kept],
            [str(k + 1) for k in strongest],
            title=f"{title} ({shown})",
            xlabel="hidden unit",
            value="weight",
            centered=True,
        )
    filters = _as_images(matrix[:, strongest].T, image_shape)
    scale = np.abs(filters).max(axis=tuple(range(1, filters.ndim)), keepdims=True)
    filters = filters / np.where(scale > 0, scale, 1)
    columns = int(np.ceil(np.sqrt(len(filters))))
    width, height, title = _size(-(-len(filters) // columns), columns, image_shape, 0.62, title)
    figure = new_figure(width, height)
    axes = figure.subplots()
    if filters.ndim == 4:
        _mosaic(axes, (filters + 1) / 2, columns)
        signs = "gray is 0,\na color excites, its complement inhibits"
    else:
        _mosaic(axes, filters, columns, cmap=DIVERGING_CMAP, low=-1.0)
        signs = "red excites, blue inhibits"
    by = "" if rows is None else "\nweights times the standard deviation of their pixels"
    axes.set_xlabel(f"{shown}, each on its own scale: {signs}{by}", fontsize=9)
    set_suptitle(figure, title)
    return figure


def plot_reconstructions(
    original: Any,
    snapshots: Sequence[tuple[int, Any, float]],
    *,
    image_shape: ImageShape,
    title: str = "One row's reconstruction during training",
) -> Figure:
    """Plot an image beside its reconstructions at several epochs of training.

    Args:
        original: (d,) the row.
        snapshots: epoch, (d,) reconstruction and its loss, in the unit of the network's own.
        image_shape: height and width, and 3 of color images.
        title: of the figure.
    """
    rows = [as_array(original).reshape(-1), *(as_array(row).reshape(-1) for _, row, _ in snapshots)]
    captions = ["original"]
    for epoch, _, loss in snapshots:
        captions.append(f"{'start' if epoch == 0 else f'epoch {epoch}'}\nloss {loss:.1f}")
    figure = new_figure(1.45 * len(rows) + 0.3, 1.45 * image_shape[0] / image_shape[1] + 0.8)
    for axes, row, caption in zip(grid_of_axes(figure, 1, len(rows))[0], rows, captions, strict=True):
        show_image(axes, row.reshape(image_shape))
        hide_ticks(axes, caption)
    set_suptitle(figure, title)
    return figure


def show_image(axes: Axes, image: Array) -> None:
    """Draw an image in [0, 1], (height, width) in gray or (height, width, 3) in color."""
    image = image if image.ndim == 2 else image.clip(0, 1)
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _as_images(images: Any, image_shape: ImageShape) -> Array:
    array = as_array(images).astype(np.float64)
    if array.size == 0:
        raise ValueError("there are no images to plot")
    if array[0].size != values_of(image_shape):
        raise ValueError(f"rows of {array[0].size} values are no images of {image_shape}")
    return array.reshape(len(array), *image_shape)


def _mosaic(axes: Axes, images: Array, columns: int, cmap: str = "gray", low: float = 0.0) -> None:
    """Plot many small images as one with white gaps: one artist instead of hundreds of axes."""
    n, height, width = images.shape[:3]
    lines = -(-n // columns)
    # Gaps are masked in gray, which leaves them white; an image in color cannot be masked, and has them white.
    size = lines * (height + 1) - 1, columns * (width + 1) - 1
    canvas = np.full((*size, *images.shape[3:]), np.nan if images.ndim == 3 else 1.0)
    for k, image in enumerate(images):
        top, left = (k // columns) * (height + 1), (k % columns) * (width + 1)
        canvas[top : top + height, left : left + width] = image
    shown = np.ma.masked_invalid(canvas) if images.ndim == 3 else canvas.clip(0, 1)
    axes.imshow(shown, cmap=cmap, vmin=low, vmax=1, interpolation="nearest")
    hide_ticks(axes)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _size(
    lines: int, columns: int, image_shape: ImageShape, cell: float, title: str
) -> tuple[float, float, str]:
    """Return width and height in inches, and the title in lines that fit above the images."""
    width = max(cell * columns, NARROWEST_TITLE)
    title, title_lines = wrapped_title(title, width)
    return width + 0.3, cell * lines * image_shape[0] / image_shape[1] + 0.55 + 0.2 * title_lines, title
