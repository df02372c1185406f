"""Heat maps, and two-dimensional maps of latents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from layerwise.evaluation.metrics import Array, as_array
from layerwise.evaluation.plots.style import (
    DIVERGING_CMAP,
    MUTED_COLOR,
    SEQUENTIAL_CMAP,
    TEXT_COLOR,
    cycle_color,
    cycle_marker,
    legend,
    new_figure,
    set_suptitle,
    shorten_labels,
    style_axes,
    wrapped_title,
)
from layerwise.evaluation.unsupervised import fit_pca

# Of a map's width and height: the letters of a class's name upon it, and how high it is.
LETTER_WIDTH, LABEL_HEIGHT = 0.024, 0.06
# The neighbours of a point, itself among them, and the fraction of its own class that makes a place that class's.
NEIGHBORS, MAJORITY = 20, 0.6
# A legend of more is higher than the figure.
MOST_CLASSES = 20
MOST_WRITTEN_ROWS = 60


def plot_heat_map(
    values: Any,
    row_names: Sequence[str],
    column_names: Sequence[str],
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    value: str = "",
    centered: bool = False,
    logarithmic: bool = False,
    show_numbers: bool | None = None,
    texts: Sequence[Sequence[str]] | None = None,
) -> Figure:
    """Plot a matrix as coloured cells, with numbers in them where they fit.

    Args:
        values: (rows, columns); NaN stays white.
        row_names: from the top.
        column_names: from the left.
        title: of the figure.
        xlabel: what the columns are.
        ylabel: what the rows are.
        value: what the colours mean, with its unit.
        centered: a diverging colour map around 0, over the same range on both sides.
        logarithmic: colours by powers of ten; values of 0 and below stay white.
        show_numbers: by default for at most 150 cells; never in more than 60 rows, which have no place for them.
        texts: what stands in the cells instead of the numbers, row by row, in as many rows at most.
    """
    matrix = np.ma.masked_invalid(as_array(values).astype(np.float64))
    if matrix.shape != (len(row_names), len(column_names)):
        raise ValueError(f"{len(row_names)} x {len(column_names)} names do not fit {matrix.shape} values")
    if logarithmic:
        matrix = np.ma.masked_less_equal(matrix, 0)
    norm = _color_norm(matrix, centered, logarithmic)
    n_rows, n_columns = matrix.shape
    wanted = texts is not None or (matrix.size <= 150 if show_numbers is None else show_numbers)
    numbers = wanted and n_rows <= MOST_WRITTEN_ROWS
    cell = 0.3
    if numbers:
        cell = 0.62 if texts is None else max(0.62, 0.085 * max(len(t) for line in texts for t in line))
    names = shorten_labels(list(row_names), 52)
    width = max(4.0, min(14.0, cell * n_columns)) + 0.09 * max(len(name) for name in names) + 1.3
    title, lines = wrapped_title(title, width)
    figure = new_figure(width, max(2.2, min(12.0, 0.32 * n_rows)) + 1.1 + 0.2 * lines)
    axes = figure.subplots()
    image = axes.imshow(
        matrix, cmap=DIVERGING_CMAP if centered else SEQUENTIAL_CMAP, norm=norm, aspect="auto"
    )
    style_axes(axes, xlabel=xlabel, ylabel=ylabel, grid="none")
    below = shorten_labels(list(column_names), 20)
    _name_ticks(axes.xaxis, below)
    _name_ticks(axes.yaxis, names)
    longest = max(len(part) for name in below for part in name.split("\n"))
    if longest * 0.075 > cell * max(1.0, 4.0 / (cell * n_columns)):
        axes.tick_params(axis="x", rotation=90)
    if numbers:
        _write_into_cells(axes, image, matrix, texts)
    bar = figure.colorbar(image, ax=axes, label=value, fraction=0.05, pad=0.02)
    bar.ax.tick_params(labelsize=8.5)
    bar.outline.set_visible(False)
    set_suptitle(figure, title)
    return figure


def _name_ticks(axis: Axis, labels: Sequence[str]) -> None:
    step = -(-len(labels) // 40)  # at most some 40 names on an axis can be read
    axis.set_ticks(range(0, len(labels), step), labels[::step], fontsize=8.5)


def _color_norm(matrix: Any, centered: bool, logarithmic: bool) -> Any:
    """Return what takes the values of a masked matrix to [0, 1], of which the colours are."""
    from matplotlib.colors import LogNorm, Normalize

    low, high = float(matrix.min()), float(matrix.max())
    if logarithmic:
        return LogNorm(low, high)
    if centered:
        bound = float(np.abs(matrix).max()) or 1.0
        return Normalize(-bound, bound)
    return Normalize(low, high)


def _write_into_cells(axes: Any, image: Any, matrix: Any, texts: Sequence[Sequence[str]] | None) -> None:
    """Write each cell's number, or its text, in a colour that can be read on the cell's own."""
    shades = image.cmap(image.norm(matrix.filled(matrix.min())))
    light = shades[..., :3] @ [0.299, 0.587, 0.114] > 0.55
    for row, column in np.argwhere(~np.ma.getmaskarray(matrix)):
        text = f"{matrix[row, column]:.2g}" if texts is None else texts[row][column]
        text_color = TEXT_COLOR if light[row, column] else "white"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=text_color)


def _draw_classes(
    axes: Any, points: np.ndarray, classes: np.ndarray, class_names: Sequence[str], dots: dict[str, Any]
) -> None:
    """Draw the points (n, 2) of the most frequent classes, and in gray those of all others."""
    counts = np.bincount(classes, minlength=len(class_names))
    shown = np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])
    if n_others := len(class_names) - len(shown):
        others = points[~np.isin(classes, shown)]
        axes.scatter(*others.T, **dots | {"color": MUTED_COLOR, "label": f"{n_others} other classes"})
    for k in shown.tolist():
        shape = {"color": cycle_color(k), "marker": cycle_marker(k), "label": class_names[k]}
        axes.scatter(*points[classes == k].T, **dots | shape)


def plot_latent_map(
    latents: Any,
    targets: Any | None = None,
    *,
    class_names: Sequence[str] = (),
    target_name: str = "target",
    title: str = "Latent map",
) -> Figure:
    """Plot latents in the plane, with a colour and a shape for each class, or coloured by a regression's target.

    Of more than 20 classes the rarer ones are gray.

    Latents of more than two columns are projected on their first two principal components, whose fractions of the
    variance stand on the axes.

    Args:
        latents: (n, k), k at least 2.
        targets: (n,) or (n, 1); classes if `class_names` are given, else values.
        class_names: of the classes.
        target_name: what the colours of a regression mean.
        title: of the figure.
    """
    points, labels = _plane(as_array(latents).astype(np.float64))
    figure = new_figure(7.4, 5.8)
    axes = figure.subplots()
    style_axes(axes, xlabel=labels[0], ylabel=labels[1])
    dots: dict[str, Any] = {"s": float(np.clip(24_000 / len(points), 3, 30)), "alpha": 0.75, "linewidths": 0}
    if targets is None:
        axes.scatter(*points.T, color=cycle_color(0), **dots)
    elif class_names:
        classes = as_array(targets).reshape(-1).astype(np.int64)
        _draw_classes(axes, points, classes, class_names, dots)
        if len(class_names) <= MOST_CLASSES and max(map(len, class_names)) <= 8:
            _name_classes(axes, points, classes, class_names)
        legend(axes, outside=True)
        for handle in axes.get_legend().legend_handles:  # type: ignore[union-attr]
            handle.set(sizes=[36], alpha=1)  # type: ignore[union-attr]
    else:
        image = axes.scatter(
            points[:, 0], points[:, 1], c=as_array(targets).reshape(-1), cmap=SEQUENTIAL_CMAP, **dots
        )
        bar = figure.colorbar(image, ax=axes, label=target_name)
        bar.solids.set_alpha(1)  # type: ignore[union-attr]
    set_suptitle(figure, title)
    return figure


def _name_classes(axes: Any, points: Array, classes: Array, class_names: Sequence[str]) -> None:
    """Write each class's name where most points are its own; one that has no such place stands in the legend alone."""
    places = _own_places(points, classes)
    if not places:
        return
    box = np.array([max(LABEL_HEIGHT, LETTER_WIDTH * max(map(len, class_names))), LABEL_HEIGHT])
    positions = _separate_labels(np.array(list(places.values())), np.ptp(points, axis=0) * box)
    for k, position in zip(places, positions, strict=True):
        axes.text(
            float(position[0]),
            float(position[1]),
            class_names[k],
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold",
            color=TEXT_COLOR,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )


def _own_places(points: Array, classes: Array) -> dict[int, Array]:
    """Return, of each class that has one, the point next to its middle whose neighbours are mostly of it too."""
    from scipy.spatial import cKDTree

    scaled = points / np.maximum(np.ptp(points, axis=0), 1e-12)
    nearest = cKDTree(scaled).query(scaled, min(NEIGHBORS, len(points)))[1].reshape(len(points), -1)
    own = (classes[nearest] == classes[:, None]).mean(1)
    places: dict[int, Array] = {}
    for k in np.unique(classes).tolist():
        mine = np.flatnonzero(classes == k)
        sure = mine[own[mine] >= max(MAJORITY, own[mine].max() - 0.1)]
        if len(sure):
            middle = np.median(scaled[mine], axis=0)
            places[k] = points[sure[np.square(scaled[sure] - middle).sum(1).argmin()]]
    return places


def _separate_labels(positions: Array, box: Array) -> Array:
    """Push labels apart until no two boxes overlap, of a label's width and height."""
    scaled = positions / np.where(box > 0, box, 1)
    for _ in range(200):
        gaps = scaled[:, None] - scaled[None]
        lengths = np.linalg.norm(gaps, axis=2)
        near = (lengths < 1) & ~np.eye(len(scaled), dtype=bool)
        if not near.any():
            break
        # Two labels at the very same position have no direction between them: they move sideways.
        order = np.arange(len(scaled))[:, None] - np.arange(len(scaled))[None]
        sideways = np.stack([np.sign(order) * 1.0, np.zeros_like(order, dtype=float)], 2)
        directions = np.where(
            lengths[..., None] > 1e-9, gaps / np.maximum(lengths, 1e-9)[..., None], sideways
        )
        steps = np.where(near, (1.05 - lengths) / 2, 0)
        scaled = scaled + (steps[..., None] * directions).sum(1)
    return scaled * np.where(box > 0, box, 1)


def _plane(latents: Array) -> tuple[Array, list[str]]:
    """Return points (n, 2), the first two principal components if there are more columns, and the axes' labels."""
    if latents.ndim != 2 or latents.shape[1] < 2:
        raise ValueError(f"a map needs latents of at least two columns, not of shape {latents.shape}")
    if latents.shape[1] == 2:
        return latents, ["latent 1", "latent 2"]
    if len(latents) == 1:  # no directions in which it varies
        return np.zeros((1, 2)), ["principal component 1", "principal component 2"]
    rows = torch.from_numpy(latents)
    plane = fit_pca(rows, 2)
    labels = [f"principal component {k + 1} ({plane.fractions[k]:.0%} of the variance)" for k in range(2)]
    return plane.encode(rows).numpy(), labels
