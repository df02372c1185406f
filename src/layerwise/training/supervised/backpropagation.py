"""Back-propagation for a network with a task head, as a training plan."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from layerwise.checkpointing import Progress
from layerwise.data import Task, TensorData
from layerwise.models import MLP
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.optim import limit_norms, penalty
from layerwise.training.plan import Losses
from layerwise.training.supervised.losses import resolve_loss, row_loss, task_error
from layerwise.training.supervised.settings import FinetuningSettings


def steps_planned(settings: FinetuningSettings, epochs: int, n_batches: int) -> int:
    """Return the steps that the schedule stretches over: those of all epochs, or fewer if the settings stop sooner."""
    return min(epochs * n_batches, settings.max_steps or epochs * n_batches)


class Backpropagation(GradientPlan):
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
        network.use_rng(rng)
        network.requires_grad_(not freeze)
        network.output.requires_grad_(True)
        super().__init__(network, settings, {"dropout": rng}, flatten=True)
        self.task, self.n_rows = task, n_rows
        self.loss, self.class_weights = resolve_loss(task, settings.loss), class_weights
        self.weights = [w for w in network.weights() if w.requires_grad]
        self.layers = [cast(nn.Linear, layer) for layer in network.hidden]

    def on_train_start(self, progress: Progress) -> None:
        """Stretch the schedule over the steps of all epochs, or over fewer if the settings stop sooner."""
        super().on_train_start(progress)
        self.steps_planned = steps_planned(self.settings, progress.epochs, progress.n_batches)

    def training_step(self, batch: TensorData) -> Losses:
        """Update the network; return loss, error and accuracy per row, and the penalty."""
        losses = super().training_step(batch)
        if self.settings.max_norm is not None:
            limit_norms(self.layers, self.settings.max_norm)
        return losses

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the mean loss with the penalties, and loss, error and accuracy of each row.

        The row's loss is the one that is minimised: with class weights, without the penalty.
        """
        s = self.settings
        with self.autocast(batch.inputs):
            outputs = self.network(batch.inputs).to(batch.inputs.dtype)
        loss = self._row_loss(outputs, batch, s.label_smoothing)
        if self.class_weights is not None:
            assert batch.targets is not None
            loss = loss * self.class_weights[batch.targets.reshape(-1).long()]
        cost, losses = loss.mean(), {"loss": loss, **self._scores(outputs.detach(), batch)}
        if s.l1 or s.l2:
            added = penalty(self.weights, s.l1, s.l2, self.n_rows)
            cost = cost + added
            losses["penalty"] = added.expand(len(batch))
        return cost, losses

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return loss, error and accuracy per row, without masks, smoothing, class weights and penalties."""
        outputs = self.network(batch.inputs)
        return {"loss": self._row_loss(outputs, batch), **self._scores(outputs, batch)}

    def _row_loss(self, outputs: Tensor, batch: TensorData, label_smoothing: float = 0.0) -> Tensor:
        assert batch.targets is not None
        s = self.settings
        gamma = 2.0 if s.focal_gamma is None else s.focal_gamma
        return row_loss(self.loss, outputs, batch.targets, label_smoothing, gamma, s.huber_delta or 1.0)

    def _scores(self, outputs: Tensor, batch: TensorData) -> Losses:
        assert batch.targets is not None
        error = task_error(self.task, outputs, batch.targets)
        if self.task in ("multiclass", "binary"):
            return {"error": error, "accuracy": 1 - error}
        return {"error": error}
