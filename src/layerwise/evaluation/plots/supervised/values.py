"""Figures of a regression's predicted values beside the true ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from layerwise.evaluation.metrics import (
    as_matrix,
)
from layerwise.evaluation.plots.style import (
    MUTED_COLOR,
    cycle_color,
    grid_of_axes,
    legend,
    new_figure,
    set_suptitle,
    style_axes,
)


def plot_predicted_vs_true(
    targets: Any, predicted: Any, *, target_name: str = "target", unit: str = "", title: str = ""
) -> Figure:
    """Plot each row's predicted value against its true one, and the error against the prediction."""
    true, predicted_values = as_matrix(targets)[:, 0], as_matrix(predicted)[:, 0]
    label = f"{target_name} ({unit})" if unit else target_name
    figure = new_figure(10, 4.7)
    left, right = grid_of_axes(figure, 1, 2)[0]
    dots: dict[str, Any] = {
        "s": float(np.clip(12_000 / len(true), 4, 28)),
        "alpha": 0.6,
        "linewidths": 0,
        "color": cycle_color(0),
    }
    low, high = float(min(true.min(), predicted_values.min())), float(max(true.max(), predicted_values.max()))
    left.plot([low, high], [low, high], color=MUTED_COLOR, linestyle=":", label="perfect")
    left.scatter(true, predicted_values, **dots)
    style_axes(left, title="Predicted against true", xlabel=f"true {label}", ylabel=f"predicted {label}")
    legend(left, loc="upper left")
    right.axhline(0, color=MUTED_COLOR, linestyle=":")
    right.scatter(predicted_values, predicted_values - true, **dots)
    style_axes(
        right,
        title="Error against predicted",
        xlabel=f"predicted {label}",
        ylabel=f"predicted - true {label}",
    )
    error = float(np.sqrt(((predicted_values - true) ** 2).mean()))
    set_suptitle(figure, title or f"Root mean squared error {error:.4g} {unit}".strip())
    return figure
