"""Log-probabilities of rows under an RBM in nats, with their uncertainty."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Literal

import torch
from pydantic import model_validator
from torch import Tensor

from layerwise.evaluation.likelihood.ais import (
    ais_log_weights,
    annealing_schedule,
    reverse_ais_log_weights,
    sample_rows,
)
from layerwise.evaluation.likelihood.partition import (
    LogPartition,
    exact_log_partition,
    log_partition_interval,
)
from layerwise.models.rbm import RBM, number_of_states, rbm_sites
from layerwise.utils import Config, setting

# Sums over more states than this are slower than annealing.
MAX_EXACT_UNITS = 18


class LikelihoodSettings(Config):
    """How the logarithm of the partition function Z is computed."""

    method: Literal["auto", "exact", "ais", "none"] = setting(
        "auto",
        "sum over all states, or annealed importance sampling; auto: sum up to 18 binary units on the smaller side",
    )
    chains: int = setting(100, "annealed chains of each start", "more for a narrower interval", "exact", ge=2)
    temperatures: int = setting(2000, "steps of the annealing", "10000 for a report", "exact", ge=3)
    reverse_steps: int = setting(
        1000, "Gibbs steps from training rows to the rows that annealing goes back from", "", "exact", ge=0
    )

    @model_validator(mode="after")
    def _everything_has_a_use(self) -> LikelihoodSettings:
        if self.method == "exact":
            for name in ("chains", "temperatures", "reverse_steps"):
                if self.changed(name):
                    raise ValueError(f"method: exact has no use for {name}")
        return self


@dataclass(frozen=True)
class LogProbability:
    """Mean log-probability of rows in nats: `low` and `high` from log Z's interval, `standard_error` over rows.

    `low` is minus infinity where log Z has no upper bound.
    """

    low: float
    high: float
    standard_error: float
    n_rows: int

    @property
    def midpoint(self) -> float:
        """The middle of the interval; its upper end where it has no lower one."""
        return (self.low + self.high) / 2 if math.isfinite(self.low) else self.high


def log_partition(
    rbm: RBM, training: Tensor, settings: LikelihoodSettings, rng: torch.Generator
) -> LogPartition:
    """Return log Z, exact or as an interval.

    AIS starts from units of the training rows' biases and from those of none, as many chains each; the second start
    finds modes that the rows miss.

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
    start = sample_rows(rbm, training[sampled_rows], settings.reverse_steps, rng)
    backward = reverse_ais_log_weights(rbm, base, betas, start, rng)
    from_zero = ais_log_weights(rbm, torch.zeros_like(base), betas, settings.chains, rng)
    interval = log_partition_interval([forward, from_zero], backward)
    return replace(interval, seconds=time.perf_counter() - began)


def log_probability(rbm: RBM, rows: Tensor, partition: LogPartition, at_a_time: int = 2000) -> LogProbability:
    """Return the mean over rows (n, n_visible) of log p(v) = -F(v) - log Z."""
    values = torch.cat([-rbm.free_energy(part).double() for part in rows.split(at_a_time)])
    mean, standard_error = float(values.mean()), float(values.std() / math.sqrt(len(values)))
    return LogProbability(mean - partition.high, mean - partition.low, standard_error, len(rows))
