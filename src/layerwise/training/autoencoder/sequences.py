"""Train a recurrent autoencoder to write what it read and what comes next."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.checkpointing.state import Progress
from layerwise.data.tensors import Rows
from layerwise.models.autoencoder.sequence import SequenceAutoencoder
from layerwise.training.callbacks.base import Reporter
from layerwise.training.callbacks.progress_bar import ProgressBar
from layerwise.training.callbacks.stopping import KeepBest
from layerwise.training.gradient_plan import GradientTrainee
from layerwise.training.loop import fit
from layerwise.training.plan import Losses
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.random_streams import generator_for


class SequenceReconstruction(GradientTrainee):
    """Rows are whole series laid flat; the reader sees their first `read` steps.

    Args:
        network: learns in place.
        settings: how the gradient is followed.
        read: steps that are read and written again; the rest is predicted.
        n_batches: batches an epoch.
    """

    def __init__(
        self, network: SequenceAutoencoder, settings: FinetuningSettings, read: int, n_batches: int = 1
    ) -> None:
        super().__init__(network, settings, {}, n_batches)
        self.sequences, self.read = network, read

    def cost(self, rows: Tensor) -> tuple[Tensor, Losses]:
        """Return the mean over rows of both losses, and each row's."""
        losses = self.measured(rows)
        return torch.stack([loss.mean() for loss in losses.values()]).sum(), losses

    def measured(self, rows: Tensor) -> Losses:
        """Return the losses of the past and of the future of each row, summed over steps."""
        net = self.sequences
        series = rows.reshape(len(rows), -1, net.config.n_inputs)
        past, future = series[:, : self.read], series[:, self.read :]
        code = net.encode(past)
        found = {"past": net.output.loss(net.write(code, "past", self.read), past).sum(1)}
        if net.config.predicts and future.shape[1]:
            found["future"] = net.output.loss(net.write(code, "future", future.shape[1]), future).sum(1)
        return found


def train_sequences(
    network: SequenceAutoencoder,
    training: Rows,
    validation: Rows,
    settings: FinetuningSettings,
    batch_size: int,
    read: int,
    seed: int,
) -> Progress:
    """Train in place; the network ends with the weights of the epoch that writes validation rows best.

    Args:
        network: learns in place.
        training: (n, steps x n_inputs) series laid flat.
        validation: other ones.
        settings: epochs and the optimiser's.
        batch_size: rows a step.
        read: steps that are read.
        seed: of the run.
    """
    batch_size = min(batch_size, len(training))
    monitor = "validation/future" if network.config.predicts else "validation/past"
    progress = fit(
        SequenceReconstruction(network, settings, read, -(-len(training) // batch_size)),
        Rows(training.inputs),
        epochs=settings.epochs,
        batch_size=batch_size,
        generator=generator_for(seed, "sequences", "order"),
        validation=Rows(validation.inputs),
        callbacks=[
            KeepBest(network, monitor),
            Reporter("sequences/"),
            ProgressBar("training sequences", "train/past"),
        ],
        name="sequences",
    )
    network.eval()
    return progress
