"""A progress bar with epoch, metric and time left; a line every half a minute when the output is not a terminal."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping

from layerwise.checkpointing import Progress
from layerwise.training.callbacks.base import Callback
from layerwise.utils import ProgressLines, ranks

log = logging.getLogger(__name__)


class ProgressBar(Callback):
    """Show how far a stage has come.

    Args:
        label: what is learning, such as `layer 1 of 3`.
        metric: the metric to show behind the bar; the training loss where an epoch has none of that name.
    """

    def __init__(self, label: str, metric: str) -> None:
        self.label, self.metric = label, metric
        self.shown = sys.stderr.isatty() and ranks.rank() == 0

    def on_train_start(self, progress: Progress) -> None:
        """Show the bar."""
        self._lines = ProgressLines(log)
        self._began, self._first, self._text = time.monotonic(), progress.epoch, ""
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

    def on_batch_end(self, progress: Progress) -> None:
        """Say how far it is, where an epoch takes longer than half a minute too."""
        self._say(progress, progress.epoch - 1)

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Move the bar on and show the metric."""
        name = self.metric if self.metric in metrics else "train/loss"
        self._text = f"{name} {metrics[name]:.4f}" if name in metrics else ""
        if self.shown:
            self._bar.update(self._task, completed=progress.epoch, metric=self._text)
        self._say(progress, progress.epoch)

    def _say(self, progress: Progress, done: int) -> None:
        """Log a line, if one is due; `done` epochs are over, of which the first may stem from an earlier run."""
        if not self._lines.due:
            return
        parts = [f"epoch {progress.epoch} of {progress.epochs}", self._text]
        if done < progress.epoch:
            parts.insert(1, f"batch {progress.batch} of {progress.n_batches}")
        if done > self._first:
            each = (time.monotonic() - self._began) / (done - self._first)
            parts.append(f"about {each * (progress.epochs - done):.0f} s left")
        self._lines.say("%s: %s", self.label, ", ".join(part for part in parts if part))

    def on_train_end(self, progress: Progress) -> None:
        """Leave the bar as it is."""
        if self.shown:
            self._bar.stop()
