"""Passes of many rows through an autoencoder, in batches and without gradients; the results lie on the CPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from layerwise.models.autoencoder.base import BaseAutoencoder

Pass = Callable[[Tensor], Tensor]


def encode_rows(network: nn.Module, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return the latents of all rows, on the CPU, shape (rows, latent_size)."""
    encode: Pass = network.encode  # type: ignore[assignment]
    return _pass_in_batches(network, encode, inputs, at_a_time)


def reconstruct_rows(network: nn.Module, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return the reconstructions of all rows, on the CPU, shape of inputs."""
    reconstruct: Pass = network.reconstruct  # type: ignore[assignment]
    return _pass_in_batches(network, reconstruct, inputs, at_a_time)


def reconstruction_losses(network: BaseAutoencoder, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return each row's loss, without noise, on the CPU, shape (rows,).

    Of a variational autoencoder it is the loss at the posterior mean plus the KL divergence.
    """
    return _pass_in_batches(network, network.reconstruction_loss, inputs, at_a_time)


def _pass_in_batches(network: nn.Module, function: Pass, inputs: Tensor, at_a_time: int) -> Tensor:
    device = next(network.parameters()).device
    with torch.no_grad():
        return torch.cat([function(part.to(device)).cpu() for part in inputs.split(at_a_time)])
