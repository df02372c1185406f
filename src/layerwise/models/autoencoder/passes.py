"""Passes of many rows through an autoencoder, in batches and without gradients; the results lie on the CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerwise.models.autoencoder.base import BaseAutoencoder


def encode_rows(network: nn.Module, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return the latents of all rows, on the CPU, shape (rows, latent_size)."""
    device = next(network.parameters()).device
    with torch.no_grad():
        parts = [network.encode(part.to(device)).cpu() for part in inputs.split(at_a_time)]  # type: ignore[operator]
    return torch.cat(parts)


def reconstruct_rows(network: nn.Module, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return the reconstructions of all rows, on the CPU, shape of inputs."""
    device = next(network.parameters()).device
    with torch.no_grad():
        parts = [network.reconstruct(part.to(device)).cpu() for part in inputs.split(at_a_time)]  # type: ignore[operator]
    return torch.cat(parts)


def reconstruction_losses(network: BaseAutoencoder, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return each row's loss, without noise, on the CPU, shape (rows,).

    Of a variational autoencoder it is the loss at the posterior mean plus the KL divergence.
    """
    device, losses = next(network.parameters()).device, []
    with torch.no_grad():
        for part in inputs.split(at_a_time):
            rows = part.to(device)
            losses.append(network.reconstruction_loss(rows).cpu())
    return torch.cat(losses)
