"""Figures of vanishing and exploding gradients: by layer and depth, and what remedies change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.evaluation.plots.style import (
    MUTED_COLOR,
    TEXT_COLOR,
    capitalized,
    cycle_color,
    cycle_marker,
    legend,
    new_figure,
    proper_names,
    set_suptitle,
    style_axes,
)

# Coordinates of the right edge of a panel.
EDGE = ("axes fraction", "data")
# Values that differ by less than this fraction have no room for an arrow between them.
SAME = 0.1


@dataclass(frozen=True)
class NetworkGradients:
    """One network's root mean square gradient of each layer's weights, from the first layer to the output.

    What is not finite is None.
    """

    depth: int
    activation: str
    initializer: str
    gradients: tuple[float | None, ...]


def plot_gradients_by_layer(networks: Sequence[NetworkGradients], *, title: str = "") -> Figure:
    """Plot the gradient by layer of the deepest networks, and the first layer's by depth, a line an activation.

    Every initializer has a column of its own. A network's line ends where its gradient is 0 or not finite, since the
    scale is logarithmic.

    Args:
        networks: every depth with every activation and initializer.
        title: of the figure.
    """
    activations = list(dict.fromkeys(each.activation for each in networks))
    initializers = list(dict.fromkeys(each.initializer for each in networks))
    depths = sorted({each.depth for each in networks})
    rows = 2 if len(depths) > 1 else 1
    figure = new_figure(3.3 * len(initializers) + 1.7, 3.0 * rows + 0.7)
    axes = figure.subplots(rows, len(initializers), squeeze=False, sharey=True, sharex="row")
    for column, initializer in enumerate(initializers):
        for activation in activations:
            style = _line(activations.index(activation), proper_names(activation))
            chosen = {
                each.depth: each.gradients
                for each in networks
                if (each.activation, each.initializer) == (activation, initializer)
            }
            deepest = chosen[depths[-1]]
            axes[0, column].plot(range(1, len(deepest) + 1), [_positive(g) for g in deepest], **style)
            if rows > 1:
                axes[1, column].plot(depths, [_positive(chosen[depth][0]) for depth in depths], **style)
        first, last = axes[0, column], axes[-1, column]
        first.set_xticks(range(1, depths[-1] + 2, max(1, depths[-1] // 5)))
        style_axes(first, title=f"{proper_names(initializer)} start", xlabel="layer (the last: output)")
        if rows > 1:
            last.set_xticks(depths)
            style_axes(last, xlabel="hidden layers of the network")
    axes[0, 0].set_yscale("log")
    axes[0, 0].set_ylabel(f"gradient, {depths[-1]} hidden layers", fontsize=10, color=TEXT_COLOR)
    if rows > 1:
        axes[1, 0].set_ylabel("gradient of the first layer", fontsize=10, color=TEXT_COLOR)
    legend(axes[0, -1], outside=True)
    set_suptitle(figure, title or "Root mean square gradient of the weights in the first epoch")
    return figure


def _line(k: int, label: str) -> dict[str, Any]:
    color = cycle_color((0, 2, 1, 4)[k % 4])
    return {
        "color": color,
        "marker": cycle_marker(k),
        "markersize": 5,
        "linewidth": 1.8,
        "label": label,
    }


def _positive(value: float | None) -> float:
    return math.nan if value is None or value <= 0 else value


def plot_remedies(remedies: Mapping[str, Sequence[Mapping[str, Any]]], *, title: str = "") -> Figure:
    """Plot what each remedy makes of a failing network: arrows from before to after, a line of panels an illness.

    Args:
        remedies: by what fails: the failing network first, then one dict for each remedy of `name`, `works`, and
            `loss` and `gradients` by layer, whose values are None where the network diverged.
        title: of the figure.
    """
    heights = [len(found) + 0.6 for found in remedies.values()]
    figure = new_figure(10.5, 0.36 * sum(heights) + 1.5)
    options = {"height_ratios": heights}
    grid = figure.subplots(len(remedies), 2, squeeze=False, sharex="col", gridspec_kw=options)
    for (left, right), (failing, (before, *tried)) in zip(grid, remedies.items(), strict=True):
        works, names = [bool(each["works"]) for each in tried], [proper_names(each["name"]) for each in tried]
        _plot_arrows(left, before["loss"], [each["loss"] for each in tried], works)
        _plot_arrows(right, before["gradients"][0], [each["gradients"][0] for each in tried], works)
        left.set_yticks(range(len(tried)), names)
        right.set_yticks(range(len(tried)), [""] * len(tried))
        left.set_title(capitalized(proper_names(failing)), fontsize=10.5, color=TEXT_COLOR, loc="left")
    left, right = grid[-1]
    left.set_xlim(left=0)
    right.set_xscale("log")
    left.set_xlabel("validation loss (per row)", fontsize=10, color=TEXT_COLOR)
    right.set_xlabel("gradient of the first layer, first epoch", fontsize=10, color=TEXT_COLOR)
    set_suptitle(
        figure, title or "From before (grey; a cross: diverged) to after each remedy (orange: no gain)"
    )
    return figure


def _plot_arrows(
    axes: Axes, before: float | None, after: Sequence[float | None], works: Sequence[bool]
) -> None:
    """Plot an arrow for each remedy, from top to bottom; what diverged is at the right edge."""
    start, is_start_known = _place(before)
    for k, (value, useful) in enumerate(zip(after, works, strict=True)):
        end, is_end_known = _place(value)
        color = cycle_color(0 if useful else 1)
        _plot_mark(axes, start, k, is_start_known, MUTED_COLOR)
        if not (is_start_known and is_end_known) or abs(end / start - 1) > SAME:
            axes.annotate(
                "",
                (end, k),
                (start, k),
                xycoords="data" if is_end_known else EDGE,
                textcoords="data" if is_start_known else EDGE,
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": color,
                    "linewidth": 1.8,
                    "shrinkA": 4,
                    "shrinkB": 4,
                },
            )
        _plot_mark(axes, end, k, is_end_known, color)
    axes.set_ylim(len(after) - 0.5, -0.5)
    style_axes(axes, grid="x")


def _place(value: float | None) -> tuple[float, bool]:
    """Return where a value is, and whether it is known; one that is not is at the right edge."""
    return (1.0, False) if value is None or value <= 0 else (value, True)


def _plot_mark(axes: Axes, x: float, y: int, is_known: bool, color: str) -> None:
    transform = axes.transData if is_known else axes.get_yaxis_transform()
    axes.plot(
        [x],
        [y],
        marker="o" if is_known else "X",
        markersize=7,
        color=color,
        transform=transform,
        clip_on=False,
    )
