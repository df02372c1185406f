"""Annealed importance sampling, forward (Neal 2001; Salakhutdinov & Murray 2008) and back (Burda et al. 2015).

It leads from independent units of known Z to the RBM through
p_beta(v) ~ exp(-(1 - beta) own(v; a) - beta own(v; b)) sum_h exp(beta (c + v W) h).

An RBM that was trained with dropout p has the power 1 - p of that sum (see `RBM.log_hidden_sum`), which no states of
hidden units add up to. Its chains take the Gibbs steps of the RBM with (1 - p) (c + v W) in the place of c + v W, whose
distribution is close, and accept each by Metropolis and Hastings' rule, which leaves p_beta exactly: the weights stay
unbiased.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor

from layerwise.models.rbm import RBM
from layerwise.models.rbm.units import UnitsError

T = TypeVar("T")


def annealing_schedule(n: int) -> Tensor:
    """Return n + 1 inverse temperatures from 0 to 1, densest near 1 in Salakhutdinov and Murray's proportions."""
    first, second = max(1, round(n / 29)), max(1, round(n * 8 / 29))
    third = max(1, n - first - second)
    parts = [
        torch.linspace(0, 0.5, first + 1, dtype=torch.float64, device="cpu")[:-1],
        torch.linspace(0.5, 0.9, second + 1, dtype=torch.float64, device="cpu")[:-1],
        torch.linspace(0.9, 1, third + 1, dtype=torch.float64, device="cpu"),
    ]
    return torch.cat(parts)


class _AnnealingPath:
    """The intermediate RBMs between independent units of biases a (beta = 0) and the RBM itself (beta = 1)."""

    def __init__(
        self, rbm: RBM, base_bias: Tensor, rng: torch.Generator, observation_counts: Tensor | None
    ) -> None:
        if not rbm.hidden_units.samples_exactly:
            raise UnitsError("rectified (nrelu) hidden units have no exact sampler, which annealing needs")
        self.rbm, self.base, self.rng, self.observation_counts = rbm, base_bias, rng, observation_counts
        self.kept = 1 - rbm.config.dropout

    def base_log_partition(self) -> Tensor:
        """Return log Z of the independent units, shape () or (chains,) for documents of their own lengths."""
        rbm = self.rbm
        visible = rbm.visible_units.log_partition(self.base[None], self.base)
        if self.observation_counts is not None:
            visible = visible * self.observation_counts[:, 0]
        hidden = rbm.hidden_units.log_partition(torch.zeros_like(rbm.hidden_bias)[None], rbm.hidden_bias)
        return (visible + self.kept * hidden).double().squeeze()

    def sample_base(self, chains: int) -> Tensor:
        """Sample rows of the independent units, shape (chains, n_visible)."""
        units = self.rbm.visible_units
        mean = units.mean(self.base.expand(chains, -1).clone(), self.observation_counts)
        return units.sample(mean, self.rng)

    def log_ratio(self, v: Tensor, x: Tensor, beta: float, other: float) -> Tensor:
        """Return log p*_beta(v) - log p*_other(v), shape (chains,) float64; x is c + v W."""
        units, hidden = self.rbm.visible_units, self.rbm.hidden_units
        visible_term = units.free_energy_term(v, self.base) - units.free_energy_term(v, self.rbm.visible_bias)
        bias = self.rbm.hidden_bias
        hidden_term = hidden.log_partition(beta * x, bias) - hidden.log_partition(other * x, bias)
        return (self.kept * hidden_term + (beta - other) * visible_term).double()

    def step(self, v: Tensor, x: Tensor, beta: float) -> tuple[Tensor, Tensor]:
        """Take a step that leaves p_beta from rows v whose c + v W is x; return the new rows and their c + v W."""
        rbm, strength = self.rbm, self.kept * beta
        h = rbm.hidden_units.sample_from_pre_activation(strength * x, self.rng)
        y = torch.addmm((1 - beta) * self.base + beta * rbm.visible_bias, h, rbm.weight.t(), alpha=strength)
        new_v = rbm.visible_units.sample(rbm.visible_units.mean(y, self.observation_counts), self.rng)
        new_x = rbm.hidden_pre_activation(new_v)
        if self.kept == 1:
            return new_v, new_x
        gain = self._excess(new_x, beta) - self._excess(x, beta)
        accepted = (torch.empty_like(gain).uniform_(generator=self.rng).log_() < gain)[:, None]
        return torch.where(accepted, new_v, v), torch.where(accepted, new_x, x)

    def _excess(self, x: Tensor, beta: float) -> Tensor:
        """Return log p*_beta less that of the distribution whose Gibbs steps are proposed, (chains,)."""
        hidden, bias = self.rbm.hidden_units, self.rbm.hidden_bias
        return self.kept * hidden.log_partition(beta * x, bias) - hidden.log_partition(
            self.kept * beta * x, bias
        )


def ais_log_weights(
    rbm: RBM,
    base_bias: Tensor,
    betas: Tensor,
    chains: int,
    rng: torch.Generator,
    document_length: Tensor | None = None,
) -> Tensor:
    """Return log Z_a + log w of each chain, (chains,) float64; the mean of their exponentials is Z on average.

    Args:
        rbm: the RBM.
        base_bias: (n_visible,) biases a of the independent units to start from, such as the training rows' own.
        betas: inverse temperatures from 0 to 1.
        chains: how many, all at once.
        rng: samples the states, on the RBM's device.
        document_length: (chains,) the documents' lengths, for counts.
    """
    path = _AnnealingPath(
        rbm, base_bias, rng, None if document_length is None else document_length[:, None].to(base_bias)
    )
    v = path.sample_base(chains)
    x = rbm.hidden_pre_activation(v)
    log_w = torch.zeros(chains, dtype=torch.float64, device=v.device)
    values = betas.tolist()
    for before, beta in with_progress(pairwise(values), len(values) - 1, "log Z, annealing"):
        log_w += path.log_ratio(v, x, beta, before)
        if beta < 1:
            v, x = path.step(v, x, beta)
    return path.base_log_partition() + log_w


def reverse_ais_log_weights(
    rbm: RBM, base_bias: Tensor, betas: Tensor, start: Tensor, rng: torch.Generator
) -> Tensor:
    """Return log Z_a - log w of chains that anneal from rows of the RBM to independent units, (chains,) float64.

    Their mean is at least log Z on average if `start` are exact samples of the RBM.

    Args:
        rbm: the RBM.
        base_bias: (n_visible,) biases a of the independent units to end at.
        betas: inverse temperatures from 0 to 1, taken in the reverse order.
        start: (chains, n_visible) rows to start from.
        rng: samples the states, on the RBM's device.
    """
    observation_counts = (
        rbm.visible_units.observation_counts(start) if rbm.visible_units.scales_hidden_bias else None
    )
    path = _AnnealingPath(rbm, base_bias, rng, observation_counts)
    v, x = start, rbm.hidden_pre_activation(start)
    log_w = torch.zeros(len(v), dtype=torch.float64, device=v.device)
    values = betas.flip(0).tolist()
    for before, beta in with_progress(pairwise(values), len(values) - 1, "log Z, annealing back"):
        log_w += path.log_ratio(v, x, beta, before)
        if beta > 0:
            v, x = path.step(v, x, beta)
    return path.base_log_partition() - log_w


def sample_rows(rbm: RBM, start: Tensor, steps: int, rng: torch.Generator) -> Tensor:
    """Return rows after steps that leave the RBM's distribution, shape of start: Gibbs steps but for dropout's."""
    if not rbm.config.dropout:
        return rbm.gibbs(start, steps, rng)
    path = _AnnealingPath(rbm, rbm.visible_bias, rng, rbm.visible_units.observation_counts(start))
    v, x = start, rbm.hidden_pre_activation(start)
    for _ in range(steps):
        v, x = path.step(v, x, 1.0)
    return v


def with_progress(steps: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yield the steps behind a progress bar, which is shown on a terminal alone."""
    from tqdm import tqdm

    return iter(tqdm(steps, total=total, desc=label, disable=not sys.stderr.isatty(), leave=False))
