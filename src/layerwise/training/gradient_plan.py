"""What every trainee that follows one gradient shares: optimiser, schedule, precision, state."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from layerwise.data.tensors import Rows
from layerwise.training.optim.optimizer_state import flat_moments, load_moments
from layerwise.training.optim.optimizers import new_optimiser
from layerwise.training.optim.penalties import clip_gradients
from layerwise.training.optim.schedules import scheduled_rate
from layerwise.training.plan import Losses
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.devices import products_in


class GradientTrainee:
    """Follow the gradient of a cost; who inherits says what the cost of a batch is.

    Args:
        network: what learns.
        settings: the optimiser, its rate and schedule, the precision.
        generators: every stream of random numbers that steps draw from, by name.
        n_batches: batches an epoch, which the schedule needs.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: FinetuningSettings,
        generators: Mapping[str, torch.Generator],
        n_batches: int,
    ) -> None:
        self.network, self.settings = network, settings
        self.generators, self.n_batches = dict(generators), n_batches
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimiser = new_optimiser(settings, self.parameters)
        self.steps_done = 0
        self.steps_planned = settings.epochs * n_batches

    def cost(self, rows: Tensor) -> tuple[Tensor, Losses]:
        """Return what is minimised on a batch, a number, and per-row losses by name."""
        raise NotImplementedError

    def measured(self, rows: Tensor) -> Losses:
        """Return per-row losses of a batch as it is, without noise on its inputs and without penalties."""
        raise NotImplementedError

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Plan the schedule's steps."""
        self.steps_planned = epochs * self.n_batches
        self.network.train()

    def train_step(self, batch: Rows) -> Losses:
        """Update the network; return per-row losses."""
        if self.settings.schedule != "constant":
            rate = scheduled_rate(self.settings, self.steps_done, self.steps_planned, self.n_batches)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
        self.steps_done += 1
        cost, losses = self.cost(batch.inputs)
        self.optimiser.zero_grad()
        cost.backward()
        if self.settings.clip_norm is not None:
            clip_gradients(self.parameters, self.settings.clip_norm, None)
        self.optimiser.step()
        return {name: values.detach() for name, values in losses.items()}

    def measure(self, batch: Rows) -> Losses:
        """Return per-row losses without an update."""
        learning = self.network.training
        self.network.eval()
        with torch.no_grad():
            found = self.measured(batch.inputs)
        self.network.train(learning)
        return found

    def autocast(self, rows: Tensor) -> AbstractContextManager[object]:
        """Return the context in which matrix products have the precision that was asked for."""
        return products_in(self.settings.precision, rows.device)

    def state(self) -> dict[str, Tensor]:
        """Return copies of the weights, the optimiser's moments, the generators and the step."""
        state = {f"network.{name}": value.clone() for name, value in self.network.state_dict().items()}
        state |= flat_moments(self.optimiser, "optimiser")
        for name, generator in self.generators.items():
            state[f"generator.{name}"] = generator.get_state()
        state["steps_done"] = torch.tensor(self.steps_done)
        return state

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state()` returned."""
        self.network.load_state_dict(
            {name.removeprefix("network."): v for name, v in state.items() if name.startswith("network.")}
        )
        load_moments(self.optimiser, "optimiser", state)
        for name, generator in self.generators.items():
            generator.set_state(state[f"generator.{name}"])
        self.steps_done = int(state["steps_done"])
