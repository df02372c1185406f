"""Figures of a search over hyperparameters: what its trials reached, and which parameters mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from layerwise.evaluation.plots import cycle_color, legend, new_figure, style_axes


def plot_sweep_history(
    trials: Sequence[tuple[int, float]],
    metric: str,
    *,
    stopped: Sequence[tuple[int, float]] = (),
    maximize: bool = False,
) -> Figure:
    """Plot what each trial reached, and the best up to it.

    Args:
        trials: number and value of those that were trained to their end, in their order.
        metric: what the value is.
        stopped: the same of those that were stopped early, with their last value.
        maximize: whether more is better.
    """
    numbers, values = [number for number, _ in trials], [value for _, value in trials]
    better = max if maximize else min
    best = [better(values[: k + 1]) for k in range(len(values))]
    figure = new_figure(7.2, 4.0)
    axes = figure.subplots()
    if stopped:
        axes.scatter(
            [number for number, _ in stopped],
            [value for _, value in stopped],
            s=18,
            facecolors="none",
            edgecolors=cycle_color(1),
            label="stopped early",
        )
    axes.scatter(numbers, values, s=18, color=cycle_color(1), label="a trial")
    axes.step(numbers, best, where="post", color=cycle_color(0), label="the best so far")
    style_axes(axes, title=f"{metric}, trial by trial", xlabel="trial", ylabel=metric)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes)
    return figure


def plot_sweep_importances(importances: Mapping[str, float], metric: str) -> Figure:
    """Plot the part of the objective's variance that each parameter explains, the highest on top.

    Args:
        importances: by parameter, between 0 and 1.
        metric: the objective.
    """
    ranked = sorted(importances.items(), key=lambda each: -each[1])
    figure = new_figure(7.2, 0.3 * len(ranked) + 1.6)
    axes = figure.subplots()
    axes.barh(range(len(ranked)), [value for _, value in ranked], color=cycle_color(0))
    axes.set_yticks(range(len(ranked)), [name for name, _ in ranked])
    axes.invert_yaxis()
    label = f"part of the variance of {metric} that the parameter explains"
    style_axes(axes, title="Which parameters mattered", xlabel=label, grid="x")
    return figure
