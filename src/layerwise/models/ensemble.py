"""An ensemble in one network: members that share the weights and differ in scales, biases and heads.

Gorishniy, Kotelnikov & Babenko 2025, "TabM: advancing tabular deep learning with parameter-efficient ensembling", on
the layers of Wen, Tran & Ba 2020, "BatchEnsemble".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.models.layers import Linear
from layerwise.utils import Config


class EnsembleConfig(Config):
    """How many members an ensemble has, and what of their outputs is averaged.

    `sigmoid` and `softmax` average probabilities, and return the logits of the means; `values` averages the outputs.
    """

    members: int
    combine: Literal["sigmoid", "softmax", "values"] = "values"


class EnsembleLinear(Linear):
    """A linear layer that all members share, with scales and a bias of each member's own.

    Member k computes s_k * (W (r_k * x)) + b_k (BatchEnsemble, equation 5; TabM, section 3.3). Rows come with their
    members one after the other, (rows * members, n_inputs).

    A first layer's rows are those of all members alike. There r_k * x need not be made for each member, nor its
    gradient for each row: the weights are scaled, which are fewer numbers, and all members are one product.

    Args:
        members: how many.
        n_inputs, n_outputs: of the layer.
        bias: whether each member has one.
        first: whether a row comes once, (rows, n_inputs), and not once a member.
    """

    def __init__(
        self, members: int, n_inputs: int, n_outputs: int, bias: bool = True, first: bool = False
    ) -> None:
        super().__init__(n_inputs, n_outputs, bias=bias)
        self.first = first
        if bias:
            self.bias = nn.Parameter(torch.zeros(members, n_outputs))
        self.input_scales = nn.Parameter(torch.ones(members, n_inputs))
        self.output_scales = nn.Parameter(torch.ones(members, n_outputs))

    def sample_input_scales(self, input_of: Sequence[int], rng: torch.Generator) -> None:
        """Start the members apart: each scales an input, with all that is embedded of it, by one normal number.

        Args:
            input_of: for each of the layer's inputs, the column that it comes from.
            rng: samples them.
        """
        scales = torch.randn(len(self.input_scales), max(input_of) + 1, generator=rng)
        with torch.no_grad():
            self.input_scales.copy_(scales[:, list(input_of)])

    def forward(self, x: Tensor) -> Tensor:
        """Return (rows * members, n_outputs) of (rows * members, n_inputs), of a first layer of (rows, n_inputs)."""
        members = len(self.input_scales)
        if self.first:
            weights = (self.weight * self.input_scales[:, None]).flatten(0, 1)
            products = functional.linear(x, weights).unflatten(1, (members, -1))
        else:
            scaled = (x.unflatten(0, (-1, members)) * self.input_scales).flatten(0, 1)
            products = functional.linear(scaled, self.weight).unflatten(0, (-1, members))
        outputs = products * self.output_scales
        return (outputs if self.bias is None else outputs + self.bias).flatten(0, 1)


class HeadsLinear(Linear):
    """A linear layer of each member's own: weights (members, n_outputs, n_inputs).

    Args:
        members: how many.
        n_inputs, n_outputs: of the layer.
    """

    def __init__(self, members: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__(n_inputs, n_outputs)
        self.weight = nn.Parameter(torch.zeros(members, n_outputs, n_inputs))
        self.bias = nn.Parameter(torch.zeros(members, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (rows * members, n_outputs) of inputs (rows * members, n_inputs)."""
        of_members = x.unflatten(0, (-1, len(self.weight))).transpose(0, 1)
        return torch.baddbmm(self.bias[:, None], of_members, self.weight.mT).transpose(0, 1).flatten(0, 1)


def combine_members(outputs: Tensor, config: EnsembleConfig) -> Tensor:
    """Return what the members say together, (rows, n_outputs).

    Args:
        outputs: (rows * members, n_outputs), a row's members one after the other.
        config: of the ensemble.
    """
    outputs = outputs.unflatten(0, (-1, config.members))
    if config.combine == "values":
        return outputs.mean(1)
    if config.combine == "softmax":
        return outputs.log_softmax(-1).logsumexp(1) - math.log(config.members)
    # The logit of the mean probability, log sum p - log sum (1 - p): no probability is rounded to 1.
    return functional.logsigmoid(outputs).logsumexp(1) - functional.logsigmoid(-outputs).logsumexp(1)
