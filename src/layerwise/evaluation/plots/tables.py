"""Figures of a table's rows: reconstructions of one row, marginals of generated rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.data import ColumnBlock
from layerwise.data.preprocessing import DATE_PARTS
from layerwise.evaluation.metrics import as_array
from layerwise.evaluation.plots.latent import plot_heat_map
from layerwise.evaluation.plots.style import (
    cycle_color,
    grid_of_axes,
    new_figure,
    set_suptitle,
    shorten_labels,
    style_axes,
)

if TYPE_CHECKING:
    import pandas as pd

MAX_PANELS = 24
MAX_BARS = 12


def plot_table_reconstructions(
    restored: pd.DataFrame,
    preprocessed: Any,
    blocks: Sequence[ColumnBlock],
    snapshots: Sequence[tuple[int, float]],
    *,
    title: str = "One row's reconstruction during training",
) -> Figure:
    """Plot a row beside its reconstructions in the columns' own units, coloured by their squared error.

    Args:
        restored: the row and then its reconstructions, in raw columns.
        preprocessed: (1 + snapshots, d) the same rows as the network sees them.
        blocks: which preprocessed columns belong to which raw one.
        snapshots: epoch and squared error of each reconstruction.
        title: of the figure.
    """
    matrix = as_array(preprocessed).astype(np.float64)
    squared = (matrix - matrix[:1]) ** 2
    errors, texts, names = [], [], []
    for name in restored:
        parts = {str(name), *(f"{name}_{part}" for part in DATE_PARTS)}
        own = [squared[:, b.start : b.stop].sum(1) for b in blocks if b.name in parts]
        if own:
            names.append(str(name))
            errors.append(np.sum(own, axis=0))
            texts.append([_cell_text(value) for value in restored[name]])
    epochs = ["start" if epoch == 0 else f"epoch {epoch}" for epoch, _ in snapshots]
    return plot_heat_map(
        np.stack(errors),
        names,
        ["row", *(f"{epoch}\n{loss:.2f}" for epoch, (_, loss) in zip(epochs, snapshots, strict=True))],
        title=title,
        xlabel="epoch, and half its squared error",
        value="squared error (standardised)",
        texts=texts,
    )


def plot_marginals(real: pd.DataFrame, generated: pd.DataFrame, *, title: str = "Generated rows") -> Figure:
    """Plot each column's distribution among real rows (filled) and among generated ones (line).

    Args:
        real: rows in raw columns.
        generated: other rows in the same columns.
        title: of the figure.
    """
    names = [name for name in real if real[name].nunique() > 1][:MAX_PANELS]
    if not names:
        raise ValueError("there is no column that varies")
    columns = min(4, len(names))
    lines = -(-len(names) // columns)
    figure = new_figure(3.1 * columns, 2.3 * lines + 0.9)
    panels = [axes for line in grid_of_axes(figure, lines, columns) for axes in line]
    for axes, name in zip(panels, names, strict=False):
        _plot_marginal(axes, real[name], generated[name])
        style_axes(axes, title=shorten_labels([str(name)])[0], grid="y")
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    set_suptitle(figure, title)
    return figure


def _plot_marginal(axes: Axes, real: pd.Series, generated: pd.Series) -> None:
    import pandas as pd

    dtype = real.dtype
    if pd.api.types.is_datetime64_any_dtype(real):
        real, generated = real.astype("int64") / 1e9, generated.astype("int64") / 1e9
    fits_bars = real.nunique() <= MAX_BARS
    if pd.api.types.is_numeric_dtype(real) and not pd.api.types.is_bool_dtype(real) and not fits_bars:
        edges = np.histogram_bin_edges(pd.concat([real, generated]).dropna().to_numpy(dtype=float), bins=30)
        axes.hist(
            real.to_numpy(), edges.tolist(), density=True, color=cycle_color(0), alpha=0.55, label="real rows"
        )
        axes.hist(
            generated.to_numpy(),
            edges.tolist(),
            density=True,
            histtype="step",
            color=cycle_color(2),
            linewidth=1.5,
            label="generated rows",
        )
        axes.set_yticks([])
        if pd.api.types.is_datetime64_any_dtype(dtype):
            axes.set_xticks([])
        return
    fractions = [rows.astype(str).value_counts(normalize=True) for rows in (real, generated)]
    values = list(real.value_counts().index[:MAX_BARS])
    if pd.api.types.is_numeric_dtype(real):
        values = sorted(values)
    positions = np.arange(len(values))
    heights = [[float(fraction.get(str(value), 0.0)) for value in values] for fraction in fractions]
    axes.bar(positions, heights[0], width=0.8, color=cycle_color(0), alpha=0.55, label="real rows")
    axes.bar(
        positions,
        heights[1],
        width=0.8,
        fill=False,
        edgecolor=cycle_color(2),
        linewidth=1.5,
        label="generated rows",
    )
    axes.set_xticks(positions, shorten_labels([_cell_text(value) for value in values], 9), fontsize=7.5)


def _cell_text(value: Any) -> str:
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:,.4g}" if abs(number) < 1e4 else f"{number:,.0f}"
    return str(value)
