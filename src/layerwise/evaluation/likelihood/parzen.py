"""The Parzen window estimate of a log-likelihood: for comparison with older papers.

Goodfellow et al. 2014 and many after them put a Gaussian window on each sample and call the mean log-density of test
rows a likelihood. In hundreds of dimensions it says little (Theis et al. 2016): samples that are cluster centres score
above the training rows themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# Candidates for the window's standard deviation; the best one is chosen on validation rows.
SIGMAS = (0.08, 0.1, 0.12, 0.14, 0.155, 0.17, 0.185, 0.2, 0.22, 0.25, 0.3, 0.4)


class Parzen(NamedTuple):
    """The mean log-density of test rows in nats, its standard error, and the window's standard deviation."""

    log_likelihood: float
    standard_error: float
    sigma: float


def parzen_log_density(
    samples: Tensor, rows: Tensor, sigmas: Sequence[float], at_a_time: int = 500
) -> Tensor:
    """Return log (1/n) sum_i N(x; sample_i, sigma^2 I) of every row for every sigma, in nats.

    Args:
        samples: (n, d) centres of the windows.
        rows: (m, d).
        sigmas: standard deviations of the windows.
        at_a_time: rows whose distances to all samples are held at once.

    Returns:
        (sigmas, m)
    """
    n, d = samples.shape
    lengths, parts = samples.square().sum(1), []
    for some in rows.split(at_a_time):
        squares = (some.square().sum(1, keepdim=True) + lengths - 2 * some @ samples.T).clamp_min(0).double()
        each = [
            torch.logsumexp(squares / (-2 * s * s), 1) - math.log(n) - d / 2 * math.log(2 * math.pi * s * s)
            for s in sigmas
        ]
        parts.append(torch.stack(each))
    return torch.cat(parts, dim=1)


def parzen_log_likelihood(samples: Tensor, validation: Tensor, test: Tensor) -> Parzen:
    """Choose sigma by the validation rows' mean log-density, then evaluate the test rows with it once.

    Args:
        samples: (n, d) centres of the windows.
        validation: (m, d) rows to choose sigma by.
        test: (k, d) rows.
    """
    best = SIGMAS[int(parzen_log_density(samples, validation, SIGMAS).mean(1).argmax())]
    log_density = parzen_log_density(samples, test, [best])[0]
    standard_error = float(log_density.std() / math.sqrt(len(log_density)))
    return Parzen(float(log_density.mean()), standard_error, best)
