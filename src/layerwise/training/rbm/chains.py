"""Gibbs chains that last from batch to batch: persistent ones, and persistent ones at several temperatures.

Persistent contrastive divergence (Tieleman 2008) keeps Gibbs chains of the model from update to update. Parallel
tempering (Desjardins et al. 2010; Cho, Raiko & Ilin 2010) runs them at inverse temperatures from 0 to 1 side by side,
p_beta(v, h) ~ exp(-beta E(v, h)), and lets neighbours swap their states, so that the coldest ones move between modes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from layerwise.models.rbm import RBM
from layerwise.models.rbm.units import UnitsError
from layerwise.training.plan import Losses

Product = Callable[[Tensor, Tensor], Tensor]


class PersistentChains:
    """n Gibbs chains of an RBM, kept as hidden states (n, n_hidden).

    A chain of documents keeps its length for life, since there is a model for each length: one that took the length of
    another row at each batch would be a chain of none. `lengths` (n, 1) are those of the rows that the chains start at;
    (0, 1) where units are no counts.

    Args:
        rbm: the model; its parameters are read at each step, so that the chains follow them.
        n: chains.
        rng: samples the states, on the RBM's device.
        up: writes the hidden units' pre-activation, given visible states, into a buffer; None for the RBM's own
            precision.
        down: the same for the visible units' pre-activation, given hidden states.
    """

    def __init__(
        self,
        rbm: RBM,
        n: int,
        rng: torch.Generator,
        up: Product | None = None,
        down: Product | None = None,
    ) -> None:
        self.rbm, self.n, self.rng = rbm, n, rng
        self.up, self.down = up or rbm.hidden_pre_activation, down or self._visible_pre_activation
        self.hidden = rbm.weight.new_zeros(0, rbm.config.n_hidden)
        self.lengths = rbm.weight.new_zeros(0, 1)

    @property
    def started(self) -> bool:
        """True when the chains have states."""
        return len(self.hidden) > 0

    def start(self, hidden: Tensor, lengths: Tensor | None = None) -> None:
        """Start at hidden states (rows, n_hidden), repeated if there are fewer rows than chains.

        Args:
            hidden: states of the hidden units given rows.
            lengths: (rows, 1) the lengths of these rows, if they are documents.
        """
        rows = torch.arange(self._n_states(), device=hidden.device) % len(hidden)
        self.hidden = hidden[rows].clone()
        if lengths is not None:
            self.lengths = lengths[rows].clone()

    def metrics(self) -> Losses:
        """Return what the last `advance` says of the chains, each a tensor whose mean is the metric; nothing here."""
        return {}

    def _n_states(self) -> int:
        return self.n

    def _visible_pre_activation(self, hidden: Tensor, out: Tensor) -> Tensor:
        return torch.addmm(self.rbm.visible_bias, hidden, self.rbm.weight.t(), out=out)

    def advance(self, visible: Tensor, hidden: Tensor, steps: int) -> None:
        """Take Gibbs steps; write the visible states and E[h | v] into (n, n_visible) and (n, n_hidden).

        Args:
            visible: receives the visible states.
            hidden: receives E[h | v].
            steps: Gibbs steps.
        """
        rbm = self.rbm
        lengths = self.lengths if len(self.lengths) else None
        for _ in range(steps):
            self.down(self.hidden, visible)
            visible.copy_(rbm.visible_units.sample(rbm.visible_units.mean_(visible, lengths), self.rng))
            self.up(visible, hidden)
            rbm.hidden_units.activate_(hidden, self.hidden, torch.empty_like(hidden), self.rng)


class TemperedChains(PersistentChains):
    """n chains at each of several temperatures; the first n states are those of the model itself.

    Args:
        temperatures: how many, from inverse temperature 1 down to 0 in even steps.

    Raises:
        UnitsError: the units are not Bernoulli or one-hot: the conditionals of others do not scale with beta.
    """

    def __init__(self, rbm: RBM, n: int, rng: torch.Generator, temperatures: int) -> None:
        super().__init__(rbm, n, rng)
        if not (rbm.visible_units.tempers and rbm.hidden_units.tempers):
            raise UnitsError(
                f"parallel tempering is for Bernoulli and softmax visible units and Bernoulli or categorical hidden "
                f"ones, not for visible: {rbm.config.visible}, hidden: {rbm.config.hidden}; use chain: persistent"
            )
        self.betas = torch.linspace(1, 0, temperatures, dtype=rbm.weight.dtype, device=rbm.weight.device)
        self.accepted = rbm.weight.new_zeros(0)

    def _n_states(self) -> int:
        return self.n * len(self.betas)

    def advance(self, visible: Tensor, hidden: Tensor, steps: int) -> None:
        """Take Gibbs steps at every temperature, each followed by exchanges between neighbours."""
        rbm = self.rbm
        accepted: list[Tensor] = []
        betas = self.betas.repeat_interleave(self.n)[:, None]
        for _ in range(steps):
            mean = rbm.visible_units.mean(betas * rbm.visible_pre_activation(self.hidden))
            v = rbm.visible_units.sample(mean, self.rng)
            h = rbm.hidden_units.sample_from_pre_activation(betas * rbm.hidden_pre_activation(v), self.rng)
            v, self.hidden = self._exchange(v, h, accepted)
        self.accepted = torch.cat(accepted).to(v.dtype)
        visible.copy_(v[: self.n])
        rbm.hidden_units.mean_(rbm.hidden_pre_activation(visible, hidden))

    def metrics(self) -> Losses:
        """Return whether each exchange between neighbours was made: the mean is the rate of swaps."""
        return {"swap_rate": self.accepted}

    def _exchange(self, v: Tensor, h: Tensor, made: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Exchange neighbours with probability min(1, exp((beta - beta')(E - E'))), even pairs and then odd ones.

        Whether each of them was made is added to `made`.
        """
        r, n = len(self.betas), self.n
        energy = self.rbm.energy(v, h).view(r, n)
        source = torch.arange(r * n, device=v.device).view(r, n).clone()
        for first in (0, 1):
            warm = torch.arange(first, r - 1, 2, device=v.device)
            if len(warm) == 0:
                continue
            gain = (self.betas[warm] - self.betas[warm + 1])[:, None] * (energy[warm] - energy[warm + 1])
            u = torch.empty_like(gain).uniform_(generator=self.rng)
            accepted = u.log_() < gain
            for values in (source, energy):
                low, high = values[warm].clone(), values[warm + 1].clone()
                values[warm] = torch.where(accepted, high, low)
                values[warm + 1] = torch.where(accepted, low, high)
            made.append(accepted.flatten())
        order = source.flatten()
        return v[order], h[order]
