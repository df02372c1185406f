"""Figures of what a supervised network answers, beside what is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.data.tensors import Task
from layerwise.evaluation.metrics.arrays import Array, as_array, as_matrix, checked, indicators
from layerwise.evaluation.metrics.importance import Importance
from layerwise.evaluation.metrics.statistics import CALIBRATION_BINS
from layerwise.evaluation.metrics.supervised import Measure
from layerwise.evaluation.plots.style import (
    DASHES,
    FAINT,
    INK,
    colour,
    dress,
    grid_of_axes,
    headline,
    legend,
    new_figure,
    shortened,
)


def confusion_matrix(targets: Any, predicted: Any, class_names: Sequence[str], *, title: str = "") -> Figure:
    """Draw how often each true class (line) was called what (column): counts, coloured by the line's share.

    Args:
        targets: (n,) or (n, 1) true classes.
        predicted: (n,) or (n, 1) classes the network chose.
        class_names: of all classes.
        title: of the figure; the error by default.
    """
    true = as_array(targets).reshape(-1).astype(np.int64)
    chosen = as_array(predicted).reshape(-1).astype(np.int64)
    k = len(class_names)
    counts = np.bincount(true * k + chosen, minlength=k * k).reshape(k, k)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = max(3.6, 0.52 * k)
    names = shortened(list(class_names), 18)
    figure = new_figure(side + 1.6 + 0.08 * max(map(len, names)), side + 1.1)
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    dress(axes, x="predicted class", y="true class", grid="none")
    axes.set_xticks(range(k), names, rotation=90 if max(map(len, names)) > 6 and k > 3 else 0)
    axes.set_yticks(range(k), names)
    for (row, column), count in np.ndenumerate(counts):
        ink = "white" if shares[row, column] > 0.5 else INK if count else "#bbbbbb"
        axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=8.5, color=ink)
    figure.colorbar(picture, ax=axes, label="share of the true class", fraction=0.045, pad=0.03)
    wrong = int((true != chosen).sum())
    headline(figure, title or f"{wrong:,} of {len(true):,} rows wrong ({wrong / len(true):.2%})")
    return figure


def ranking_curves(task: Task, targets: Any, scores: Any, class_names: Sequence[str] = ()) -> Figure:
    """Draw the ROC and the precision-recall curve of each class (one of two for binary), with their areas."""
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    truth, matrix, names = _by_class(task, targets, scores, class_names)
    figure = new_figure(11.6 if len(names) > 1 else 9.6, 4.6)
    left, right = grid_of_axes(figure, 1, 2)[0]
    for k, name in enumerate(names):
        true, score = truth[:, k], matrix[:, k]
        if true.min() == true.max():
            continue
        # Colour and dash together tell more than ten classes apart.
        line: dict[str, Any] = {
            "color": colour(k),
            "linestyle": DASHES[k // 10 % len(DASHES)],
            "linewidth": 1.8,
        }
        prefix = f"{name}: " if len(names) > 1 else ""
        area, precision_area = roc_auc_score(true, score), average_precision_score(true, score)
        false_positive, true_positive, _ = roc_curve(true, score)
        label = f"{prefix}AUC {area:.3f}" + (f", AP {precision_area:.3f}" if prefix else "")
        left.plot(false_positive, true_positive, label=label, **line)
        precision, recall, _ = precision_recall_curve(true, score)
        label = f"average precision {precision_area:.3f}"
        right.plot(recall, precision, label=label, drawstyle="steps-post", **line)
    left.plot([0, 1], [0, 1], color=FAINT, linestyle=":", label="chance")
    if len(names) == 1:
        right.axhline(float(truth.mean()), color=FAINT, linestyle=":", label=f"base rate {truth.mean():.3f}")
    dress(left, title="Receiver operating characteristic", x="false positive rate", y="true positive rate")
    dress(right, title="Precision and recall", x="recall", y="precision")
    for axes in (left, right):
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    if len(names) > 1:
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", fontsize=9, frameon=False)
    else:
        legend(left, place="lower right")
        legend(right, place="best")
    return figure


def calibration(task: Task, targets: Any, scores: Any, *, title: str = "Calibration") -> Figure:
    """Draw how often the network is right against how sure it is, with how many rows each bin holds.

    For multiclass the highest score and whether its class is right; else the probability and the outcome. For
    regression the mean true value against the mean predicted one, in bins of equally many rows.
    """
    if task == "regression":
        return _regression_calibration(as_matrix(targets)[:, 0], as_matrix(scores)[:, 0], title)
    wanted, matrix = checked(task, targets, scores)
    if task == "multiclass":
        confidence, outcome = matrix.max(1), (matrix.argmax(1) == wanted).astype(np.float64)
    else:
        confidence, outcome = matrix.reshape(-1), wanted.reshape(-1)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    used = counts > 0
    stated = np.bincount(bins, confidence, CALIBRATION_BINS)[used] / counts[used]
    found = np.bincount(bins, outcome, CALIBRATION_BINS)[used] / counts[used]
    # Wilson's interval holds its level in small bins, where the normal one does not.
    low, high = _wilson(found, counts[used])
    error = float((counts[used] * np.abs(found - stated)).sum() / len(confidence))
    figure = new_figure(5.4, 5.8)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    top.plot([0, 1], [0, 1], color=FAINT, linestyle=":", label="perfect")
    top.errorbar(
        stated,
        found,
        yerr=np.clip([found - low, high - found], 0, None),
        color=colour(0),
        marker="o",
        markersize=5,
        capsize=2.5,
        linewidth=1.4,
        label="network, 95 % interval",
    )
    what = "share of rows right" if task == "multiclass" else "share of positives"
    dress(top, title=f"calibration error {error:.3f} ({CALIBRATION_BINS} bins)", y=what)
    top.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    legend(top, place="upper left")
    edges = np.arange(CALIBRATION_BINS) / CALIBRATION_BINS
    bottom.bar(edges, counts, width=1 / CALIBRATION_BINS, align="edge", color=colour(0), edgecolor="white")
    dress(bottom, x="confidence" if task == "multiclass" else "predicted probability", y="rows", grid="y")
    headline(figure, title)
    return figure


def _regression_calibration(true: Array, given: Array, title: str) -> Figure:
    parts = np.array_split(np.argsort(given, kind="stable"), min(10, len(given)))
    stated = np.array([given[part].mean() for part in parts])
    found = np.array([true[part].mean() for part in parts])
    errors = np.array([1.96 * true[part].std() / np.sqrt(len(part)) for part in parts])
    figure = new_figure(5.4, 4.8)
    axes = figure.subplots()
    ends = [min(stated.min(), found.min()), max(stated.max(), found.max())]
    axes.plot(ends, ends, color=FAINT, linestyle=":", label="perfect")
    line: dict[str, Any] = {
        "color": colour(0),
        "marker": "o",
        "markersize": 5,
        "capsize": 2.5,
        "linewidth": 1.4,
    }
    axes.errorbar(stated, found, yerr=errors, label="network, 95 % interval", **line)
    words = f"{len(parts)} bins of equally many rows"
    dress(axes, title=words, x="mean predicted value", y="mean true value")
    legend(axes, place="upper left")
    headline(figure, title)
    return figure


def label_errors(targets: Any, scores: Any, names: Sequence[str], *, title: str = "") -> Figure:
    """Draw each label's share of false and of missed positives among all rows.

    Args:
        targets: (n, k) zeros and ones.
        scores: (n, k) probabilities; one half and above says yes.
        names: of the k labels.
        title: of the figure.
    """
    true, said = as_matrix(targets) > 0.5, as_matrix(scores) >= 0.5
    figure = new_figure(7.2, 0.34 * len(names) + 1.8)
    axes = figure.subplots()
    places = np.arange(len(names))
    wrong, missed = (said & ~true).mean(0), (~said & true).mean(0)
    axes.barh(places, wrong, color=colour(0), label="false positives")
    axes.barh(places, missed, left=wrong, color=colour(1), label="missed positives")
    axes.set_yticks(places, shortened(list(names), 30))
    axes.invert_yaxis()
    dress(axes, x="share of rows", grid="x")
    legend(axes)
    headline(figure, title or f"{(true != said).any(1).mean():.2%} of the rows have a wrong label")
    return figure


def predicted_against_true(
    targets: Any, predicted: Any, *, target_name: str = "target", unit: str = "", title: str = ""
) -> Figure:
    """Draw each row's predicted value against its true one, and the error against the prediction."""
    true, given = as_matrix(targets)[:, 0], as_matrix(predicted)[:, 0]
    label = f"{target_name} ({unit})" if unit else target_name
    figure = new_figure(10, 4.7)
    left, right = grid_of_axes(figure, 1, 2)[0]
    dots: dict[str, Any] = {
        "s": float(np.clip(12_000 / len(true), 4, 28)),
        "alpha": 0.6,
        "linewidths": 0,
        "color": colour(0),
    }
    low, high = float(min(true.min(), given.min())), float(max(true.max(), given.max()))
    left.plot([low, high], [low, high], color=FAINT, linestyle=":", label="perfect")
    left.scatter(true, given, **dots)
    dress(left, title="Predicted against true", x=f"true {label}", y=f"predicted {label}")
    legend(left, place="upper left")
    right.axhline(0, color=FAINT, linestyle=":")
    right.scatter(given, given - true, **dots)
    dress(right, title="Error against predicted", x=f"predicted {label}", y=f"predicted - true {label}")
    error = float(np.sqrt(((given - true) ** 2).mean()))
    headline(figure, title or f"Root mean squared error {error:.4g} {unit}".strip())
    return figure


def importance_bars(
    importances: Sequence[Importance], *, measure: str = "log loss", limit: int = 25, title: str = ""
) -> Figure:
    """Draw what shuffling each block of columns costs, the most important on top, with its spread."""
    shown = list(importances)[:limit]
    if not shown:
        raise ValueError("there are no importances to draw")
    names = shortened([importance.name for importance in shown], 30)
    figure = new_figure(7.2, 0.3 * len(shown) + 1.6)
    axes = figure.subplots()
    axes.barh(
        range(len(shown)),
        [importance.mean for importance in shown],
        xerr=[importance.spread for importance in shown],
        color=[colour(0) if importance.mean > 0 else colour(3) for importance in shown],
        error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2},
    )
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_yticks(range(len(shown)), names)
    axes.invert_yaxis()
    dress(axes, x=f"how much worse the {measure} gets when the column is shuffled", grid="x")
    headline(figure, title or "Permutation importance")
    return figure


def comparison(
    measures: Mapping[str, Mapping[str, Measure]], names: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw the same measures of several models side by side: value, 95 % interval and base rate.

    Args:
        measures: by model, then by measure.
        names: the measures to draw, one panel each.
        title: of the figure.
    """
    figure = new_figure(3.1 * len(names) + 1.6, 0.42 * len(measures) + 1.7)
    panels = grid_of_axes(figure, 1, len(names))[0]
    for panel, (axes, name) in enumerate(zip(panels, names, strict=True)):
        for k, (_, figures) in enumerate(measures.items()):
            _whisker(axes, figures.get(name), k)
        axes.set_ylim(len(measures) - 0.5, -0.5)
        axes.locator_params(axis="x", nbins=5)
        axes.set_yticks(range(len(measures)), list(measures) if panel == 0 else [""] * len(measures))
        known = next(figures[name] for figures in measures.values() if name in figures)
        if known.base_rate is not None:
            axes.axvline(known.base_rate, color=FAINT, linestyle=":")
        side = "→" if known.better == "higher" else "←"
        dress(axes, x=f"{name.replace('_', ' ')} (better {side})")
    headline(figure, title or "Beside other models (dotted: a constant answer)")
    return figure


def _whisker(axes: Axes, measure: Measure | None, k: int) -> None:
    if measure is None:
        return
    if measure.low is not None and measure.high is not None:
        axes.plot([measure.low, measure.high], [k, k], color=colour(k), linewidth=2)
    axes.plot([measure.value], [k], color=colour(k), marker="o", markersize=7)


def _by_class(task: Task, targets: Any, scores: Any, names: Sequence[str]) -> tuple[Array, Array, list[str]]:
    wanted, matrix = checked(task, targets, scores)
    truth = indicators(task, wanted, matrix.shape[1])
    if matrix.shape[1] == 1:
        return truth, matrix, ["positive"]
    return truth, matrix, list(names) or [str(k) for k in range(matrix.shape[1])]


def _wilson(share: Array, n: Array, z: float = 1.96) -> tuple[Array, Array]:
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half
