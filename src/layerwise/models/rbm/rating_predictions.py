"""An RBM's predictions of ratings that were not given (Salakhutdinov, Mnih & Hinton 2007)."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.models.rbm.rbm import RBM

AT_A_TIME = 2000


def rating_probabilities(rbm: RBM, given: Tensor, rows: Tensor, groups: Tensor, levels: int) -> Tensor:
    """Return p(rating = k | the row's given ratings) exactly, shape (n, levels).

    p(v_g = k | V) ~ exp(b_gk) sum_h exp(h (c + V W + W_gk)) (equation 7).

    Args:
        rbm: softmax visible units, groups of `levels` each.
        given: (all rows, n_visible) one-hot ratings, zeros where there is none; a rating that is asked for must not be
            among them.
        rows: (n,) positions in `given`.
        groups: (n,) whose rating is asked for.
        levels: of a rating.
    """
    x = rbm.hidden_pre_activation(given)
    weight = rbm.weight.view(-1, levels, rbm.config.n_hidden)
    bias = rbm.visible_bias.view(-1, levels)
    found = []
    for row, group in zip(rows.split(AT_A_TIME), groups.split(AT_A_TIME), strict=True):
        inputs = (x[row][:, None] + weight[group]).flatten(0, 1)
        scores = rbm.log_hidden_sum(inputs).view(-1, levels)
        found.append((scores + bias[group]).softmax(1))
    return torch.cat(found)


def rated(inputs: Tensor, levels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the rows, the groups and the levels (from 0) of all ratings in one-hot rows, each (n,)."""
    rows, columns = inputs.nonzero(as_tuple=True)
    return rows, columns // levels, columns % levels
