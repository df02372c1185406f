"""Figures of predicted classes and labels beside the true ones."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from layerwise.data import Task
from layerwise.evaluation.metrics import (
    Array,
    as_array,
    as_matrix,
    check_targets_and_scores,
    indicator_matrix,
    predicted_indicators,
    reaches_threshold,
)
from layerwise.evaluation.plots.style import (
    LINESTYLES,
    MUTED_COLOR,
    TEXT_COLOR,
    cycle_color,
    grid_of_axes,
    legend,
    new_figure,
    set_suptitle,
    shorten_labels,
    style_axes,
)

# A figure's time, its memory and how well it can be read go with the classes that it shows.
MOST_CONFUSED, MOST_CURVES = 40, 20


def plot_confusion_matrix(
    targets: Any, predicted: Any, class_names: Sequence[str], *, title: str = ""
) -> Figure:
    """Plot the confusion matrix: counts by true (row) and predicted class, coloured by the row's fractions.

    Of more than 40 classes those 40 are shown that have the most errors; a fraction is one of all rows of its class.

    Args:
        targets: (n,) or (n, 1) true classes.
        predicted: (n,) or (n, 1) predicted classes.
        class_names: of all classes.
        title: of the figure; the number of errors by default.
    """
    true = as_array(targets).reshape(-1).astype(np.int64)
    chosen = as_array(predicted).reshape(-1).astype(np.int64)
    errors = np.zeros(len(class_names), dtype=np.int64)
    for each in (true, chosen):
        np.add.at(errors, each[true != chosen], 1)
    classes = _with_most_errors(errors, MOST_CONFUSED)
    k = len(classes)
    # The classes that are not shown have the last row and column together.
    position = np.full(len(class_names), k)
    position[classes] = np.arange(k)
    cells = np.bincount(position[true] * (k + 1) + position[chosen], minlength=(k + 1) ** 2)
    counts = cells.reshape(k + 1, k + 1)
    fractions = (counts / np.maximum(counts.sum(1, keepdims=True), 1))[:k, :k]
    counts = counts[:k, :k]
    side = max(3.6, 0.52 * k)
    names = shorten_labels([class_names[each] for each in classes], 24)
    figure = new_figure(side + 1.6 + 0.08 * max(map(len, names)), side + 1.1)
    axes = figure.subplots()
    image = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    style_axes(axes, xlabel="predicted class", ylabel="true class", grid="none")
    axes.set_xticks(range(k), names, rotation=90 if max(map(len, names)) > 6 and k > 3 else 0)
    axes.set_yticks(range(k), names)
    for (row, column), count in np.ndenumerate(counts):
        text_color = "white" if fractions[row, column] > 0.5 else TEXT_COLOR if count else "#bbbbbb"
        axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=8.5, color=text_color)
    figure.colorbar(image, ax=axes, label="fraction of the true class", fraction=0.045, pad=0.03)
    wrong = int((true != chosen).sum())
    said = f"{wrong:,} of {len(true):,} rows wrong ({wrong / len(true):.2%})"
    set_suptitle(figure, title or "; ".join([said, *_shown(classes, class_names, "classes")]))
    return figure


def plot_roc_and_pr_curves(task: Task, targets: Any, scores: Any, class_names: Sequence[str] = ()) -> Figure:
    """Plot the ROC and the precision-recall curve of each class (one of two for binary), with their areas.

    Of more than 20 classes or labels those 20 are shown that have the most errors.

    Args:
        task: binary, multiclass or multilabel.
        targets: (n,) classes, or (n, k) zeros and ones.
        scores: (n, k) probabilities.
        class_names: of the k classes or labels.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    truth, matrix, names = _indicators_by_class(task, targets, scores, class_names)
    figure = new_figure(11.6 if len(names) > 1 else 9.6, 4.6)
    left, right = grid_of_axes(figure, 1, 2)[0]
    classes = _with_most_errors((truth != predicted_indicators(task, matrix)).sum(0), MOST_CURVES)
    for k, index in enumerate(classes):
        name, true, score = names[index], truth[:, index], matrix[:, index]
        if true.min() == true.max():
            continue
        # Colour and line style together tell thirty classes apart; dotted is chance.
        style: dict[str, Any] = {
            "color": cycle_color(k),
            "linestyle": LINESTYLES[k % 3],
            "linewidth": 1.8,
        }
        prefix = f"{name}: " if len(names) > 1 else ""
        area, precision_area = roc_auc_score(true, score), average_precision_score(true, score)
        false_positive, true_positive, _ = roc_curve(true, score)
        label = f"{prefix}{area:.3f}, {precision_area:.3f}" if prefix else f"area under it {area:.3f}"
        left.plot(false_positive, true_positive, label=label, **style)
        precision, recall, _ = precision_recall_curve(true, score)
        label = f"average precision {precision_area:.3f}"
        right.plot(recall, precision, label=label, drawstyle="steps-post", **style)
    left.plot([0, 1], [0, 1], color=MUTED_COLOR, linestyle=":", label="chance")
    if len(names) == 1:
        right.axhline(
            float(truth.mean()), color=MUTED_COLOR, linestyle=":", label=f"base rate {truth.mean():.3f}"
        )
    style_axes(
        left,
        title="Receiver operating characteristic (ROC)",
        xlabel="false positive rate",
        ylabel="true positive rate",
    )
    style_axes(right, title="Precision and recall", xlabel="recall", ylabel="precision")
    titles = [f"Positive class: {names[0]}"] if task == "binary" else _shown(classes, names, "curves")
    if titles:
        set_suptitle(figure, titles[0])
    for axes in (left, right):
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    if len(names) > 1:
        handles, labels = left.get_legend_handles_labels()
        meaning = "class: area under its\nROC curve (left), its\naverage precision (right)"
        figure.legend(
            handles,
            labels,
            title=meaning,
            title_fontsize=9,
            loc="outside right center",
            fontsize=9,
            frameon=False,
        )
    else:
        legend(left, loc="lower right")
        legend(right, loc="best")
    return figure


def plot_label_errors(targets: Any, scores: Any, names: Sequence[str], *, title: str = "") -> Figure:
    """Plot each label's fractions of false positives and false negatives among all rows.

    Of more than 40 labels those 40 are shown that have the most errors.

    Args:
        targets: (n, k) zeros and ones.
        scores: (n, k) probabilities; a label is predicted from one half on.
        names: of the k labels.
        title: of the figure.
    """
    true, predicted_positive = as_matrix(targets) > 0.5, reaches_threshold(as_matrix(scores))
    labels = _with_most_errors((true != predicted_positive).sum(0), MOST_CONFUSED)
    figure = new_figure(7.2, 0.34 * len(labels) + 1.8)
    axes = figure.subplots()
    positions = np.arange(len(labels))
    false_positives, false_negatives = (
        (predicted_positive & ~true).mean(0)[labels],
        (~predicted_positive & true).mean(0)[labels],
    )
    axes.barh(positions, false_positives, color=cycle_color(0), label="false positives")
    axes.barh(positions, false_negatives, left=false_positives, color=cycle_color(1), label="false negatives")
    axes.set_yticks(positions, shorten_labels([names[each] for each in labels], 44))
    axes.invert_yaxis()
    style_axes(axes, xlabel="fraction of rows", grid="x")
    legend(axes)
    said = f"{(true != predicted_positive).any(1).mean():.2%} of the rows have a wrong label"
    set_suptitle(figure, title or "; ".join([said, *_shown(labels, names, "labels")]))
    return figure


def _with_most_errors(errors: Array, most: int) -> Array:
    """Return which classes have the most errors, at most so many, in the order of the classes."""
    return np.sort(np.argsort(-errors, kind="stable")[:most])


def _shown(shown: Sized, known: Sized, what: str) -> list[str]:
    """Return a title's words where not all classes are shown."""
    return [f"{len(shown)} of {len(known):,} {what}, those with the most errors"] * (len(shown) < len(known))


def _indicators_by_class(
    task: Task, targets: Any, scores: Any, names: Sequence[str]
) -> tuple[Array, Array, list[str]]:
    wanted, matrix = check_targets_and_scores(task, targets, scores)
    truth = indicator_matrix(task, wanted, matrix.shape[1])
    if matrix.shape[1] == 1:
        return truth, matrix, [names[-1] if names else "positive"]
    return truth, matrix, list(names) or [str(k) for k in range(matrix.shape[1])]
