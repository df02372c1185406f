"""Contrastive divergence for a restricted Boltzmann machine, as a trainee of the loop.

CD-k (Hinton 2002, equation 5): dW = <v h>_data - <v h>_k, where the chain starts at the batch and runs k
Gibbs steps. Momentum and weight decay follow Hinton's practical guide (2010, sections 9 and 10): the decay is
a term of the gradient, and the weights alone decay.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from layerwise.configuration import Config
from layerwise.data.rows import Rows
from layerwise.models.rbm import RBM
from layerwise.training.loop import Losses


class ContrastiveDivergenceSettings(Config):
    """How a machine learns."""

    learning_rate: float = Field(0.1, gt=0)
    final_learning_rate: float | None = Field(None, ge=0)
    momentum: float = Field(0.5, ge=0, lt=1)
    final_momentum: float = Field(0.9, ge=0, lt=1)
    momentum_epochs: int = Field(5, ge=0)
    weight_decay: float = Field(2e-4, ge=0)
    steps: int = Field(1, ge=1)
    sample_visible: bool = False


class ContrastiveDivergence:
    """Train a machine by CD-k.

    Hidden units are sampled while they drive the chain and are means where they enter a gradient or end it;
    visible units are means unless `sample_visible` (Hinton 2010, section 3). The step of size `learning_rate`
    is on the batch's mean gradient: v <- momentum v + rate (gradient - decay W), W <- W + v.

    Args:
        rbm: the machine.
        settings: how it learns.
        generator: draws the states, on the machine's device.
    """

    def __init__(self, rbm: RBM, settings: ContrastiveDivergenceSettings, generator: torch.Generator) -> None:
        self.rbm = rbm
        self.settings = settings
        self.generator = generator
        self.rate = settings.learning_rate
        self.momentum = settings.momentum
        self.weight = rbm.weight.data
        self.visible_bias = rbm.visible_bias.data
        self.hidden_bias = rbm.hidden_bias.data
        self.velocity = torch.zeros_like(self.weight)
        self.visible_velocity = torch.zeros_like(self.visible_bias)
        self.hidden_velocity = torch.zeros_like(self.hidden_bias)
        self._buffers: dict[int, tuple[Tensor, ...]] = {}

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Set the momentum and the linearly falling rate of the epoch."""
        s = self.settings
        self.momentum = s.momentum if epoch <= s.momentum_epochs else s.final_momentum
        if s.final_learning_rate is not None:
            done = (epoch - 1) / max(1, epochs - 1)
            self.rate = s.learning_rate + done * (s.final_learning_rate - s.learning_rate)

    def train_step(self, batch: Rows) -> Losses:
        """Update the machine; return the reconstruction's loss per row."""
        v = batch.inputs
        n = v.shape[0]
        if n not in self._buffers:
            self._buffers[n] = self._new_buffers(n)
        visible, hidden, states, draws = self._buffers[n]
        start, end = visible[:n], visible[n:]
        positive, negative = hidden[:n], hidden[n:]
        start.copy_(v)
        torch.addmm(self.hidden_bias, start, self.weight, out=positive).sigmoid_()
        torch.lt(draws.uniform_(generator=self.generator), positive, out=states)
        first = None
        for step in range(self.settings.steps):
            if step:
                torch.lt(draws.uniform_(generator=self.generator), negative, out=states)
            torch.addmm(self.visible_bias, states, self.weight.t(), out=end)
            if first is None:
                first = self._loss(end, start)
            if self.rbm.config.visible == "bernoulli":
                end.sigmoid_()
            if self.settings.sample_visible:
                end.copy_(self.rbm.units.sample(end, self.generator))
            torch.addmm(self.hidden_bias, end, self.weight, out=negative).sigmoid_()
        self._update(visible, hidden, n)
        assert first is not None
        return {"reconstruction": first}

    def _update(self, visible: Tensor, hidden: Tensor, n: int) -> None:
        scale = self.rate / n
        positive, negative = hidden[:n], hidden[n:]
        self.visible_velocity.mul_(self.momentum).add_(
            visible[:n].sum(0).sub_(visible[n:].sum(0)), alpha=scale
        )
        self.hidden_velocity.mul_(self.momentum).add_(positive.sum(0).sub_(negative.sum(0)), alpha=scale)
        # Both outer products at once: the chain's end enters with a minus sign, in one product of depth 2n.
        negative.neg_()
        self.velocity.addmm_(visible.t(), hidden, beta=self.momentum, alpha=scale)
        if self.settings.weight_decay:
            self.velocity.add_(self.weight, alpha=-self.rate * self.settings.weight_decay)
        self.weight.add_(self.velocity)
        self.visible_bias.add_(self.visible_velocity)
        self.hidden_bias.add_(self.hidden_velocity)

    def _new_buffers(self, n: int) -> tuple[Tensor, ...]:
        shape, like = self.rbm.config, self.weight
        visible = like.new_empty(2 * n, shape.n_visible)
        hidden = like.new_empty(2 * n, shape.n_hidden)
        return visible, hidden, like.new_empty(n, shape.n_hidden), like.new_empty(n, shape.n_hidden)

    def _loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Cross-entropy in nats a row for Bernoulli units, half the squared error for Gaussian ones."""
        if self.rbm.config.visible == "bernoulli":
            return functional.softplus(x).sum(1).sub_(torch.einsum("nd,nd->n", x, v))
        return (x - v).square().sum(1) / 2

    def measure(self, batch: Rows) -> Losses:
        """Return the mean-field reconstruction's loss and the free energy per row."""
        hidden = self.rbm.hidden_mean(batch.inputs)
        x = torch.addmm(self.visible_bias, hidden, self.weight.t())
        return {
            "reconstruction": self._loss(x, batch.inputs),
            "free_energy": self.rbm.free_energy(batch.inputs),
        }

    def state(self) -> dict[str, Tensor]:
        """Return copies of the weights, velocities and the generator."""
        return {name: value.clone() for name, value in self._tensors().items()} | {
            "generator": self.generator.get_state()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state()` returned."""
        for name, value in self._tensors().items():
            value.copy_(state[name])
        self.generator.set_state(state["generator"])

    def _tensors(self) -> dict[str, Tensor]:
        return {
            "weight": self.weight,
            "visible_bias": self.visible_bias,
            "hidden_bias": self.hidden_bias,
            "velocity": self.velocity,
            "visible_velocity": self.visible_velocity,
            "hidden_velocity": self.hidden_velocity,
        }
