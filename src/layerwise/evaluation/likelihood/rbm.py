"""Log-probabilities of rows under an RBM in nats, with their uncertainty."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from layerwise.data.transforms import binarize_once
from layerwise.evaluation.likelihood.ais import (
    ais_log_weights,
    annealing_schedule,
    reverse_ais_log_weights,
    sample_rows,
)
from layerwise.evaluation.likelihood.finite import finite
from layerwise.evaluation.likelihood.partition import (
    LogPartition,
    LowerBound,
    exact_log_partition,
    log_partition_interval,
)
from layerwise.models.rbm import DBM, RBM, log_pseudo_likelihood, number_of_states, rbm_sites
from layerwise.utils import Config, setting, torch_rng

# Sums over more states than this are slower than annealing.
MAX_EXACT_UNITS = 18
# Test rows whose pseudo-likelihood is computed.
PSEUDO_LIKELIHOOD_ROWS = 200
# What an interval of log Z without an upper end means.
MISSED_MODE = (
    "Annealing found a larger log Z than the chains that anneal back allow: training rows miss a mode of this model, "
    "and log Z has no upper bound"
)


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

    def _without_use(self) -> list[str]:
        annealing = ("chains", "temperatures", "reverse_steps") if self.method == "exact" else ()
        return [f"method: exact has no use for {name}" for name in annealing if self.changed(name)]


class LogProbability(Config):
    """Mean log-probability of rows in nats: `low` and `high` from log Z's interval, `standard_error` over rows.

    It is None of a single row. Where log Z has no upper bound, `low` is minus infinity and `midpoint` is `high`.
    """

    low: LowerBound
    high: float
    midpoint: float
    standard_error: float | None
    n_rows: int

    def __str__(self) -> str:
        return f"{self.midpoint:.2f} nats (between {self.low:.2f} and {self.high:.2f} by log Z's interval)"

    @classmethod
    def of(cls, values: Tensor, partition: LogPartition) -> LogProbability:
        """Return the mean of rows' log-probabilities, or of bounds on them, that still lack log Z, (n,) float64.

        Raises:
            LikelihoodError: it is not finite.
        """
        mean, n = float(values.mean()), len(values)
        standard_error = float(values.std() / math.sqrt(n)) if n > 1 else None
        low = mean - partition.high
        high = finite(mean - partition.low, "the mean log-probability of the rows")
        midpoint = (low + high) / 2 if math.isfinite(low) else high
        return cls(low=low, high=high, midpoint=midpoint, standard_error=standard_error, n_rows=n)


class RBMLikelihood(Config):
    """What an RBM makes of rows, in nats: log Z, their mean log-probability, and the pseudo-likelihood of test rows.

    `is_sampled` says that grey pixels were binarized by one draw.
    """

    log_partition: LogPartition
    log_probability: dict[Literal["test", "training"], LogProbability]
    pseudo_likelihood: float
    is_sampled: bool

    def metrics(self) -> dict[str, float]:
        """Return the numbers under the names that a run logs; a bound that is not there has none."""
        test = self.log_probability["test"]
        found = {
            "test/log_prob": test.midpoint,
            "test/log_prob_low": test.low,
            "test/log_prob_high": test.high,
            "test/pseudo_likelihood": self.pseudo_likelihood,
            "log_partition": self.log_partition.midpoint,
        }
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def __str__(self) -> str:
        test, training = self.log_probability["test"], self.log_probability["training"]
        if not self.log_partition.is_bounded:
            return f"Log-probability of a test row: at most {test.high:.2f} nats. {MISSED_MODE}"
        return (
            f"Log-probability of a test row ({self.log_partition.method}): {test.midpoint:.2f} nats, between "
            f"{test.low:.2f} and {test.high:.2f}; of a training row {training.midpoint:.2f}"
        )


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


def log_probability(
    network: RBM | DBM, rows: Tensor, partition: LogPartition, at_a_time: int = 2000
) -> LogProbability:
    """Return the mean over rows (n, n_visible) of log p(v), of a deep Boltzmann machine of the mean-field bound."""
    values = [network.bound(part) for part in rows.split(at_a_time)]
    return LogProbability.of(torch.cat(values), partition)


def rbm_likelihood(
    rbm: RBM, training: Tensor, test: Tensor, settings: LikelihoodSettings, seed: int, *, images: bool
) -> RBMLikelihood:
    """Return log Z and the rows' log-probabilities; grey values of Bernoulli units are binarized by one draw.

    Args:
        rbm: on the device to compute on; its hidden units are not rectified ones, which have no likelihood here.
        training: (n, n_visible), of which as many rows are evaluated as there are test rows.
        test: (m, n_visible).
        settings: how log Z is computed.
        seed: of the run.
        images: whether the rows are.
    """
    device = rbm.weight.device
    pixel_rng = torch_rng(seed, "likelihood", "ink")
    if rbm.visible_units.binary:  # which give a probability to binary rows alone
        training, test = (binarize_once(rows, pixel_rng) for rows in (training, test))
    known, new = training.to(device), test.to(device)
    partition = log_partition(rbm, known, settings, torch_rng(seed, "likelihood", "states", device=device))
    return RBMLikelihood(
        log_partition=partition,
        log_probability={
            "test": log_probability(rbm, new, partition),
            "training": log_probability(rbm, known[: len(new)], partition),
        },
        pseudo_likelihood=finite(
            float(log_pseudo_likelihood(rbm, new[:PSEUDO_LIKELIHOOD_ROWS]).mean()), "the pseudo-likelihood"
        ),
        is_sampled=images,
    )
