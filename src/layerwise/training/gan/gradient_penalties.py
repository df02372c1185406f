"""Gradients of a GAN's networks; penalties on that of a discriminator's score by its input: WGAN-GP and R1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from layerwise.utils import ranks

Score = Callable[[Tensor], Tensor]


def _gradient(score: Score, x: Tensor) -> Tensor:
    """Return the gradient of each row's score by that row, (n, d), itself differentiable."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(x).sum(), x, create_graph=True)
    return gradient


def pack_rows(values: Tensor, pac: int) -> Tensor:
    """Return (n / pac, pac * d): the rows that are scored together side by side."""
    return values.reshape(len(values) // pac, -1)


def unit_norm_penalty(
    score: Score, real: Tensor, fake: Tensor, interpolation_weights: Tensor, pac: int = 1
) -> Tensor:
    """Return (|d score / dx| - 1)^2 at x = w * real + (1 - w) * fake: Gulrajani et al. 2017, equation 3.

    Args:
        score: of rows (n, d), one for each pack.
        real: (n, d).
        fake: (n, d).
        interpolation_weights: (n / pac, 1), the w, uniform in [0, 1].
        pac: rows that are scored together, whose gradient is one.

    Returns:
        (n / pac,)
    """
    interpolation_weights = interpolation_weights.repeat_interleave(pac, dim=0)
    interpolated = interpolation_weights * real.detach() + (1 - interpolation_weights) * fake.detach()
    return (pack_rows(_gradient(score, interpolated), pac).norm(dim=1) - 1).square()


def r1_penalty(score: Score, real: Tensor, pac: int = 1) -> Tensor:
    """Return |d score / dx|^2 at real rows, (n / pac,): Mescheder et al. 2018, equation 9, without gamma/2.

    It makes the discriminator flat at the real rows, so that it rests once the generator has reached them.
    """
    return pack_rows(_gradient(score, real), pac).square().sum(1)


@contextmanager
def without_gradients_of(network: nn.Module) -> Iterator[None]:
    """Let gradients flow through a network, but change neither its gradients nor its running statistics."""
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    trainable = [p for p in network.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in network.named_buffers():
                value.copy_(buffers[name])
        for parameter in trainable:
            parameter.requires_grad_(True)


def backward(loss: Tensor, network: nn.Module) -> Tensor:
    """Give a network the gradient of the loss of a whole batch; return the Euclidean norm of all of it."""
    loss.backward()
    ranks.add_up_gradients(network.parameters())
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)
