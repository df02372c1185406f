"""The callbacks that most trainings have: the best epoch's weights, early stopping, reports, a progress bar."""

from __future__ import annotations

from torch import nn

from layerwise.training.callbacks.base import Callback, Reporter
from layerwise.training.callbacks.keep_best_weights import best_epoch_callbacks
from layerwise.training.callbacks.progress_bar import ProgressBar


def standard_callbacks(
    name: str,
    monitor: str,
    quiet: bool = False,
    *,
    label: str | None = None,
    keep_best: nn.Module | None = None,
    patience: int | None = None,
) -> list[Callback]:
    """Return what keeps the best epoch's weights, if asked for, what reports each epoch, and a progress bar.

    Args:
        name: the metrics are reported below `<name>/`; empty for no prefix.
        monitor: the metric beside the progress bar, which chooses the best epoch; it is better low.
        quiet: neither report nor show a bar; for a second network beside the run's own.
        label: of the progress bar; None for `training <name>`.
        keep_best: the network that ends with the weights of its best epoch; None for those of the last epoch.
        patience: epochs without gain before early stopping; None for none.
    """
    found = [] if keep_best is None else best_epoch_callbacks(keep_best, monitor, patience)
    if not quiet:
        found += [Reporter(f"{name}/" if name else ""), ProgressBar(label or f"training {name}", monitor)]
    return found
