"""Figures of a table's rows: reconstructions of one row, marginals of generated rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.data import ColumnBlock
from layerwise.data.preprocessing import DATE_PARTS, PAIR_PARTS
from layerwise.evaluation.metrics import as_array
from layerwise.evaluation.plots.latent import plot_heat_map
from layerwise.evaluation.plots.style import (
    MUTED_COLOR,
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
MAX_GENERATED_VALUES = 4 * MAX_BARS
# Characters of all names together, beside one another below a panel.
NAMES_IN_A_LINE = 30


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
        parts = {str(name), *(f"{name}_{part}" for part in DATE_PARTS + PAIR_PARTS)}
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
        beyond = _plot_marginal(axes, real[name], generated[name])
        style_axes(axes, title=shorten_labels([str(name)], 30, lines=3)[0], grid="y")
        axes.set_xlabel(beyond, fontsize=8, color=MUTED_COLOR)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    set_suptitle(figure, title)
    return figure


def _plot_marginal(axes: Axes, real: pd.Series, generated: pd.Series) -> str:
    """Plot one column; return how many rows are beyond the plot, in words."""
    import pandas as pd

    dtype = real.dtype
    if pd.api.types.is_datetime64_any_dtype(real):
        real, generated = real.astype("int64") / 1e9, generated.astype("int64") / 1e9
    # Values that are drawn between those of the real rows stand on no bar of theirs.
    fits_bars = real.nunique() <= MAX_BARS and generated.nunique() <= MAX_GENERATED_VALUES
    if pd.api.types.is_numeric_dtype(real) and not pd.api.types.is_bool_dtype(real) and not fits_bars:
        low, high = central_range(real.dropna().to_numpy(dtype=float))
        edges = np.linspace(low, high, 31)
        beyond = _rows_beyond(low, high, real=real, generated=generated)
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
        axes.locator_params(axis="x", nbins=4)
        if pd.api.types.is_datetime64_any_dtype(dtype):
            axes.set_xticks([])
        return beyond
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
    length = max(9, 48 // max(len(values), 1))
    names = shorten_labels([_cell_text(value) for value in values], length)
    is_wide = sum(map(len, names)) > NAMES_IN_A_LINE
    axes.set_xticks(positions, names, fontsize=7.5, rotation=90 if is_wide else 0)
    return ""


def central_range(values: np.ndarray) -> tuple[float, float]:
    """Return from where to where a histogram goes: over all values, unless a few lie far from all others.

    What lies further outside of the middle 98 % than that is wide is left out, so that one value of 1e6 does not make
    one bar of all others.
    """
    low, bottom, top, high = (float(q) for q in np.quantile(values, [0, 0.01, 0.99, 1]))
    width = (top - bottom) or float(np.ptp(values)) or 1.0
    return (bottom if low < bottom - width else low), (top if high > top + width else high)


def _rows_beyond(low: float, high: float, **rows: pd.Series) -> str:
    """Return how many rows of each kind lie outside of a histogram's range, in words; nothing where none does."""
    beyond = {name: int((each.notna() & ~each.between(low, high)).sum()) for name, each in rows.items()}
    text = ", ".join(f"{n:,} {name}" for name, n in beyond.items() if n)
    return f"beyond: {text}" if text else ""


def _cell_text(value: Any) -> str:
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:,.4g}" if abs(number) < 1e4 else f"{number:,.0f}"
    return str(value)
