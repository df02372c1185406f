"""A network trained on the task's own loss, by an optimizer alone: what a GAN's evaluation and its losses need."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.data import Task, TensorData
from layerwise.models import MLP
from layerwise.training.callbacks import best_epoch_callbacks, plateau_callbacks
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.loop import fit
from layerwise.training.optim import OptimizerSettings
from layerwise.training.plan import Losses
from layerwise.training.supervised.losses import resolve_loss, row_loss, scores_of_rows
from layerwise.utils import setting, torch_rng


class ClassifierSettings(OptimizerSettings):
    """How a classifier learns whose choices are no parameters of a run."""

    epochs: int = setting(30, "passes over the training rows at most", ge=1)
    batch_size: int = setting(100, "rows a step", ge=1)
    patience: int | None = setting(None, "epochs without a lower validation loss before it stops", ge=1)


class TaskPlan(GradientPlan):
    """Train a network's weights by the gradient of the mean loss of its task.

    Args:
        network: learns in place, as far as its parameters require a gradient.
        task: decides the loss.
        settings: the optimizer.
        rng: samples the masks of dropout and DropConnect.
    """

    spreads_rows = True

    def __init__(self, network: MLP, task: Task, settings: OptimizerSettings, rng: torch.Generator) -> None:
        network.use_rng(rng)
        super().__init__(network, settings, {"dropout": rng}, flatten=True)
        self.task = task

    def row_losses(self, outputs: Tensor, targets: Tensor, learning: bool) -> Tensor:
        """Return the loss of each row, (rows,), as it is minimised (`learning`) or measured."""
        return row_loss(resolve_loss(self.task), outputs, targets)

    def batch_losses(self, minimized: Tensor, outputs: Tensor, targets: Tensor) -> Losses:
        """Return a training batch's `loss` per row, to be read beside the validation rows'."""
        return {"loss": minimized.detach()}

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the mean loss, and loss, error and accuracy of each row, times its weight where rows have some."""
        network: Any = self.network
        with self.autocast(batch.inputs):
            outputs = network.member_outputs(batch.inputs).to(batch.inputs.dtype)
        assert batch.targets is not None
        targets, members = batch.targets, network.n_members
        if members == 1:
            loss = self.row_losses(outputs, targets, learning=True)
        else:  # each member learns by itself, or the best one would do the others' work
            of_members = self.row_losses(outputs, targets.repeat_interleave(members, 0), learning=True)
            loss = of_members.unflatten(0, (-1, members)).mean(1)
        together = network.combine(outputs.detach())
        losses = self.batch_losses(loss, together, targets)
        losses |= scores_of_rows(self.task, together, targets)
        return batch.weighted(loss).mean(), {name: batch.weighted(each) for name, each in losses.items()}

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return loss, error and accuracy per row, without masks."""
        outputs = self.network(batch.inputs)
        assert batch.targets is not None
        loss = self.row_losses(outputs, batch.targets, learning=False)
        losses = {"loss": loss, **scores_of_rows(self.task, outputs, batch.targets)}
        return {name: batch.weighted(each) for name, each in losses.items()}


def train_classifier(
    network: MLP,
    task: Task,
    training: TensorData,
    validation: TensorData,
    settings: ClassifierSettings,
    seed: int,
    name: str,
) -> Progress:
    """Train in place, without reports; the network ends with the weights of its lowest validation loss.

    A batch larger than the rows becomes one batch of all of them.

    Args:
        network: learns in place, and ends in evaluation mode.
        task: decides the loss.
        training: the rows that it learns from.
        validation: the rows that choose the best epoch.
        settings: how it learns.
        seed: of the masks and of the order of the rows.
        name: of the network, for messages and checkpoints.

    Raises:
        TrainingError: the loss is not finite.
    """
    rng = torch_rng(seed, "finetuning", "dropout", device=training.device)
    plan = TaskPlan(network, task, settings, rng)
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=min(settings.batch_size, len(training)),
        rng=torch_rng(seed, "finetuning", "order"),
        validation=validation,
        callbacks=[
            *best_epoch_callbacks(network, "validation/loss", settings.patience),
            *plateau_callbacks(plan, settings, "validation/loss"),
        ],
        name=name,
        quiet=True,
    )
    network.eval()
    return progress
