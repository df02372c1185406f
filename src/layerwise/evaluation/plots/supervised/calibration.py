"""How well predicted probabilities and values agree with what was observed."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from layerwise.data import Task
from layerwise.evaluation.metrics import (
    CALIBRATION_BINS,
    Array,
    as_matrix,
    check_targets_and_scores,
    confidence_and_outcome,
    errors_if_calibrated,
    indicator_matrix,
    wilson_interval,
)
from layerwise.evaluation.plots.style import (
    MUTED_COLOR,
    cycle_color,
    legend_below,
    new_figure,
    set_suptitle,
    shorten_labels,
    style_axes,
)
from layerwise.utils import numpy_rng

# Outcomes drawn anew for what the calibration error would be of calibrated scores.
N_REDRAWS = 1000


def plot_calibration(
    task: Task, targets: Any, scores: Any, *, positive: str = "", title: str = "Calibration"
) -> Figure:
    """Plot a calibration curve (reliability diagram): observed against predicted probability, by bin.

    For multiclass it is accuracy against confidence, the highest score; for regression the mean true value
    against the mean predicted one, in bins of equally many rows. Below stands how many rows each bin holds.
    `positive` names the class of a binary task that the probabilities are of.
    """
    if task == "regression":
        return _regression_calibration(as_matrix(targets)[:, 0], as_matrix(scores)[:, 0], title)
    wanted, matrix = check_targets_and_scores(task, targets, scores)
    pairs = confidence_and_outcome(task, indicator_matrix(task, wanted, matrix.shape[1]), matrix)
    confidence, outcome = (each.reshape(-1) for each in pairs)
    if_calibrated = errors_if_calibrated(pairs[0], N_REDRAWS, numpy_rng(0, "calibration"))
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    used = counts > 0
    mean_predicted = np.bincount(bins, confidence, CALIBRATION_BINS)[used] / counts[used]
    observed = np.bincount(bins, outcome, CALIBRATION_BINS)[used] / counts[used]
    # Wilson's interval holds its level in small bins, where the normal one does not.
    low, high = wilson_interval(observed, counts[used])
    error = float((counts[used] * np.abs(observed - mean_predicted)).sum() / len(confidence))
    figure = new_figure(5.4, 5.8)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    top.plot([0, 1], [0, 1], color=MUTED_COLOR, linestyle=":", label="perfect")
    top.errorbar(
        mean_predicted,
        observed,
        yerr=np.clip([observed - low, high - observed], 0, None),
        color=cycle_color(0),
        marker="o",
        markersize=5,
        capsize=2.5,
        linewidth=1.4,
        label="network, 95 % interval",
    )
    of_class = f" of {shorten_labels([positive], 30)[0]}" if positive else ""
    ylabel = "fraction of correct rows" if task == "multiclass" else f"fraction{of_class or ' of positives'}"
    style_axes(
        top,
        title=f"calibration error {error:.3f}; if calibrated, below {np.quantile(if_calibrated, 0.95):.3f}",
        ylabel=ylabel,
    )
    top.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    edges = np.arange(CALIBRATION_BINS) / CALIBRATION_BINS
    bottom.bar(
        edges, counts, width=1 / CALIBRATION_BINS, align="edge", color=cycle_color(0), edgecolor="white"
    )
    style_axes(
        bottom,
        xlabel="confidence" if task == "multiclass" else f"predicted probability{of_class}",
        ylabel="rows",
        grid="y",
    )
    legend_below(figure)
    set_suptitle(figure, title)
    return figure


def _regression_calibration(true: Array, predicted_values: Array, title: str) -> Figure:
    parts = np.array_split(np.argsort(predicted_values, kind="stable"), min(10, len(predicted_values)))
    mean_predicted = np.array([predicted_values[part].mean() for part in parts])
    observed = np.array([true[part].mean() for part in parts])
    errors = np.array([1.96 * true[part].std() / np.sqrt(len(part)) for part in parts])
    figure = new_figure(5.4, 4.8)
    axes = figure.subplots()
    ends = [min(mean_predicted.min(), observed.min()), max(mean_predicted.max(), observed.max())]
    axes.plot(ends, ends, color=MUTED_COLOR, linestyle=":", label="perfect")
    style: dict[str, Any] = {
        "color": cycle_color(0),
        "marker": "o",
        "markersize": 5,
        "capsize": 2.5,
        "linewidth": 1.4,
    }
    axes.errorbar(mean_predicted, observed, yerr=errors, label="network, 95 % interval", **style)
    subtitle = f"{len(parts)} bins of equally many rows"
    style_axes(axes, title=subtitle, xlabel="mean predicted value", ylabel="mean true value")
    legend_below(figure)
    set_suptitle(figure, title)
    return figure
