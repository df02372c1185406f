"""Figures of training: learning curves, label efficiency, long-range memory, and the scores of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.evaluation.plots.style import (
    LINESTYLES,
    MUTED_COLOR,
    cycle_color,
    cycle_marker,
    grid_of_axes,
    legend,
    legend_below,
    new_figure,
    set_suptitle,
    style_axes,
)

History = Sequence[Mapping[str, float]]

METRIC_LABELS = {
    "loss": "loss (per row)",
    "objective": "what is minimised: loss, label\nsmoothing, penalties (per row)",
    "cross_entropy": "cross-entropy (nats per row)",
    "reconstruction": "reconstruction loss\n(per row)",
    "reconstruction_cross_entropy": "cross-entropy (nats per row)",
    "reconstruction_mse": "squared error (per column)",
    "reconstruction_sse": "squared error (per row)",
    "accuracy": "accuracy (fraction of rows)",
    "error": "error (fraction of rows)",
    "free_energy": "free energy (nats)",
    "free_energy_gap": "free energy (nats),\nvalidation less training",
    "pseudo_likelihood": "log pseudo-likelihood\n(nats per row)",
}
CELLS = {
    "rnn": "plain recurrent network (RNN)",
    "lstm": "long short-term memory (LSTM)",
    "gru": "gated recurrent units (GRU)",
}
SPLITS = {
    "train": "training rows, in the epoch's steps",
    "validation": "validation rows, after the epoch",
    "test": "test rows",
}


def plot_learning_curves(
    histories: Mapping[str, History],
    *,
    title: str = "Learning curves",
    metrics: Sequence[str] = (),
    kept: Mapping[str, int] | None = None,
) -> Figure:
    """Plot every metric by epoch: one row of panels for each history, training and validation together.

    The error is left out where the accuracy is plotted, since it is 1 less that.

    Args:
        histories: by name ("layer 1", ..., "fine-tuning"), one dict an epoch, keys such as `train/loss`.
        title: of the figure.
        metrics: which to plot, without their prefix; all but times by default.
        kept: by history, the epoch whose weights were kept, which is marked; 0 or none: the last one.

    Raises:
        ValueError: every history is empty.
    """
    panels = {name: _metric_names(history, metrics) for name, history in histories.items() if history}
    panels = {name: found for name, found in panels.items() if found}
    if not panels:
        raise ValueError("there are no learning curves to plot: every history is empty")
    columns = max(len(found) for found in panels.values())
    figure = new_figure(max(4.2 * columns, 5) + 0.4, 2.6 * len(panels) + 0.9)
    grid = figure.add_gridspec(len(panels), columns)
    for row, (name, found) in enumerate(panels.items()):
        for column, metric in enumerate(found):
            axes = figure.add_subplot(grid[row, column])
            epoch = (kept or {}).get(name, 0)
            _plot_curves(axes, histories[name], metric, epoch)
            style_axes(
                axes,
                title=f"{name}, epoch {epoch} kept" if epoch else name,
                xlabel="epoch",
                ylabel=METRIC_LABELS.get(metric, metric.replace("_", " ")),
            )
    legend_below(figure)
    set_suptitle(figure, title)
    return figure


def plot_label_efficiency(
    errors: Mapping[str, Mapping[int, Sequence[float]]],
    *,
    title: str = "Test error by the number of labelled rows",
) -> Figure:
    """Plot test error against labelled rows: mean and standard deviation over seeds, one line for each start.

    Args:
        errors: by name ("pretrained", "random start"), then by number of labelled rows: each seed's
            error, a fraction of 1.
        title: of the figure.
    """
    figure = new_figure(6.8, 4.6)
    axes = figure.subplots()
    numbers = sorted({number for by_rows in errors.values() for number in by_rows})
    if not numbers:
        raise ValueError("there are no errors to plot")
    seeds = set()
    for k, (name, by_rows) in enumerate(errors.items()):
        rows = sorted(by_rows)
        values = [100 * np.asarray(by_rows[number], dtype=np.float64) for number in rows]
        seeds |= {len(value) for value in values}
        axes.errorbar(
            # A small horizontal offset keeps the error bars of two lines apart.
            np.array(rows) * 1.02 ** (k - (len(errors) - 1) / 2),
            [value.mean() for value in values],
            yerr=[value.std(ddof=1) if len(value) > 1 else 0.0 for value in values],
            color=cycle_color((0, 2, 4)[k % 3]),
            marker=cycle_marker(k),
            linestyle=LINESTYLES[k % len(LINESTYLES)],
            markersize=6,
            linewidth=1.8,
            capsize=4,
            label=name,
        )
    axes.set_xscale("log")
    axes.set_xticks(numbers, [f"{number:,}" for number in numbers])
    axes.set_xticks([], minor=True)
    axes.set_ylim(bottom=0)
    n_seeds = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
    style_axes(axes, xlabel="labelled rows (log scale)", ylabel="test error (%)")
    axes.set_title(f"mean and standard deviation over {n_seeds} seeds", fontsize=9.5, color=MUTED_COLOR)
    legend(axes, loc="upper right")
    set_suptitle(figure, title)
    return figure


def plot_long_range_memory(
    found: Sequence[Mapping[str, Any]], *, title: str = "Long-range memory: naming the first symbol"
) -> Figure:
    """Plot the gradient by time step of untrained recurrent networks, and their accuracy as they learn.

    Args:
        found: one dict for each network: `cell`, `gradients` by time step, `accuracy_curve` of (update,
            accuracy) and `base_rate`.
        title: of the figure.
    """
    figure = new_figure(10, 4.4)
    left, right = grid_of_axes(figure, 1, 2)[0]
    for k, each in enumerate(found):
        style: dict[str, Any] = {
            "color": cycle_color(k),
            "label": CELLS.get(each["cell"], each["cell"]),
            "linestyle": LINESTYLES[k % len(LINESTYLES)],
        }
        left.plot(range(1, len(each["gradients"]) + 1), each["gradients"], **style)
        right.plot(*zip(*each["accuracy_curve"], strict=True), marker=cycle_marker(k), markersize=4, **style)
    left.set_yscale("log")
    right.axhline(found[0]["base_rate"], color=MUTED_COLOR, linestyle=":")
    right.set_ylim(0, 1.05)
    style_axes(
        left,
        title="Before training",
        xlabel="time step",
        ylabel="gradient of the loss by the step's input",
    )
    style_axes(
        right,
        title="New sequences (dotted: a constant prediction)",
        xlabel="updates",
        ylabel="accuracy (fraction of rows)",
    )
    legend_below(figure)
    set_suptitle(figure, title)
    return figure


def _metric_names(history: History, wanted: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for epoch in history:
        for key in epoch:
            split, _, metric = key.partition("/")
            if split in SPLITS and metric and (not wanted or metric in wanted):
                found[metric] = None
    if "accuracy" in found and not wanted:
        found.pop("error", None)
    return list(found)


def _plot_curves(axes: Axes, history: History, metric: str, kept: int) -> None:
    from matplotlib.ticker import MaxNLocator

    for k, (split, label) in enumerate(SPLITS.items()):
        key = f"{split}/{metric}"
        points = [(number, epoch[key]) for number, epoch in enumerate(history, 1) if key in epoch]
        if points:
            epochs, values = zip(*points, strict=True)
            # A single epoch has no visible line.
            marker = "o" if len(points) < 12 else ""
            axes.plot(
                epochs,
                values,
                color=cycle_color(2 * k),
                linestyle=LINESTYLES[k],
                marker=marker,
                markersize=3.5,
                label=label,
            )
    if kept:
        axes.axvline(
            kept, color=MUTED_COLOR, linestyle=":", linewidth=1.4, label="epoch whose weights were kept"
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))


def plot_grid_scores(ranked: Sequence[Mapping[str, Any]], monitor: str, *, limit: int = 30) -> Figure:
    """Plot the validation scores of a grid, the best point on top: mean and standard deviation over seeds.

    Args:
        ranked: one dict of `settings`, `mean` and `std` for each point, the best one first; `mean` is None where a
            network diverged.
        monitor: what was measured on the validation rows.
        limit: points that are shown.
    """
    shown = list(ranked[:limit])
    figure = new_figure(7.2, 1.3 + 0.28 * len(shown))
    axes = style_axes(figure.subplots(), xlabel=monitor.replace("/", " "), grid="x")
    labels = [
        ", ".join(f"{name} {value:g}" for name, value in each["settings"].items())
        + (" (diverged)" if each["mean"] is None else "")
        for each in shown
    ]
    for k, each in enumerate(shown):
        if each["mean"] is None:
            continue
        axes.errorbar(
            each["mean"],
            k,
            xerr=each["std"] or None,
            fmt="o",
            color=cycle_color(2 if k == 0 else 0),
            capsize=3,
        )
    axes.set_yticks(range(len(shown)), labels)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    shown_part = f" (the best {len(shown)} of {len(ranked)})" if len(shown) < len(ranked) else ""
    set_suptitle(figure, f"Grid search{shown_part}")
    return figure
