"""Train a recurrent autoencoder to reconstruct a sequence and to predict its continuation."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models.autoencoder import SequenceAutoencoder
from layerwise.training.callbacks import best_epoch_callbacks, plateau_callbacks
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.loop import fit
from layerwise.training.optim import OptimizerSettings
from layerwise.training.plan import Losses
from layerwise.utils import torch_rng


class SequenceReconstructionPlan(GradientPlan):
    """Rows are whole sequences laid flat; the encoder sees their first `n_input_steps` steps.

    Args:
        network: trained in place.
        settings: optimiser and schedule.
        n_input_steps: steps that are encoded and reconstructed; the rest is predicted.
    """

    def __init__(
        self,
        network: SequenceAutoencoder,
        settings: OptimizerSettings,
        n_input_steps: int,
    ) -> None:
        super().__init__(network, settings, {})
        self.sequences, self.n_input_steps = network, n_input_steps

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the mean over rows of both losses, and each row's."""
        with self.autocast(batch.inputs):
            losses = {
                name: loss.to(batch.inputs.dtype) for name, loss in self.validation_losses(batch).items()
            }
        return torch.stack([loss.mean() for loss in losses.values()]).sum(), losses

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return the losses of the past and of the future of each row, summed over steps."""
        net = self.sequences
        series = batch.inputs.reshape(len(batch), -1, net.config.n_inputs)
        past, future = series[:, : self.n_input_steps], series[:, self.n_input_steps :]
        latent = net.encode(past)
        losses = {"past": net.output.loss(net.decode_steps(latent, "past", self.n_input_steps), past).sum(1)}
        if net.config.predicts and future.shape[1]:
            losses["future"] = net.output.loss(
                net.decode_steps(latent, "future", future.shape[1]), future
            ).sum(1)
        return losses


def train_sequences(
    network: SequenceAutoencoder,
    training: TensorData,
    validation: TensorData,
    settings: OptimizerSettings,
    epochs: int,
    batch_size: int,
    n_input_steps: int,
    seed: int,
) -> Progress:
    """Train in place; the network ends with the weights of the epoch with the lowest validation loss.

    The loss is that of the predicted steps, or of the reconstructed ones where the network predicts none.

    Args:
        network: trained in place.
        training: (n, steps x n_inputs) sequences laid flat.
        validation: other ones.
        settings: optimiser and schedule.
        epochs: passes over the training rows.
        batch_size: rows a step.
        n_input_steps: steps that are encoded.
        seed: of the run.
    """
    batch_size = min(batch_size, len(training))
    monitor = "validation/future" if network.config.predicts else "validation/past"
    plan = SequenceReconstructionPlan(network, settings, n_input_steps)
    progress = fit(
        plan,
        TensorData(training.inputs),
        epochs=epochs,
        batch_size=batch_size,
        rng=torch_rng(seed, "sequences", "order"),
        validation=TensorData(validation.inputs),
        callbacks=[
            *best_epoch_callbacks(network, monitor, patience=None),
            *plateau_callbacks(plan, settings, monitor),
        ],
        name="sequences",
        monitor=monitor,
    )
    network.eval()
    return progress
