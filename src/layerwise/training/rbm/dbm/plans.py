"""The two plans of a deep Boltzmann machine: of one layer with doubled weights, and of all layers together."""

from __future__ import annotations

from collections.abc import Hashable

import torch
from torch import Tensor

from layerwise.data import TensorData
from layerwise.models.rbm import DBM, RBM
from layerwise.training.plan import Losses
from layerwise.training.rbm.contrastive_divergence import ContrastiveDivergence
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings


class DoubledContrastiveDivergence(ContrastiveDivergence):
    """Train an RBM one side of which stands there twice, as a layer of a deep Boltzmann machine is pretrained.

    In the whole DBM h1 has neighbors on both sides; alone it has half of them. So the lowest RBM has two copies of
    its rows, p(h | v) = sigmoid(c + 2 v W), and the highest two of its hidden units, p(v | h) = sigmoid(b + 2 W h);
    the other direction stays single (Salakhutdinov & Hinton 2009, section 3.1). Chains start at the rows, and copies
    have the same states.

    Args:
        rbm: of Bernoulli units; learns in place.
        settings: the learning rate and what regularizes.
        rng: samples the states, on the RBM's device.
        up: how often the hidden units see the visible ones.
        down: how often the visible units see the hidden ones.
    """

    def __init__(
        self,
        rbm: RBM,
        settings: ContrastiveDivergenceSettings,
        rng: torch.Generator,
        up: float = 1.0,
        down: float = 1.0,
    ) -> None:
        self.up, self.down = up, down
        super().__init__(rbm, settings, rng)

    def encode(self, v: Tensor) -> Tensor:
        """Return the hidden units' means given the copies of the rows, (rows, n_hidden)."""
        return torch.addmm(self.hidden_bias, v, self.weight, alpha=self.up).sigmoid_()

    def reconstruction_pre_activation(self, v: Tensor) -> Tensor:
        """Return the pre-activation of the visible units given those means, shape of v."""
        return torch.addmm(self.visible_bias, self.encode(v), self.weight.t(), alpha=self.down)

    def _up(self, v: Tensor, out: Tensor) -> Tensor:
        if self.settings.bfloat16:
            return super()._up(v, out).sub_(self.hidden_bias).mul_(self.up).add_(self.hidden_bias)
        return torch.addmm(self.hidden_bias, v, self.weight, alpha=self.up, out=out)

    def _down(self, h: Tensor, out: Tensor) -> Tensor:
        if self.settings.bfloat16:
            return super()._down(h, out).sub_(self.visible_bias).mul_(self.down).add_(self.visible_bias)
        return torch.addmm(self.visible_bias, h, self.weight.t(), alpha=self.down, out=out)

    def validation_step(self, batch: TensorData) -> Losses:
        """Return the mean-field reconstruction's loss per row."""
        pre_activation = self.reconstruction_pre_activation(batch.inputs)
        return {"reconstruction": self.rbm.visible_units.loss(pre_activation, batch.inputs)}


class JointTraining(ContrastiveDivergence):
    """Train all layers of a deep Boltzmann machine: persistent chains in its joint RBM, mean-field means for the rows.

    The gradient of the mean-field bound is <.>_q - <.>_model (Salakhutdinov & Hinton 2009, equation 10). In the joint
    RBM the first term is that of rows completed by the top layer's means, the second that of Gibbs chains.

    Where neither rows nor chains are, nothing keeps the probability down: of a thousand top units, twenty of which are
    on for a row, a mode can grow that has hundreds on and most of Z. So one chain after the other starts anew at coin
    flips, as Du & Mordatch (2019, section 3.2) start some of theirs at noise: it falls into such a mode, which is
    unlearnt.

    Args:
        dbm: learns in place.
        settings: the rate and the chains.
        rng: samples the chains' states, on the DBM's device.
        restart_every: after so many updates the next chain starts anew; 0: never.
    """

    def __init__(
        self,
        dbm: DBM,
        settings: ContrastiveDivergenceSettings,
        rng: torch.Generator,
        restart_every: int = 0,
    ) -> None:
        super().__init__(dbm.joint, settings, rng)
        self.dbm, self.restart_every = dbm, restart_every

    def prepare_step(self) -> Hashable:
        """Count the batch, and start the next chain anew if it is due."""
        if (
            self.chains is not None
            and self.restart_every
            and self._batches
            and not self._batches % self.restart_every
        ):
            chain = self._batches // self.restart_every % self.chains.n
            flips = self.weight.new_empty(1, self.rbm.config.n_visible).uniform_(generator=self.rng).round_()
            self.chains.hidden[chain] = self.rbm.sample_hidden(flips, self.rng)[0]
        return super().prepare_step()

    def update(self, batch: TensorData) -> Losses:
        """Update the DBM; return the rows' reconstruction loss, of each eighth batch."""
        completed = TensorData(self.dbm.complete(batch.inputs))
        is_due, self._reconstructs = self._reconstructs, False
        losses = self._reconstruction(batch.inputs) if is_due else {}
        return losses | super().update(completed)

    def validation_step(self, batch: TensorData) -> Losses:
        """Return the reconstruction's loss, and minus the bound without log Z, of each row."""
        return self._reconstruction(batch.inputs) | {"free_energy": -self.dbm.bound(batch.inputs)}

    def _reconstruction(self, rows: Tensor) -> Losses:
        pre_activation = self.dbm.reconstruction_pre_activation(rows)
        return {"reconstruction": self.dbm.visible_units.loss(pre_activation, rows)}
