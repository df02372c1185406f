"""The partition function of an RBM: exact, or between two annealed estimates.

Annealed importance sampling (`ais`) gives an estimate of log Z that is low on average (Jensen), and so overestimates
the rows' log-probability. Annealing the other way, from rows of the RBM to independent units (Burda, Grosse &
Salakhutdinov 2015), gives one that is high on average. Both together are bidirectional Monte Carlo (Grosse, Ghahramani
& Adams 2015), whose upper bound holds for exact samples of the RBM alone. Gibbs steps from training rows are not: where
these miss a mode, both directions miss it and agree on a wrong value. So annealing also starts at units that know
nothing of the rows; the start that finds more counts, and where it finds more than the way back allows, there is no
upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated

import torch
from pydantic import BeforeValidator, PlainSerializer
from torch import Tensor

from layerwise.evaluation.likelihood.ais import with_progress
from layerwise.models.rbm import AT_A_TIME, RBM, number_of_states, rbm_sites, slices_of_states
from layerwise.models.rbm.units import UnitsError

MAX_ENUMERATED_UNITS = 25
# The normal quantile of a 95 % interval.
Z_95 = 1.96
# A bound that may be missing: infinite in Python, null in JSON, which has no infinity.
_AsNull = PlainSerializer(lambda v: v if math.isfinite(v) else None, float | None, when_used="json")
UpperBound = Annotated[float, BeforeValidator(lambda v: math.inf if v is None else v), _AsNull]
LowerBound = Annotated[float, BeforeValidator(lambda v: -math.inf if v is None else v), _AsNull]
# Nats: sums in float32 differ by so much.
ROUNDING = 1e-3


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

    `high` is infinite where the chains back started at no rows of the RBM: AIS found more than they allow.

    `ais` and `reverse` are the logarithms of the means of the weights, `ais_mean` and `reverse_mean` the means of
    their logarithms, `log_weight_std` the standard deviation of the forward log weights, `ais_error` and
    `reverse_error` standard errors; all None where log Z is exact.
    """

    method: str
    low: float
    high: UpperBound
    ais: float | None = None
    ais_error: float | None = None
    ais_mean: float | None = None
    reverse: float | None = None
    reverse_error: float | None = None
    reverse_mean: float | None = None
    log_weight_std: float | None = None
    seconds: float = 0.0

    @property
    def is_bounded(self) -> bool:
        """True when there is an upper bound."""
        return math.isfinite(self.high)

    @property
    def midpoint(self) -> float:
        """The middle of the interval; AIS's own estimate where it has no upper bound."""
        if self.ais is not None and not self.is_bounded:
            return self.ais
        return (self.low + self.high) / 2


def log_partition_interval(starts: Sequence[Tensor], backward: Tensor) -> LogPartition:
    """Return the interval from AIS to reverse AIS, both less and plus the standard errors of a 95 % interval.

    Each start bounds log Z from below on its own, so the highest bound is taken, at a level divided by their number. (A
    mean of their estimates would lose log 2 where one start misses what the other one finds.) If it is above the other
    end, the interval has no upper bound: see `LogPartition`.

    Args:
        starts: (chains,) log weights of `ais_log_weights`, for each start.
        backward: (chains,) log weights of `reverse_ais_log_weights`.
    """
    width = NormalDist().inv_cdf(1 - 0.025 / len(starts))
    means = [_log_mean(log_weights) for log_weights in starts]
    best = max(range(len(starts)), key=lambda k: means[k][0] - width * means[k][1])
    (ais, ais_error), forward = means[best], starts[best]
    negative, reverse_error = _log_mean(-backward)
    low, high = ais - width * ais_error, -negative + Z_95 * reverse_error
    return LogPartition(
        method="ais",
        low=low,
        high=max(low, high) if low <= high + ROUNDING else math.inf,
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
