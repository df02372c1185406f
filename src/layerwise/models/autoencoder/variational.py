"""The variational autoencoder (Kingma & Welling 2014) and its importance-weighted bound (Burda et al. 2016)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.models.autoencoder.base import LatentVariableModel
from layerwise.models.heads import LossName, build_output
from layerwise.models.kinds import register_network
from layerwise.models.layers import Activation, Initializer, Linear, activation, initialize_layers_
from layerwise.models.rbm.units import UnitBlock
from layerwise.utils import Config, ranks


class VAEConfig(Config):
    """The shape: hidden layers of the encoder q(z | x), and their mirror image in the decoder p(x | z)."""

    kind: Literal["variational"] = "variational"
    n_inputs: int = Field(ge=1)
    hidden_sizes: tuple[int, ...] = (400, 400)
    latent_size: int = Field(50, ge=1)
    activation: Activation = "tanh"
    loss: LossName = "binary_cross_entropy"
    blocks: tuple[UnitBlock, ...] = ()
    initializer: Initializer = "glorot_uniform"


@register_network(VAEConfig)
class VAE(LatentVariableModel):
    """q(z | x) = N(mu(x), diag sigma^2(x)), p(z) = N(0, 1), and p(x | z) by the output.

    Args:
        config: the shape.
        rng: samples the initial weights; None leaves them zero, to be loaded.
    """

    def __init__(self, config: VAEConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        down = (config.n_inputs, *config.hidden_sizes)
        up = (config.latent_size, *reversed(config.hidden_sizes))
        self.encoder = nn.ModuleList(Linear(n, m) for n, m in pairwise(down))
        # One layer for means and log-variances: one product instead of two.
        self.posterior_layer = Linear(down[-1], 2 * config.latent_size)
        self.decoder = nn.ModuleList(Linear(n, m) for n, m in pairwise(up))
        self.last = Linear(up[-1], config.n_inputs)
        self.act = activation(config.activation)
        bounded = config.loss == "binary_cross_entropy"
        self.output = build_output(
            config.loss, "sigmoid" if bounded else "linear", config.blocks, learn_variance=True
        )
        layers = (*self.encoder, self.posterior_layer, *self.decoder, self.last)
        initialize_layers_(layers, config.initializer, rng)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of q(z | x), each (rows, latent_size)."""
        for layer in self.encoder:
            x = self.act(layer(x))
        mean, log_variance = self.posterior_layer(x).chunk(2, -1)
        return mean, log_variance

    def decode_pre_activation(self, z: Tensor) -> Tensor:
        """Return the pre-activations of p(x | z), shape (..., n_inputs)."""
        for layer in self.decoder:
            z = self.act(layer(z))
        return self.last(z)

    def loss_and_reconstruction(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return each row's loss at the posterior mean plus the KL divergence, nats, and its reconstruction there."""
        loss, reconstruction = super().loss_and_reconstruction(rows)
        return loss + kl_divergence(*self.posterior(rows)).sum(1), reconstruction

    def first_weight(self) -> Tensor:
        """Return the weight of the encoder's first layer (units, n_inputs)."""
        return cast(nn.Linear, self.encoder[0] if len(self.encoder) else self.posterior_layer).weight

    def sample(self, n: int, rng: torch.Generator, sample_outputs: bool = False) -> Tensor:
        """Return the means of p(x | z), or with `sample_outputs` rows sampled from it, for n latents of the prior."""
        z = torch.randn(n, self.config.latent_size, generator=rng, device=self.last.weight.device)
        x = self.decode_pre_activation(z)
        return self.output.sample(x, rng) if sample_outputs else self.output.mean(x)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, exp(log_variance)) || N(0, 1)) of each unit, nats, shape of mean (Kingma & Welling, B)."""
    return (log_variance.exp() + mean.square() - 1 - log_variance) / 2


def sample_latents(
    mean: Tensor, log_variance: Tensor, rng: torch.Generator, samples: int = 1
) -> tuple[Tensor, Tensor]:
    """Sample z = mean + sigma e, through which a gradient flows (the reparametrisation).

    Returns:
        Latents and their noise e, each (samples, rows, latent_size); without the first axis for one sample.
    """
    shape = mean.shape if samples == 1 else (samples, *mean.shape)
    noise = torch.empty(shape, dtype=mean.dtype, device=mean.device)
    ranks.normal_(noise.view(-1, shape[-1]), rng)  # of several samples a block of all rows each
    return mean + (log_variance / 2).exp() * noise, noise


def log_weights(vae: LatentVariableModel, x: Tensor, samples: int, rng: torch.Generator) -> Tensor:
    """Return log p(x | z) + log p(z) - log q(z | x) at samples of q, nats, shape (samples, rows).

    The constants of the two normal densities cancel: log p(z) - log q(z | x) = sum (e^2 - z^2 + log sigma^2) / 2.
    """
    # Under autocast only the matrix products have fewer bits: densities are summed in full precision.
    mean, log_variance = (part.to(x.dtype) for part in vae.posterior(x))
    z, noise = sample_latents(mean, log_variance, rng, samples)
    if samples == 1:
        z, noise = z[None], noise[None]
    ratio = (noise.square() - z.square() + log_variance).sum(-1) / 2
    return ratio - vae.loss(vae.decode_pre_activation(z).to(x.dtype), x)


def importance_weighted_bound(weights: Tensor) -> Tensor:
    """Return log 1/k sum_k w_k of log-weights (k, rows), a lower bound on log p(x), nats, shape (rows,) (eq. 8).

    k = 1 is the evidence lower bound; the bound rises with k and tends to log p(x).
    """
    return weights.logsumexp(0) - math.log(weights.shape[0])


def evidence_lower_bound(vae: LatentVariableModel, x: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return -log p(x | z) at one sample of z (rows,), and each unit's KL divergence (rows, latent_size), nats.

    The bound is minus the sum of both; the KL divergence is exact, so only the first is noisy.
    """
    mean, log_variance = vae.posterior(x)
    z, _ = sample_latents(mean, log_variance, rng)
    return vae.loss(vae.decode_pre_activation(z), x), kl_divergence(mean, log_variance)
