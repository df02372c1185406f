"""A progress bar with epoch, metric and time left; silent when the output is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from layerwise.checkpointing import Progress
from layerwise.training.callbacks.base import Callback


class ProgressBar(Callback):
    """Show how far a stage has come.

    Args:
        label: what is learning, such as `layer 1 of 3`.
        metric: the metric to show behind the bar; the training loss where an epoch has none of that name.
    """

    def __init__(self, label: str, metric: str) -> None:
        self.label, self.metric = label, metric
        self.shown = sys.stderr.isatty()

    def on_train_start(self, progress: Progress) -> None:
        """Show the bar."""
        if not self.shown:
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress as Bar,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[metric]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(
            self.label, total=progress.epochs, completed=progress.epoch, metric=""
        )
        self._bar.start()

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Move the bar on and show the metric."""
        if self.shown:
            name = self.metric if self.metric in metrics else "train/loss"
            shown = f"{name} {metrics[name]:.4f}" if name in metrics else ""
            self._bar.update(self._task, completed=progress.epoch, metric=shown)

    def on_train_end(self, progress: Progress) -> None:
        """Leave the bar as it is."""
        if self.shown:
            self._bar.stop()
