"""Back-propagation for a network with a task head, as a training plan."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from layerwise.checkpointing import Progress
from layerwise.data import Task, TensorData
from layerwise.models import MLP
from layerwise.training.optim import limit_norms, penalty
from layerwise.training.plan import Losses
from layerwise.training.supervised.classifier import TaskPlan
from layerwise.training.supervised.losses import LossName, resolve_loss, row_loss
from layerwise.training.supervised.settings import FinetuningSettings


def steps_planned(settings: FinetuningSettings, epochs: int, n_batches: int) -> int:
    """Return the steps that the schedule stretches over: those of all epochs, or fewer if the settings stop sooner."""
    return min(epochs * n_batches, settings.max_steps or epochs * n_batches)


def loss_of_rows(
    loss: LossName,
    outputs: Tensor,
    targets: Tensor,
    settings: FinetuningSettings,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the loss of each row, (rows,), with the settings' parameters of it.

    Args:
        loss: its name, resolved for the task.
        outputs: (rows, n_outputs) of the network.
        targets: (rows,) or (rows, n_outputs).
        settings: hold the losses' parameters.
        label_smoothing: of the targets; 0 for the rows that only measure.
    """
    gamma = 2.0 if settings.focal_gamma is None else settings.focal_gamma
    return row_loss(loss, outputs, targets, label_smoothing, gamma, settings.huber_delta or 1.0)


def losses_of_rows(
    minimized: Tensor, loss: LossName, outputs: Tensor, targets: Tensor, settings: FinetuningSettings
) -> Losses:
    """Return a training batch's `loss`, which compares with the validation rows', and the `objective` if it is another.

    Args:
        minimized: (rows,) what is minimized: with smoothed targets and class weights where the settings ask for them.
        loss: its name, resolved for the task.
        outputs: (rows, n_outputs) of the network.
        targets: (rows,) or (rows, n_outputs).
        settings: hold the losses' parameters.
    """
    minimized = minimized.detach()
    if not settings.label_smoothing and settings.class_weights is None:
        return {"loss": minimized}
    return {"loss": loss_of_rows(loss, outputs.detach(), targets, settings), "objective": minimized}


class Backpropagation(TaskPlan):
    """Train a network's weights by the gradient of the loss, and of the penalties.

    Args:
        network: learns in place; with `freeze` its output layer alone.
        task: decides the loss.
        settings: how it learns.
        rng: samples the masks of dropout and DropConnect.
        freeze: train the head alone.
        n_rows: m of the penalties' lambda/(2m), the number of training rows.
        class_weights: (classes,) weights of the rows' losses; None for equal ones.
    """

    network: MLP
    settings: FinetuningSettings

    def __init__(
        self,
        network: MLP,
        task: Task,
        settings: FinetuningSettings,
        rng: torch.Generator,
        freeze: bool = False,
        n_rows: int = 1,
        class_weights: Tensor | None = None,
    ) -> None:
        network.requires_grad_(not freeze)
        network.output.requires_grad_(True)
        super().__init__(network, task, settings, rng)
        self.n_rows = n_rows
        self.loss, self.class_weights = resolve_loss(task, settings.loss), class_weights
        self.weights = [w for w in network.weights() if w.requires_grad]
        self.layers = [cast(nn.Linear, layer) for layer in network.hidden]

    def on_train_start(self, progress: Progress) -> None:
        """Stretch the schedule over the steps of all epochs, or over fewer if the settings stop sooner."""
        super().on_train_start(progress)
        self.steps_planned = steps_planned(self.settings, progress.epochs, progress.n_batches)

    def update(self, batch: TensorData) -> Losses:
        """Update the network; return loss, error and accuracy per row, and the penalty."""
        losses = super().update(batch)
        if self.settings.max_norm is not None:
            limit_norms(self.layers, self.settings.max_norm)
        return losses

    def row_losses(self, outputs: Tensor, targets: Tensor, learning: bool) -> Tensor:
        """Return the loss of each row, (rows,); what is measured has no smoothing and no class weights."""
        s = self.settings
        loss = loss_of_rows(self.loss, outputs, targets, s, s.label_smoothing if learning else 0.0)
        if not learning or self.class_weights is None:
            return loss
        return loss * self.class_weights[targets.reshape(-1).long()]

    def batch_losses(self, minimized: Tensor, outputs: Tensor, targets: Tensor) -> Losses:
        """Return a training batch's loss per row, and the objective where it is another."""
        if self.network.n_members > 1:
            # What the members say together is better than what each of them minimizes.
            together = loss_of_rows(self.loss, outputs, targets, self.settings)
            return {"loss": together, "objective": minimized.detach()}
        return losses_of_rows(minimized, self.loss, outputs, targets, self.settings)

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the mean of what is minimized with the penalties, and loss, error and accuracy of each row.

        The row's loss has no smoothing, class weights and penalty, as the validation rows' has none; the masks of
        dropout are in it. The row's objective, where it is another, has smoothing and class weights.
        """
        cost, losses = super().cost(batch)
        if self.settings.l1 or self.settings.l2:
            added = penalty(self.weights, self.settings.l1, self.settings.l2, self.n_rows)
            cost = cost + added
            losses["penalty"] = added.expand(len(batch))
        return cost, losses
