"""The pseudo-likelihood sum_i log p(v_i | all other units), exact for each row (Besag 1975)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.models.rbm.rbm import RBM
from layerwise.models.rbm.units import (
    BernoulliUnits,
    GaussianUnits,
    GaussianVarianceUnits,
    MixedUnits,
    NoisyReLUUnits,
    SoftmaxUnits,
    Units,
    UnitsError,
)

# A trapezoid rule of half-sigma steps integrates a mixture of normals to the last bits of a float64.
STEPS_A_SIGMA = 2
BEYOND = 9  # sigmas on both sides of the outermost means
MOST_STEPS = 4000


def log_pseudo_likelihood(rbm: RBM, v: Tensor) -> Tensor:
    """Return log PL(v) in nats, shape (rows,), summed over units or groups of units.

    Bernoulli units: log sigmoid(F(v with v_i flipped) - F(v)); grey values are rounded first. Softmax units: over all
    states of the group. Gaussian units: the density of v_i, its normalisation by quadrature.

    Args:
        rbm: the model.
        v: (rows, n_visible).

    Raises:
        UnitsError: the visible units are counts, or Gaussian beside rectified hidden ones (a density that may have no
            finite integral).
    """
    parts = _parts(rbm)
    if not all(bool(torch.isfinite(numbers).all()) for numbers in rbm.parameters()):
        return torch.full_like(v[:, 0], float("nan"))
    v = torch.cat(
        [v[:, at].round() if isinstance(units, BernoulliUnits) else v[:, at] for units, at in parts], 1
    )
    x = rbm.hidden_pre_activation(v)
    total = torch.zeros(len(v), dtype=v.dtype, device=v.device)
    for units, at in parts:
        weight, bias = rbm.weight[at], rbm.visible_bias[at]
        if isinstance(units, BernoulliUnits):
            total += _bernoulli(rbm, v[:, at], x, weight, bias)
        elif isinstance(units, SoftmaxUnits):
            total += _softmax(rbm, units, v[:, at], x, weight, bias)
        else:
            total += _gaussian(rbm, units, v[:, at], x, weight, bias)
    return total


def _parts(rbm: RBM) -> list[tuple[Units, slice]]:
    units = rbm.visible_units
    found, start = [], 0
    if isinstance(units, MixedUnits):
        for kind, size in zip(units.kinds, units.sizes, strict=True):
            found.append((kind, slice(start, start + size)))
            start += size
    else:
        found = [(units, slice(0, rbm.config.n_visible))]
    if any(isinstance(kind, GaussianUnits | GaussianVarianceUnits) for kind, _ in found):
        if isinstance(rbm.hidden_units, NoisyReLUUnits):
            raise UnitsError(
                "Gaussian units with rectified hidden units have no pseudo-likelihood: no finite integral"
            )
    elif not all(isinstance(kind, BernoulliUnits | SoftmaxUnits) for kind, _ in found):
        raise UnitsError(f"{rbm.config.visible} units have no pseudo-likelihood here; use the perplexity")
    return found  # type: ignore[return-value]


def _bernoulli(rbm: RBM, v: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    total = torch.zeros(len(v), dtype=v.dtype, device=v.device)
    present = rbm.log_hidden_sum(x)
    for i in range(v.shape[1]):
        change = 1 - 2 * v[:, i]
        flipped = rbm.log_hidden_sum(torch.addr(x, change, weight[i])) + change * bias[i]
        total += functional.logsigmoid(present - flipped)
    return total


def _softmax(rbm: RBM, units: SoftmaxUnits, v: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    total = torch.zeros(len(v), dtype=v.dtype, device=v.device)
    observed, start = units.observed(v), 0
    for g, (size, rest) in enumerate(zip(units.groups, units.rest, strict=True)):
        at = slice(start, start + size)
        without = x - v[:, at] @ weight[at]
        scores = [rbm.log_hidden_sum(without + w) + b for w, b in zip(weight[at], bias[at], strict=True)]
        if rest:
            scores.append(rbm.log_hidden_sum(without))
        own = rbm.log_hidden_sum(x) + v[:, at] @ bias[at]
        total += (own - torch.stack(scores, 1).logsumexp(1)) * observed[:, g]
        start += size
    return total


def _gaussian(rbm: RBM, units: Units, v: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    variances = (
        units.log_variance.exp() if isinstance(units, GaussianVarianceUnits) else torch.ones_like(bias)
    )
    total = torch.zeros(len(v), dtype=v.dtype, device=v.device)
    present = rbm.log_hidden_sum(x)
    for i, (w, b, variance) in enumerate(zip(weight, bias, variances, strict=True)):
        sigma = float(variance.sqrt())
        # Given the others, v_i is a mixture of normals around b + W h, h between 0 and 1.
        low = float(b + w.clamp_max(0).sum()) - BEYOND * sigma
        high = float(b + w.clamp_min(0).sum()) + BEYOND * sigma
        n_steps = (high - low) / sigma * STEPS_A_SIGMA
        if not math.isfinite(n_steps):
            return torch.full_like(total, math.nan)
        n_points = min(int(n_steps) + 2, MOST_STEPS)
        points = torch.linspace(low, high, n_points, dtype=v.dtype, device=v.device)
        without = x - torch.outer(v[:, i], w) / variance
        scores = torch.stack(
            [
                rbm.log_hidden_sum(without + u / variance * w) - (u - b).square() / (2 * variance)
                for u in points
            ],
            1,
        )
        log_integral = scores.logsumexp(1) + torch.log(points[1] - points[0])
        total += present - (v[:, i] - b).square() / (2 * variance) - log_integral
    return total
