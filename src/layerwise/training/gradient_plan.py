"""The base of training plans that follow one gradient: optimiser, schedule, clipping, precision, state."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.training.optim import (
    OptimizerSettings,
    clip_gradients,
    flatten_parameters,
    load_moment_tensors,
    make_optimizer,
    moments_to_tensors,
    python_rates,
    reason_against_capture,
    scheduled_learning_rate,
    set_learning_rate,
    should_flatten,
)
from layerwise.training.plan import CapturablePlan, Losses
from layerwise.utils import matmul_autocast, ranks


class GradientPlan(CapturablePlan):
    """Follow the gradient of a cost; a subclass says what the cost of a batch is.

    Args:
        network: what learns; its parameters that require a gradient.
        settings: the optimiser, its learning rate and schedule, clipping, the precision.
        rngs: every random generator that steps draw from, by name.
        flatten: optimise the parameters of a small network as one vector, which is faster.
    """

    # The metric that chooses the best epoch.
    monitor = "validation/loss"
    # The cost is a mean over the batch's rows, or of such means (`ranks.batch_mean`), beside terms without rows.
    spreads_rows = False

    def __init__(
        self,
        network: nn.Module,
        settings: OptimizerSettings,
        rngs: Mapping[str, torch.Generator],
        flatten: bool = False,
    ) -> None:
        self.network, self.settings = network, settings
        self.rngs = dict(rngs)
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.flattened = flatten and should_flatten(self.parameters)
        optimized = [flatten_parameters(self.parameters)] if self.flattened else self.parameters
        self.optimizer = make_optimizer(settings, optimized)
        self.learning_rate_scale = 1.0
        self.steps_done, self.steps_planned, self.n_batches = 0, 1, 1

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return what is minimised on a batch, a number, and per-row losses by name."""
        raise NotImplementedError

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return per-row losses of a batch as it is, without noise on its inputs and without penalties."""
        raise NotImplementedError

    def on_train_start(self, progress: Progress) -> None:
        """Stretch the schedule over the steps of all epochs."""
        self.n_batches = progress.n_batches
        self.steps_planned = progress.epochs * progress.n_batches

    def on_epoch_start(self, epoch: int) -> None:
        """Switch dropout on."""
        self.network.train()

    def prepare_step(self) -> Hashable:
        """Set the step's learning rate and count the step; the rate is a tensor where steps are captured."""
        s = self.settings
        if s.schedule != "constant" or s.warmup_epochs:
            rate = scheduled_learning_rate(s, self.steps_done, self.steps_planned, self.n_batches)
            set_learning_rate(self.optimizer, rate * self.learning_rate_scale)
        self.steps_done += 1
        return python_rates(self.optimizer)

    def update(self, batch: TensorData) -> Losses:
        """Update the network; return per-row losses."""
        s = self.settings
        cost, losses = self.cost(batch)
        self.optimizer.zero_grad(set_to_none=not self.flattened)
        cost.backward()
        ranks.add_up_gradients(self.parameters)
        if s.clip_norm is not None or s.clip_value is not None:
            clip_gradients(self.parameters, s.clip_norm, s.clip_value)
        self.optimizer.step()
        return {name: values.detach() for name, values in losses.items()}

    def validation_step(self, batch: TensorData) -> Losses:
        """Return per-row losses without an update."""
        was_training = self.network.training
        self.network.eval()
        with torch.no_grad():
            losses = self.validation_losses(batch)
        self.network.train(was_training)
        return losses

    def generators(self) -> Sequence[torch.Generator]:
        """Return the random generators that steps draw from."""
        return list(self.rngs.values())

    def reason_against_capture(self) -> str:
        """Return why this optimizer's updates can't be captured; empty when they can."""
        return reason_against_capture(self.settings)

    def reason_against_ranks(self) -> str:
        """Return why the rows of a batch can't be spread; empty when they can."""
        return "" if self.spreads_rows else super().reason_against_ranks()

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
        state["learning_rate_scale"] = torch.tensor(self.learning_rate_scale, dtype=torch.float64)
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
        self.learning_rate_scale = float(state["learning_rate_scale"])
