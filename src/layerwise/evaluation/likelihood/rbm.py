"""Log-probabilities of rows under an RBM or a DBN in nats, with their uncertainty."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from layerwise.evaluation.likelihood.ais import ais_log_weights, annealing_schedule, reverse_ais_log_weights
from layerwise.evaluation.likelihood.partition import (
    LogPartition,
    exact_log_partition,
    log_partition_interval,
)
from layerwise.models.rbm import DBN, RBM, number_of_states, rbm_sites
from layerwise.utils import Config, setting

# Sums over more states than this are slower than annealing.
MAX_EXACT_UNITS = 18


class LikelihoodSettings(Config):
    """How the logarithm of the partition function Z is computed."""

    method: Literal["auto", "exact", "ais", "none"] = setting(
        "auto",
        "sum over all states, or annealed importance sampling; auto: sum up to 18 binary units on the smaller side",
    )
    chains: int = setting(100, "annealed chains, each way", "more for a narrower interval", "exact", ge=2)
    temperatures: int = setting(2000, "steps of the annealing", "10000 for a report", "exact", ge=3)
    reverse_steps: int = setting(
        1000, "Gibbs steps from training rows to the rows that annealing goes back from", "", "exact", ge=0
    )


@dataclass(frozen=True)
class LogProbability:
    """Mean log-probability of rows in nats: `low` and `high` from log Z's interval, `standard_error` over rows."""

    low: float
    high: float
    standard_error: float
    n_rows: int

    @property
    def midpoint(self) -> float:
        """The middle of the interval."""
        return (self.low + self.high) / 2


def log_partition(
    rbm: RBM, training: Tensor, settings: LikelihoodSettings, rng: torch.Generator
) -> LogPartition:
    """Return log Z, exact or as an interval.

    Args:
        rbm: the RBM; its visible units are no counts (Z of documents depends on their length: see `partition`).
        training: (n, n_visible) rows, for the biases of the units to anneal from and the chains to anneal back from.
        settings: the method and its lengths.
        rng: samples the states, on the RBM's device.
    """
    began = time.perf_counter()
    states = min(number_of_states(sites) for sites in rbm_sites(rbm))
    if settings.method == "exact" or (settings.method == "auto" and states <= 2**MAX_EXACT_UNITS):
        value = exact_log_partition(rbm)
        return LogPartition("exact", value, value, seconds=time.perf_counter() - began)
    base, betas = rbm.visible_units.initial_bias(training), annealing_schedule(settings.temperatures)
    forward = ais_log_weights(rbm, base, betas, settings.chains, rng)
    sampled_rows = torch.randint(len(training), (settings.chains,), generator=rng, device=training.device)
    start = rbm.gibbs(training[sampled_rows], settings.reverse_steps, rng)
    backward = reverse_ais_log_weights(rbm, base, betas, start, rng)
    return replace(log_partition_interval(forward, backward), seconds=time.perf_counter() - began)


def log_probability(rbm: RBM, rows: Tensor, partition: LogPartition, at_a_time: int = 2000) -> LogProbability:
    """Return the mean over rows (n, n_visible) of log p(v) = -F(v) - log Z."""
    values = torch.cat([-rbm.free_energy(part).double() for part in rows.split(at_a_time)])
    mean, standard_error = float(values.mean()), float(values.std() / math.sqrt(len(values)))
    return LogProbability(mean - partition.high, mean - partition.low, standard_error, len(rows))


def variational_bound(
    dbn: DBN, rows: Tensor, log_z: float, rng: torch.Generator, samples: int = 20
) -> Tensor:
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
