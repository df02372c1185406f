"""The pseudo-likelihood sum_i log p(v_i | all other units), exact for each row (Besag 1975)."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.models.rbm.rbm import RBM
from layerwise.models.rbm.units import Units, UnitsError


def has_pseudo_likelihood(rbm: RBM) -> bool:
    """Return whether the units have conditionals that can be normalised."""
    layout = rbm.visible_units.layout(rbm.config.n_visible)
    return all(units.has_pseudo_likelihood for units, _ in layout) and not (
        rbm.has_real_units and rbm.hidden_units.unbounded
    )


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
    layout = _checked_layout(rbm)
    if not all(bool(torch.isfinite(numbers).all()) for numbers in rbm.parameters()):
        return torch.full_like(v[:, 0], float("nan"))
    v = torch.cat([units.rounded(v[:, at]) for units, at in layout], 1)
    x = rbm.hidden_pre_activation(v)
    total = torch.zeros(len(v), dtype=v.dtype, device=v.device)
    for units, at in layout:
        total += units.log_pseudo_likelihood(
            rbm.log_hidden_sum, v[:, at], x, rbm.weight[at], rbm.visible_bias[at]
        )
    return total


def _checked_layout(rbm: RBM) -> list[tuple[Units, slice]]:
    if has_pseudo_likelihood(rbm):
        return rbm.visible_units.layout(rbm.config.n_visible)
    if rbm.has_real_units and rbm.hidden_units.unbounded:
        raise UnitsError(
            "Gaussian units with rectified hidden units have no pseudo-likelihood: no finite integral"
        )
    raise UnitsError(f"{rbm.config.visible} units have no pseudo-likelihood here; use the perplexity")
