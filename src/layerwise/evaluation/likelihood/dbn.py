"""Lower bounds on log-probabilities of rows under a deep belief network and a deep Boltzmann machine, in nats."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.evaluation.likelihood.partition import LogPartition
from layerwise.evaluation.likelihood.rbm import (
    MISSED_MODE,
    LikelihoodSettings,
    LogProbability,
    log_partition,
    log_probability,
)
from layerwise.models.rbm import DBM, DBN
from layerwise.models.rbm.units import UnitsError
from layerwise.utils import Config

# Training rows that log Z is annealed from and back from.
KNOWN_ROWS = 2000


class StackLikelihood(Config):
    """What a deep network makes of rows, in nats: log Z of its top RBM, or of all its layers, and the mean bound."""

    log_partition: LogPartition
    bound: LogProbability

    def __str__(self) -> str:
        if self.log_partition.is_bounded:
            return f"Log-probability of a test row under the stack is at least {self.bound}"
        return f"The bound of a test row under the stack is {self.bound.high:.2f} nats or less. {MISSED_MODE}"


def bound_log_probability(
    dbn: DBN, training: Tensor, rows: Tensor, settings: LikelihoodSettings, rng: torch.Generator
) -> StackLikelihood:
    """Return the mean of `variational_bound` over rows, with the interval of the top RBM's log Z.

    Args:
        dbn: the network.
        training: (m, n_visible) rows that it learnt from, binary for Bernoulli units.
        rows: (n, n_visible) others.
        settings: how log Z is computed.
        rng: samples the hidden states, on the DBN's device.

    Raises:
        UnitsError: the stack was trained with dropout: its RBMs are geometric means of thinned ones, and no conditional
            distributions to go down by.
    """
    if dbn.config.dropout:
        raise UnitsError(
            "a stack that was trained with dropout has no likelihood of its own, and so no bound"
        )
    *lower, top = dbn.rbm_layers()
    known = training[torch.randperm(len(training), generator=rng, device=rng.device)[:KNOWN_ROWS]]
    for rbm in lower:
        known = rbm.sample_hidden(known, rng)
    log_z = log_partition(top, known, settings, rng)
    bound = LogProbability.of(variational_bound(dbn, rows, 0.0, rng), log_z)
    return StackLikelihood(log_partition=log_z, bound=bound)


def bound_log_probability_of_dbm(
    dbm: DBM, training: Tensor, rows: Tensor, settings: LikelihoodSettings, rng: torch.Generator
) -> StackLikelihood:
    """Return the mean of the mean-field bound over rows, with the interval of log Z of all layers.

    Args:
        dbm: the Boltzmann machine.
        training: (m, n_visible) binary rows that it learnt from.
        rows: (n, n_visible) others.
        settings: how log Z is computed.
        rng: samples the states, on the DBM's device.
    """
    known = training[torch.randperm(len(training), generator=rng, device=rng.device)[:KNOWN_ROWS]]
    known = torch.bernoulli(dbm.complete(known), generator=rng)
    log_z = log_partition(dbm.joint, known, settings, rng)
    return StackLikelihood(log_partition=log_z, bound=log_probability(dbm, rows, log_z))


def variational_bound(dbn: DBN, rows: Tensor, log_z: float, rng: torch.Generator, samples: int = 5) -> Tensor:
    """Return a lower bound on each row's log-probability under a deep belief network, (n,) float64; nats.

    log p(v) >= E_q [log p(v | h_1) + ... - F(h_top) - log Z - log q(h_1 | v) - ...], with the RBMs' own p(h | v) as q,
    by a mean over samples of it (Salakhutdinov & Murray 2008, section 4).

    Args:
        dbn: the network.
        rows: (n, n_visible), binary for Bernoulli units.
        log_z: of the top RBM, nats.
        rng: samples the hidden states, on the DBN's device.
        samples: of q, for each row.
    """
    *lower, top = dbn.rbm_layers()
    total = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
    for _ in range(samples if lower else 1):
        v = rows
        for rbm in lower:
            pre_activation = rbm.hidden_pre_activation(v)
            h = rbm.hidden_units.sample_from_pre_activation(pre_activation, rng)
            total += rbm.hidden_units.loss(pre_activation, h).double()  # -log q
            total -= rbm.visible_units.loss(rbm.visible_pre_activation(h), v).double()
            total -= rbm.visible_units.loss_constant(rbm.config.n_visible)
            v = h
        total -= top.free_energy(v).double()
    return total / (samples if lower else 1) - log_z
