"""Label units beside an RBM's inputs: it classifies, and as the top of a stack it generates rows of a class.

Larochelle & Bengio (2008) and Larochelle et al. (2012); generation by clamped labels is Hinton, Osindero & Teh (2006).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.models.rbm.dbn import DBN
from layerwise.models.rbm.rbm import RBM
from layerwise.models.rbm.units import UnitBlock


def label_block(n_classes: int) -> UnitBlock:
    """Return the label's units as a block of mixed ones: a one-hot group."""
    return UnitBlock(kind="softmax", size=n_classes, groups=(n_classes,), rest=(False,))


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


def sample_of_classes(
    stack: DBN,
    label_rbm: RBM,
    classes: Tensor,
    n_classes: int,
    steps: int,
    rng: torch.Generator,
    start: Tensor | None = None,
) -> Tensor:
    """Sample a row of each class: Gibbs steps with clamped labels, then one pass down the stack.

    Args:
        stack: whose lower layers are gone down; its own top RBM is not used.
        label_rbm: an RBM of the stack's second-highest layer, with the label as its last `n_classes` units.
        classes: (n,) int64.
        n_classes: how many there are.
        steps: Gibbs steps.
        rng: samples the states, on the networks' device.
        start: (n, n_visible) rows whose activations start the chains; None starts from coin flips.

    Returns:
        The means of the visible units, (n, n_visible).
    """
    n_units = label_rbm.config.n_visible - n_classes
    if start is None:
        units = label_rbm.weight.new_empty(len(classes), n_units).uniform_(generator=rng).round_()
    else:
        units = stack.encode(start, len(stack.rbms) - 1)
    means = _means_given_classes(label_rbm, units, classes, n_classes, steps, rng)
    return stack.descend(means, rng)


def _means_given_classes(
    rbm: RBM, units: Tensor, classes: Tensor, n_classes: int, steps: int, rng: torch.Generator
) -> Tensor:
    """Run Gibbs steps of Bernoulli units (n, n_units) whose label stays; return the units' last means.

    A label that stays adds the same to its hidden units at each step: it is added to their biases once, and no step
    samples it.
    """
    n_units = units.shape[1]
    weight = rbm.weight[:n_units].contiguous()
    hidden_bias = rbm.hidden_bias + rbm.weight[n_units:][classes]
    visible_bias = rbm.visible_bias[:n_units]
    (visible_units, _), _ = rbm.visible_units.layout(n_units + n_classes)
    x, y, v = torch.empty_like(hidden_bias), torch.empty_like(units), units.clone()
    h, noise, visible_noise = torch.empty_like(x), torch.empty_like(x), torch.empty_like(y)
    for _ in range(steps + 1):
        torch.addmm(hidden_bias, v, weight, out=x)
        rbm.hidden_units.activate_(x, h, noise, rng)
        torch.addmm(visible_bias, h, weight.t(), out=y)
        visible_units.activate_(y, v, visible_noise, rng)
    return y
