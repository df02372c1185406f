"""Figures of an autoencoder's downstream tasks: compression, anomalies, imputation, denoising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from layerwise.evaluation.metrics import as_array
from layerwise.evaluation.plots.latent import plot_heat_map
from layerwise.evaluation.plots.style import (
    LINESTYLES,
    MUTED_COLOR,
    TEXT_COLOR,
    capitalized,
    cycle_color,
    cycle_marker,
    grid_of_axes,
    legend_below,
    new_figure,
    proper_names,
    set_suptitle,
    shorten_labels,
    style_axes,
)

# Each with its first setting and its last, from left to right.
NAMES = {
    "autoencoder": "autoencoder, {} to {} bits a unit",
    "pca": "principal components, {} to {} bits each",
    "jpeg": "JPEG, quality {} to {}",
}


def plot_rate_distortion(
    curves: Mapping[str, Sequence[Mapping[str, float]]], raw_bytes: int, shared_bytes: Mapping[str, int]
) -> Figure:
    """Plot the squared error of a stored row against its size.

    Args:
        curves: by name (autoencoder, pca, jpeg): `bytes`, `squared_error` and `setting` of each point.
        raw_bytes: of a row as it is, a byte a column.
        shared_bytes: by name, of what is stored once for all rows: a decoder, or headers and tables.
    """
    figure = new_figure(7.4, 4.8)
    axes = figure.subplots()
    for k, (name, points) in enumerate(curves.items()):
        ordered = sorted(points, key=lambda p: p["bytes"])
        label = NAMES[name].format(*(int(p["setting"]) for p in (ordered[0], ordered[-1])))
        axes.plot(
            [p["bytes"] for p in ordered],
            [p["squared_error"] for p in ordered],
            color=cycle_color(k),
            marker=cycle_marker(k),
            linestyle=LINESTYLES[k],
            label=f"{label}, and {shared_bytes[name]:,} bytes once",
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    style_axes(axes, xlabel="bytes of a stored row (log scale)", ylabel="squared error a row (log scale)")
    axes.set_title(f"a row as it is has {raw_bytes:,} bytes", fontsize=9.5, color=MUTED_COLOR)
    legend_below(figure, columns=1)
    set_suptitle(figure, "Compression: size against error")
    return figure


def plot_anomaly_scores(
    scores: Any, is_anomaly: Any, methods: Mapping[str, Mapping[str, float]], main: str, name: str
) -> Figure:
    """Plot the scores of normal rows and of anomalies with the threshold, and each method's area under the ROC curve.

    Args:
        scores: (n,) of the main method.
        is_anomaly: (n,) bool.
        methods: by name: `auc`, `threshold`, `recall`, `false_positive_rate`.
        main: the method whose scores are plotted.
        name: what the anomalies are.
    """
    values, anomalous = as_array(scores).astype(np.float64), as_array(is_anomaly).astype(bool)
    figure = new_figure(10, 4.2)
    left, right = grid_of_axes(figure, 1, 2)[0]
    # A few outliers would leave no room for the others.
    top = float(np.quantile(values, 0.995))
    edges = np.linspace(float(values.min()), top, 50).tolist()
    for k, (label, part) in enumerate(
        (("normal", values[~anomalous]), (f"anomaly: {name}", values[anomalous]))
    ):
        left.hist(
            np.minimum(part, top), edges, density=True, color=cycle_color(2 * k), alpha=0.55, label=label
        )
    chosen = methods[main]
    left.axvline(chosen["threshold"], color=TEXT_COLOR, linestyle="--", linewidth=1.2)
    left.set_yticks([])
    found = (
        f"dashed: threshold, which finds {chosen['recall']:.0%} of the anomalies\n"
        f"and takes {chosen['false_positive_rate']:.0%} of the normal rows for some"
    )
    style_axes(left, xlabel=f"{main} score of test rows\n{found}", ylabel="frequency, of each kind", grid="x")
    names = [method.replace("_", " ") for method in methods]
    heights = [each["auc"] for each in methods.values()]
    right.barh(names, heights, color=[cycle_color(k) for k in range(len(names))], height=0.55)
    for k, value in enumerate(heights):
        on_chance = withStroke(linewidth=4, foreground="white")
        right.text(
            value + 0.01,
            k,
            f"{value:.3f}",
            va="center",
            fontsize=9,
            color=TEXT_COLOR,
            path_effects=[on_chance],
        )
    right.axvline(0.5, color=MUTED_COLOR, linestyle=":")
    right.set_xlim(0, 1.1)
    right.invert_yaxis()
    style_axes(right, xlabel="area under the ROC curve (dotted: chance)", grid="x")
    legend_below(figure)
    set_suptitle(figure, "Anomalies")
    return figure


def plot_imputation_errors(found: Sequence[Mapping[str, Any]]) -> Figure:
    """Plot the error of imputed cells by column and by method."""
    methods = list(found[0]["errors"])
    names = shorten_labels([str(each["column"]) for each in found], 30)
    return plot_heat_map(
        np.array([[float(each["errors"][method]) for method in methods] for each in found]),
        [f"{name} ({each['metric']})" for name, each in zip(names, found, strict=True)],
        methods,
        title="Imputation of missing cells",
        value="error",
        show_numbers=True,
    )


def name_noise(kind: str) -> str:
    """Return what a figure calls a kind of noise."""
    name = proper_names(kind)
    return name if name == "masking" else f"{name} noise"


def format_denoising(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return a line for each noise: its signal-to-noise ratio and structural similarity before and after."""
    return [
        f"{capitalized(name_noise(kind))} taken away: signal to noise {each['before']['psnr']:.1f} → "
        f"{each['after']['psnr']:.1f} dB, similarity {each['before']['ssim']:.2f} → {each['after']['ssim']:.2f}"
        for kind, each in found.items()
    ]
