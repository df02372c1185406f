"""Figures that compare metrics: of several models, and of one model with and without a column shuffled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.evaluation import Segment
from layerwise.evaluation.metrics import Importance, Metric
from layerwise.evaluation.plots.style import (
    MUTED_COLOR,
    TEXT_COLOR,
    cycle_color,
    grid_of_axes,
    metric_label,
    new_figure,
    set_suptitle,
    shorten_labels,
    style_axes,
)


def plot_importances(importances: Sequence[Importance], *, limit: int = 25, title: str = "") -> Figure:
    """Plot each raw column's permutation importance with its 95 % interval, the highest on top.

    Without an interval the whiskers are a standard deviation of the shuffles.

    Args:
        importances: as `permutation_importance` returns them.
        limit: blocks that are shown.
        title: of the figure.
    """
    shown = list(importances)[:limit]
    if not shown:
        raise ValueError("there are no importances to plot")
    names = shorten_labels([importance.name for importance in shown], 44)
    figure = new_figure(7.2, 0.3 * len(shown) + 1.6)
    axes = figure.subplots()
    axes.barh(
        range(len(shown)),
        [importance.mean for importance in shown],
        xerr=[[_whisker(importance) for importance in shown]] * 2,
        color=[cycle_color(0) if importance.mean > 0 else cycle_color(3) for importance in shown],
        error_kw={"ecolor": TEXT_COLOR, "elinewidth": 1, "capsize": 2},
    )
    axes.axvline(0, color=MUTED_COLOR, linewidth=0.8)
    axes.set_yticks(range(len(shown)), names)
    axes.invert_yaxis()
    metric = metric_label(shown[0].metric) or "metric"
    style_axes(axes, xlabel=f"how much worse the {metric} gets when the column is shuffled", grid="x")
    set_suptitle(figure, title or "Permutation importance")
    return figure


def _whisker(importance: Importance) -> float:
    return importance.std if importance.high is None else importance.high - importance.mean


def plot_metric_comparison(
    metrics: Mapping[str, Mapping[str, Metric]], names: Sequence[str], *, title: str = ""
) -> Figure:
    """Plot the same metrics of several models side by side: value, 95 % interval and base rate.

    An axis spans the values and their intervals. A base rate near them is a dotted line; one so far away that the
    intervals would shrink to dots is written above the panel.

    Args:
        metrics: by model, then by name.
        names: the metrics to plot, one panel each.
        title: of the figure.
    """
    figure = new_figure(3.1 * len(names) + 1.6, 0.42 * len(metrics) + 1.9)
    panels = grid_of_axes(figure, 1, len(names))[0]
    for panel, (axes, name) in enumerate(zip(panels, names, strict=True)):
        for k, (_, model_metrics) in enumerate(metrics.items()):
            _plot_interval(axes, model_metrics.get(name), k)
        axes.set_ylim(len(metrics) - 0.5, -0.5)
        axes.locator_params(axis="x", nbins=5)
        axes.set_yticks(range(len(metrics)), list(metrics) if panel == 0 else [""] * len(metrics))
        measured = [model_metrics[name] for model_metrics in metrics.values() if name in model_metrics]
        said = _show_base_rate(axes, measured)
        side = "→" if measured[0].better == "higher" else "←"
        style_axes(axes, title=said, xlabel=f"{metric_label(name)} (better {side})")
    set_suptitle(figure, title or "Comparison with other models, with 95 % intervals")
    return figure


def _show_base_rate(axes: Axes, measured: Sequence[Metric]) -> str:
    """Set the limits of the axis, draw the base rate if it is near, and return what the panel's title says of it."""
    ends = [end for each in measured for end in (each.low, each.value, each.high) if end is not None]
    low, high = min(ends), max(ends)
    span = high - low or 0.1 * abs(high) or 1.0
    base = measured[0].base_rate
    near = base is not None and low - span <= base <= high + span
    if base is not None and near:
        axes.axvline(base, color=MUTED_COLOR, linestyle=":")
        low, high = min(low, base), max(high, base)
    axes.set_xlim(low - 0.12 * span, high + 0.12 * span)
    return "" if base is None else f"constant prediction: {'dotted' if near else f'{base:.3g}'}"


def _plot_interval(axes: Axes, metric: Metric | None, k: int) -> None:
    if metric is None:
        return
    if metric.low is not None and metric.high is not None:
        axes.plot([metric.low, metric.high], [k, k], color=cycle_color(k), linewidth=2)
    axes.plot([metric.value], [k], color=cycle_color(k), marker="o", markersize=7)


def plot_segments(segments: Sequence[Segment], *, limit: int = 60, title: str = "") -> Figure:
    """Plot the first metric of each segment with its 95 % interval, a colour for each column.

    Args:
        segments: of `measure_segments`; those with too few rows are left out.
        limit: segments that are shown.
        title: of the figure.

    Raises:
        ValueError: no segment was measured.
    """
    shown = [segment for segment in segments if segment.metrics][:limit]
    if not shown:
        raise ValueError("there are no segments to plot")
    name = next(iter(shown[0].metrics))
    colors = {column: k for k, column in enumerate(dict.fromkeys(segment.column for segment in shown))}
    figure = new_figure(7.6, 0.3 * len(shown) + 1.6)
    axes = figure.subplots()
    for k, segment in enumerate(shown):
        metric, color = segment.metrics[name], cycle_color(colors[segment.column])
        if metric.low is not None and metric.high is not None:
            axes.plot([metric.low, metric.high], [k, k], color=color, linewidth=2)
        axes.plot([metric.value], [k], color=color, marker="o", markersize=6)
    labels = [
        f"{column} = {value} ({segment.rows:,} rows)"
        for segment in shown
        for column, value in [shorten_labels([segment.column, segment.value], 32)]
    ]
    axes.set_yticks(range(len(shown)), labels)
    axes.invert_yaxis()
    side = "→" if shown[0].metrics[name].better == "higher" else "←"
    style_axes(axes, xlabel=f"{metric_label(name)}, 95 % interval (better {side})", grid="x")
    set_suptitle(figure, title or "By segment")
    return figure
