"""Word counts: the replicated softmax (Salakhutdinov & Hinton 2009)."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.data import DataSpec
from layerwise.models.rbm.units.base import Units, UnitsError, register_units


@register_units(visible="counts")
class ReplicatedSoftmaxUnits(Units):
    """A row is a document's word counts v with D = sum_k v_k words.

    E(v, h) = -b . v - D c . h - v W h: every word is a softmax unit with the same weights, and the hidden biases
    count once a word. Probabilities are of ordered documents; a bag of words has D! / prod_k v_k! of them.
    The observation count is D, shape (rows, 1).
    """

    scales_hidden_bias = True

    @classmethod
    def suits(cls, columns: DataSpec) -> bool:
        """Return whether all columns are counts."""
        return {block.kind for block in columns.blocks} == {"count"}

    def mean(self, x: Tensor, observation_counts: Tensor | None = None) -> Tensor:
        """Return D softmax(x), shape of x; of a single word without observation counts."""
        p = x.softmax(1)
        return p if observation_counts is None else p * observation_counts

    def sample(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """Sample D words a row, D being the mean's sum; shape of mean."""
        ends = mean.double().cumsum(1)
        totals = ends[:, -1:]
        lengths = totals.round().long()
        longest = int(lengths.max())
        u = torch.empty(len(mean), longest, dtype=ends.dtype, device=mean.device).uniform_(generator=rng)
        words = torch.searchsorted(ends, u * totals, right=True).clamp_max_(mean.shape[1] - 1)
        in_document = torch.arange(longest, device=mean.device) < lengths
        return torch.zeros_like(mean).scatter_add_(1, words, in_document.to(mean.dtype))

    def log_partition(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return log sum_k exp(x_k), shape (rows,): of one word; D times that of a document."""
        return x.logsumexp(1)

    def loss(self, x: Tensor, v: Tensor) -> Tensor:
        """Return -sum_k v_k log p_k, shape (rows,); nats a document."""
        return -(v * x.log_softmax(1)).sum(1)

    def initial_bias(self, inputs: Tensor) -> Tensor:
        """Return the logarithms of the words' frequencies, half a word added to each."""
        if bool((inputs < 0).any()) or bool((inputs != inputs.round()).any()):
            raise UnitsError("count visible units take whole numbers from 0 up: how often each word occurs")
        counts = inputs.sum(0) + 0.5
        return (counts / counts.sum()).log()

    def observation_counts(self, v: Tensor) -> Tensor | None:
        """Return the length D of each document, shape (rows, 1)."""
        return v.sum(1, keepdim=True)
