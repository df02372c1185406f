"""What can listen to the loop: a small protocol of no-op events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from layerwise.utils import report_metrics, trial_stopped

if TYPE_CHECKING:
    from layerwise.checkpointing import Progress


class Callback:
    """Override the events of interest; a batch costs nothing for those that leave `on_batch_end` alone.

    `reads_gradients` is True for one that reads `.grad` after single batches: steps are then not captured.
    """

    reads_gradients = False

    def on_train_start(self, progress: Progress) -> None:
        """Training is about to start."""

    def on_epoch_start(self, progress: Progress) -> None:
        """An epoch is about to start."""

    def on_batch_end(self, progress: Progress) -> None:
        """The parameters were just updated."""

    def epoch_metrics(self, progress: Progress) -> Mapping[str, float]:
        """Return further metrics of the epoch that just ended, for its history and every other callback."""
        return {}

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """The epoch's exact means are known."""

    def on_train_end(self, progress: Progress) -> None:
        """Training ended: by epochs, by a stopping rule, or by an error that is on its way out."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of what this callback keeps from epoch to epoch, for a checkpoint."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned.

        It is called after `on_train_start`, or alone when training was finished before.
        """


class Reporter(Callback):
    """Report each epoch's metrics under a prefix such as `pretraining/layer_1/`."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Report the epoch's metrics, with the epoch as step; end where who listens stopped the trial."""
        report_metrics({self.prefix + name: value for name, value in metrics.items()}, progress.epoch)
        progress.stop = progress.stop or trial_stopped()
