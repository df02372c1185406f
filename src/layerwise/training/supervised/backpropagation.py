"""Back-propagation for a network with a task head, as a training plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from layerwise.data import Task, TensorData
from layerwise.models import MLP
from layerwise.training.optim import (
    clip_gradients,
    flatten_parameters,
    limit_norms,
    load_moment_tensors,
    make_optimizer,
    moments_to_tensors,
    penalty,
    scheduled_learning_rate,
    should_flatten,
)
from layerwise.training.plan import Losses
from layerwise.training.supervised.losses import resolve_loss, row_loss, task_error
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils import matmul_autocast


def steps_planned(settings: FinetuningSettings, epochs: int, n_batches: int) -> int:
    """Return the steps that the schedule stretches over: those of all epochs, or fewer if the settings stop sooner."""
    return min(epochs * n_batches, settings.max_steps or epochs * n_batches)


class Backpropagation:
    """Train a network's weights by the gradient of the loss, and of the penalties.

    Args:
        network: learns in place; with `freeze` its output layer alone.
        task: decides the loss.
        settings: how it learns.
        rng: samples the masks of dropout and DropConnect.
        n_batches: batches an epoch, which the schedule needs.
        freeze: train the head alone.
        n_rows: m of the penalties' lambda/(2m), the number of training rows.
        class_weights: (classes,) weights of the rows' losses; None for equal ones.
    """

    def __init__(
        self,
        network: MLP,
        task: Task,
        settings: FinetuningSettings,
        rng: torch.Generator,
        n_batches: int,
        freeze: bool = False,
        n_rows: int = 1,
        class_weights: Tensor | None = None,
    ) -> None:
        self.network, self.task, self.settings = network, task, settings
        self.rng, self.n_batches, self.n_rows = rng, n_batches, n_rows
        self.loss, self.class_weights = resolve_loss(task, settings.loss), class_weights
        network.use_rng(rng)
        network.requires_grad_(not freeze)
        network.output.requires_grad_(True)
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.weights = [w for w in network.weights() if w.requires_grad]
        self.layers = [cast(nn.Linear, layer) for layer in network.hidden]
        self.optimized = (
            [flatten_parameters(self.parameters)] if should_flatten(self.parameters) else self.parameters
        )
        self.optimizer = make_optimizer(settings, self.optimized)
        self.learning_rate_scale = 1.0
        self.steps_done = 0
        self._set_planned_steps(settings.epochs)

    def _set_planned_steps(self, epochs: int) -> None:
        self.steps_planned = steps_planned(self.settings, epochs, self.n_batches)

    def on_epoch_start(self, epoch: int, epochs: int) -> None:
        """Plan the schedule's steps and switch dropout on."""
        self._set_planned_steps(epochs)
        self.network.train()

    def training_step(self, batch: TensorData) -> Losses:
        """Update the network; return loss, error and accuracy per row, and the penalty.

        The loss is the one that is minimised: with class weights, without the penalty.
        """
        s = self.settings
        if s.schedule != "constant" or s.warmup_epochs:
            rate = scheduled_learning_rate(s, self.steps_done, self.steps_planned, self.n_batches)
            for group in self.optimizer.param_groups:
                group["lr"] = rate * self.learning_rate_scale
        self.steps_done += 1
        outputs = self._forward(batch.inputs)
        loss = self._row_loss(outputs, batch, s.label_smoothing)
        if self.class_weights is not None:
            assert batch.targets is not None
            loss = loss * self.class_weights[batch.targets.reshape(-1).long()]
        cost = loss.mean()
        extra: Losses = {}
        if s.l1 or s.l2:
            added = penalty(self.weights, s.l1, s.l2, self.n_rows)
            cost = cost + added
            extra["penalty"] = added.detach().expand(len(batch))
        self.optimizer.zero_grad(set_to_none=self.optimized is self.parameters)
        cost.backward()
        if s.clip_norm is not None or s.clip_value is not None:
            clip_gradients(self.parameters, s.clip_norm, s.clip_value)
        self.optimizer.step()
        if s.max_norm is not None:
            limit_norms(self.layers, s.max_norm)
        with torch.no_grad():
            return {"loss": loss.detach(), **self._scores(outputs, batch), **extra}

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

    def _forward(self, inputs: Tensor) -> Tensor:
        with matmul_autocast(self.settings.precision, inputs.device):
            return self.network(inputs).to(inputs.dtype)

    def validation_step(self, batch: TensorData) -> Losses:
        """Return loss, error and accuracy per row, without masks, smoothing, class weights and penalties."""
        was_training = self.network.training
        self.network.eval()
        outputs = self.network(batch.inputs)
        self.network.train(was_training)
        return {"loss": self._row_loss(outputs, batch), **self._scores(outputs, batch)}

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of the weights, the optimiser's moments, the random generator's state and the step."""
        state = {f"network.{name}": value.clone() for name, value in self.network.state_dict().items()}
        state |= moments_to_tensors(self.optimizer, "optimizer")
        state["rng"] = self.rng.get_state()
        state["steps_done"] = torch.tensor(self.steps_done)
        state["learning_rate_scale"] = torch.tensor(self.learning_rate_scale, dtype=torch.float64)
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
        self.network.load_state_dict(
            {name.removeprefix("network."): v for name, v in state.items() if name.startswith("network.")}
        )
        load_moment_tensors(self.optimizer, "optimizer", state)
        self.rng.set_state(state["rng"])
        self.steps_done = int(state["steps_done"])
        self.learning_rate_scale = float(state["learning_rate_scale"])
