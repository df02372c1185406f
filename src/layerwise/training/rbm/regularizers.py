"""What keeps an RBM from overfitting beside weight decay: dropout, and a target of the hidden units' activation."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.models.rbm import RBM
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings
from layerwise.utils import ranks


def dropout_mask(rbm: RBM, n: int, rng: torch.Generator) -> Tensor | None:
    """Sample which hidden units each row keeps (Srivastava et al. 2014, section 8).

    Args:
        rbm: its config says the fraction that is left out.
        n: rows.
        rng: samples, on the RBM's device.

    Returns:
        True where a unit is kept, shape (n, n_hidden); None without dropout.
    """
    shape = rbm.config
    if not shape.dropout:
        return None
    # A group of categorical units is left out as a whole: without its unit it would have no state.
    size = shape.hidden_group_size if shape.hidden == "categorical" else 1
    draws = ranks.uniform_(rbm.weight.new_empty(n, shape.n_hidden // size), rng)
    mask = draws.ge_(shape.dropout)
    return mask if size == 1 else mask.repeat_interleave(size, 1)


def sparsity_push(
    settings: ContrastiveDivergenceSettings,
    rate: float,
    mean_activation: Tensor,
    v: Tensor,
    positive: Tensor,
    mask: Tensor | None,
) -> tuple[Tensor, Tensor] | None:
    """Return the mean row and r cost (target - running mean activation) of each hidden unit (Hinton 2010, section 11).

    Their outer product is added to the weights' velocity, the second to that of the hidden biases. A unit's mean is
    over the rows that kept it; one that all rows left out keeps the running mean it has.

    Args:
        settings: the target, its cost and the decay of what is remembered.
        rate: r, of the epoch.
        mean_activation: (n_hidden,) the running mean, which is updated.
        v: (n, n_visible) the batch.
        positive: (n, n_hidden) its mean hidden activations, 0 where dropped.
        mask: what each row kept; None without dropout.

    Returns:
        (n_visible,) and (n_hidden,); None without a target.
    """
    if settings.sparsity_target is None:
        return None
    activation = ranks.batch_mean(positive)
    if mask is not None:
        kept, total = mask.sum(0), positive.sum(0)
        ranks.all_reduce([kept, total])
        activation = torch.where(kept > 0, total / kept, mean_activation)
    mean_activation.lerp_(activation, 1 - settings.sparsity_decay)
    return ranks.batch_mean(v), (settings.sparsity_target - mean_activation).mul_(
        settings.sparsity_cost * rate
    )
