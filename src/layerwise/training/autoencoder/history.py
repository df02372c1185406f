"""What the training of an autoencoder leaves behind besides the network, as it stands in the catalog."""

from __future__ import annotations

from layerwise.checkpointing import Progress
from layerwise.training.callbacks import ReconstructionHistory
from layerwise.training.diagnostics import LayerStatistics
from layerwise.training.histories import Epoch, LayerHistory, reconstructed_row


class AutoencoderHistory(LayerHistory):
    """The epochs, the one whose weights the network has (0: the last), and why training stopped.

    `stopped` is empty where it went through all epochs; a network that was watched has its statistics.
    """

    stopped: str = ""
    best_epoch: int = 0
    layer_statistics: tuple[Epoch, ...] = ()
    diagnoses: tuple[str, ...] = ()

    @classmethod
    def of_training(
        cls,
        progress: Progress,
        reconstructions: ReconstructionHistory | None = None,
        watched: LayerStatistics | None = None,
    ) -> AutoencoderHistory:
        """Return the history of a training: of its loop, with one row's reconstructions, and with layer statistics."""
        row = (
            {} if reconstructions is None else reconstructed_row(reconstructions.row, reconstructions.entries)
        )
        return cls(
            epochs=tuple(progress.history),
            stopped=progress.stop,
            best_epoch=progress.best_epoch,
            seconds=progress.seconds,
            layer_statistics=() if watched is None else tuple(each.metrics() for each in watched.epochs),
            diagnoses=() if watched is None else tuple(watched.diagnoses()),
            **row,
        )
