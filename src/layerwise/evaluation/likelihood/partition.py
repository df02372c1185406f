"""The partition function of an RBM: exact, or between two annealed estimates.

Annealed importance sampling (`ais`) gives an estimate of log Z that is low on average (Jensen), and so overestimates
the rows' log-probability. Annealing the other way, from rows of the RBM to independent units (Burda, Grosse &
Salakhutdinov 2015), gives one that is high on average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.evaluation.likelihood.ais import with_progress
from layerwise.models.rbm import AT_A_TIME, RBM, number_of_states, rbm_sites, slices_of_states
from layerwise.models.rbm.units import UnitsError

MAX_ENUMERATED_UNITS = 25
# The normal quantile of a 95 % interval.
Z_95 = 1.96


def exact_log_partition(rbm: RBM, document_length: int = 1) -> float:
    """Return log Z by a sum over all states of the smaller layer, in nats.

    Args:
        rbm: the RBM.
        document_length: the words of a document, for count units.

    Raises:
        UnitsError: neither layer can be enumerated within 2^25 states.
    """
    visible, hidden = rbm_sites(rbm)
    over_hidden = number_of_states(hidden) <= number_of_states(visible)
    sites = hidden if over_hidden else visible
    if sites is None or number_of_states(sites) > 2**MAX_ENUMERATED_UNITS:
        raise UnitsError(
            f"log Z can be summed up to {MAX_ENUMERATED_UNITS} binary units on the smaller side, and this RBM has "
            f"{rbm.config.n_visible} visible and {rbm.config.n_hidden} hidden ones; use annealed importance sampling"
        )
    total = torch.tensor(-math.inf, dtype=torch.float64, device="cpu")
    length = int(number_of_states(sites)) // AT_A_TIME + 1
    for states in with_progress(slices_of_states(sites, rbm.weight), length, "log Z, all states"):
        if over_hidden:
            pre_activation = rbm.visible_pre_activation(states)
            log_z_visible = rbm.visible_units.log_partition(pre_activation, rbm.visible_bias)
            log_p = document_length * (states @ rbm.hidden_bias + log_z_visible)
        else:
            log_p = -rbm.free_energy(states)
        total = torch.logaddexp(total, log_p.double().logsumexp(0).cpu())
    return float(total)


@dataclass(frozen=True)
class LogPartition:
    """log Z in nats: exact, or an interval between AIS and reverse AIS.

    `ais` and `reverse` are the logarithms of the means of the weights, `ais_mean` and `reverse_mean` the means of
    their logarithms, `log_weight_std` the standard deviation of the forward log weights, `ais_error` and
    `reverse_error` standard errors; all None where log Z is exact.
    """

    method: str
    low: float
    high: float
    ais: float | None = None
    ais_error: float | None = None
    ais_mean: float | None = None
    reverse: float | None = None
    reverse_error: float | None = None
    reverse_mean: float | None = None
    log_weight_std: float | None = None
    seconds: float = 0.0

    @property
    def midpoint(self) -> float:
        """The middle of the interval."""
        return (self.low + self.high) / 2


def log_partition_interval(forward: Tensor, backward: Tensor) -> LogPartition:
    """Return the interval from AIS less 1.96 standard errors to reverse AIS plus 1.96 standard errors.

    Args:
        forward: (chains,) log weights of `ais_log_weights`.
        backward: (chains,) log weights of `reverse_ais_log_weights`.
    """
    ais, ais_error = _log_mean(forward)
    negative, reverse_error = _log_mean(-backward)
    return LogPartition(
        method="ais",
        low=ais - Z_95 * ais_error,
        high=-negative + Z_95 * reverse_error,
        ais=ais,
        ais_error=ais_error,
        ais_mean=float(forward.mean()),
        reverse=-negative,
        reverse_error=reverse_error,
        reverse_mean=float(backward.mean()),
        log_weight_std=float(forward.std()),
    )


def _log_mean(log_weights: Tensor) -> tuple[float, float]:
    """Return log mean w and its standard error by the delta method."""
    n = len(log_weights)
    log_mean = log_weights.logsumexp(0) - math.log(n)
    relative = (log_weights - log_mean).exp()
    return float(log_mean), float(relative.std() / math.sqrt(n))
