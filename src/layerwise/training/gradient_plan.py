"""The base of training plans that follow one gradient: optimiser, schedule, precision, state."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from layerwise.data import TensorData
from layerwise.training.optim import (
    clip_gradients,
    load_moment_tensors,
    make_optimizer,
    moments_to_tensors,
    scheduled_learning_rate,
)
from layerwise.training.plan import Losses
from layerwise.training.supervised import FinetuningSettings
from layerwise.utils import matmul_autocast


class GradientPlan:
    """Follow the gradient of a cost; a subclass says what the cost of a batch is.

    Args:
        network: what learns.
        settings: the optimiser, its learning rate and schedule, the precision.
        rngs: every random generator that steps draw from, by name.
        n_batches: batches an epoch, which the schedule needs.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: FinetuningSettings,
        rngs: Mapping[str, torch.Generator],
        n_batches: int,
    ) -> None:
        self.network, self.settings = network, settings
        self.rngs, self.n_batches = dict(rngs), n_batches
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = make_optimizer(settings, self.parameters)
        self.steps_done = 0
        self.steps_planned = settings.epochs * n_batches

    def cost(self, rows: Tensor) -> tuple[Tensor, Losses]:
        """Return what is minimised on a batch, a number, and per-row losses by name."""
        raise NotImplementedError

    def validation_losses(self, rows: Tensor) -> Losses:
        """Return per-row losses of a batch as it is, without noise on its inputs and without penalties."""
        raise NotImplementedError

    def on_epoch_start(self, epoch: int, epochs: int) -> None:
        """Plan the schedule's steps."""
        self.steps_planned = epochs * self.n_batches
        self.network.train()

    def training_step(self, batch: TensorData) -> Losses:
        """Update the network; return per-row losses."""
        if self.settings.schedule != "constant":
            rate = scheduled_learning_rate(self.settings, self.steps_done, self.steps_planned, self.n_batches)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
        self.steps_done += 1
        cost, losses = self.cost(batch.inputs)
        self.optimizer.zero_grad()
        cost.backward()
        if self.settings.clip_norm is not None:
            clip_gradients(self.parameters, self.settings.clip_norm, None)
        self.optimizer.step()
        return {name: values.detach() for name, values in losses.items()}

    def validation_step(self, batch: TensorData) -> Losses:
        """Return per-row losses without an update."""
        was_training = self.network.training
        self.network.eval()
        with torch.no_grad():
            losses = self.validation_losses(batch.inputs)
        self.network.train(was_training)
        return losses

    def autocast(self, rows: Tensor) -> AbstractContextManager[object]:
        """Return the context in which matrix products have the precision that was asked for."""
        return matmul_autocast(self.settings.precision, rows.device)

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of the weights, the optimiser's moments, the random generators' states and the step."""
        state = {f"network.{name}": value.clone() for name, value in self.network.state_dict().items()}
        state |= moments_to_tensors(self.optimizer, "optimizer")
        for name, rng in self.rngs.items():
            state[f"rng.{name}"] = rng.get_state()
        state["steps_done"] = torch.tensor(self.steps_done)
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
        self.network.load_state_dict(
            {name.removeprefix("network."): v for name, v in state.items() if name.startswith("network.")}
        )
        load_moment_tensors(self.optimizer, "optimizer", state)
        for name, rng in self.rngs.items():
            rng.set_state(state[f"rng.{name}"])
        self.steps_done = int(state["steps_done"])
