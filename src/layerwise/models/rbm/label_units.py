"""An RBM as a classifier: label units beside the inputs (Larochelle & Bengio 2008; Larochelle et al. 2012)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.models.rbm.rbm import RBM


def with_labels(inputs: Tensor, classes: Tensor, n_classes: int) -> Tensor:
    """Return the rows with their labels as a last one-hot group, shape (rows, inputs + n_classes).

    Args:
        inputs: (rows, inputs).
        classes: (rows,) int64; a negative one is a missing label, and its group stays all zeros.
    """
    known = (
        functional.one_hot(classes.clamp_min(0), n_classes).to(inputs) * (classes >= 0).to(inputs)[:, None]
    )
    return torch.cat([inputs, known], 1)


def class_log_probabilities(rbm: RBM, inputs: Tensor, n_classes: int) -> Tensor:
    """Return log p(y | x) exactly, shape (rows, n_classes): -F(x, y) normalised over the classes.

    p(y | x) ~ exp(d_y) sum_h exp(h (c + x W + U_y)), whose sum over h has a closed form.

    Args:
        rbm: its last `n_classes` visible units are the label.
        inputs: (rows, inputs), without the label.
    """
    label_weight, label_bias = rbm.weight[-n_classes:], rbm.visible_bias[-n_classes:]
    blank = inputs.new_zeros(len(inputs), n_classes)
    x = rbm.hidden_pre_activation(torch.cat([inputs, blank], 1))
    scores = [
        rbm.log_hidden_sum(x + weight) + bias for weight, bias in zip(label_weight, label_bias, strict=True)
    ]
    return torch.stack(scores, 1).log_softmax(1)
