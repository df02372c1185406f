"""Training plans of autoencoders: reconstruction with noise and penalties, and the variational bounds."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from layerwise.data import TensorData
from layerwise.data.transforms import Corruption
from layerwise.models.autoencoder import (
    VAE,
    BaseAutoencoder,
    estimate_jacobian_norm,
    importance_weighted_bound,
    kl_divergence,
    log_weights,
    sample_latents,
)
from layerwise.training.autoencoder.latent_penalties import Contraction, EncodedBatch, Penalty
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.optim import OptimizerSettings
from layerwise.training.plan import Losses
from layerwise.utils import ranks


class ReconstructionPlan(GradientPlan):
    """Minimise the loss of clean rows reconstructed from (corrupted) ones, plus the penalties.

    Args:
        network: the autoencoder.
        settings: optimiser and schedule.
        corruption: noise on the encoder's input; the loss is against the row itself.
        penalties: further terms of the cost.
        directions: samples the random directions of an estimated Jacobian norm; None takes the exact norm.
    """

    spreads_rows = True

    def __init__(
        self,
        network: BaseAutoencoder,
        settings: OptimizerSettings,
        corruption: Corruption,
        penalties: Sequence[Penalty] = (),
        directions: torch.Generator | None = None,
    ) -> None:
        rngs = {"corruption": corruption.rng}
        if directions is not None:
            rngs["directions"] = directions
        super().__init__(network, settings, rngs)
        self.autoencoder, self.corruption, self.penalties = network, corruption, tuple(penalties)
        self.directions = directions
        self.needs_jacobian = any(isinstance(each, Contraction) for each in penalties)

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the mean loss with all penalties, and each row's loss without them."""
        rows = batch.inputs
        corrupted = self.corruption(rows)
        with self.autocast(rows):
            encoded = self._encode(corrupted).to(rows.dtype)
            pre_activation = self.autoencoder.decode_pre_activation(encoded.latent)
        loss = self.autoencoder.loss(pre_activation.to(rows.dtype), rows)
        losses, cost = {"loss": loss}, loss.mean()
        for penalty in self.penalties:
            losses[penalty.name] = penalty(encoded)
            cost = cost + losses[penalty.name].mean()
        return cost, losses

    def _encode(self, inputs: Tensor) -> EncodedBatch:
        if not self.needs_jacobian:
            return EncodedBatch(self.autoencoder.encode(inputs))
        if self.directions is not None:
            return EncodedBatch(*estimate_jacobian_norm(self.autoencoder.encode, inputs, self.directions))
        return EncodedBatch(*self.autoencoder.encode_with_jacobian_norm(inputs))

    def reason_against_ranks(self) -> str:
        """Return why the rows of a batch can't be spread; empty when they can."""
        return self.corruption.reason_against_ranks() or super().reason_against_ranks()

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return each row's loss and squared error, without noise and penalties."""
        rows = batch.inputs
        pre_activation = self.autoencoder(rows)
        squared_error = (self.autoencoder.output.mean(pre_activation) - rows).square().sum(1)
        return {"loss": self.autoencoder.loss(pre_activation, rows), "reconstruction_sse": squared_error}


class VariationalPlan(GradientPlan):
    """Maximise a lower bound on log p(x): the evidence lower bound, or the importance-weighted one.

    Args:
        network: the variational autoencoder.
        settings: the optimizer; `importance_samples`, the k of the importance-weighted bound; with k = 1 `beta` of the
            KL divergence and its warm-up, and `free_bits`, the nats of each unit's (its mean over the batch) that cost
            nothing.
        noise: samples the latents in training.
        fixed_noise: samples the latents in validation, the same ones in every epoch, so that epochs are compared on the
            same noise.
    """

    spreads_rows = True

    def __init__(
        self,
        network: VAE,
        settings: AutoencoderSettings,
        noise: torch.Generator,
        fixed_noise: torch.Generator,
    ) -> None:
        super().__init__(network, settings, {"noise": noise, "fixed_noise": fixed_noise})
        self.vae, self.samples, self.free_bits = network, settings.importance_samples, settings.free_bits
        self.beta, self.beta_warmup_epochs = settings.beta, settings.beta_warmup_epochs
        self.beta_now = self.beta
        self.is_bound = self.samples > 1 or (self.beta == 1 and not self.free_bits)
        # The best epoch is that of the objective which is trained.
        self.monitor = "validation/loss" if self.is_bound else "validation/objective"

    def on_epoch_start(self, epoch: int) -> None:
        """Set beta, and start the noise of validation anew."""
        super().on_epoch_start(epoch)
        self.rngs["fixed_noise"].manual_seed(self.rngs["fixed_noise"].initial_seed())
        self.beta_now = self.beta * min(
            1.0, epoch / self.beta_warmup_epochs if self.beta_warmup_epochs else 1.0
        )

    def prepare_step(self) -> Hashable:
        """Set the learning rate; beta, a number of the epoch, belongs to the key."""
        return super().prepare_step(), self.beta_now

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the cost that is minimised, and each row's negative bound, in nats."""
        losses, unit_kl = self._bound(batch.inputs, self.rngs["noise"])
        if unit_kl is None or (self.beta_now == 1 and not self.free_bits):
            return losses["loss"].mean(), losses
        return self._objective(losses["loss"], unit_kl, self.beta_now).mean(), losses

    def _objective(self, loss: Tensor, unit_kl: Tensor, beta: float) -> Tensor:
        """Return (rows,) with the mean of the reconstruction loss plus beta times the KL divergence above free bits."""
        mean = ranks.batch_mean(unit_kl)
        penalized = mean.clamp_min(self.free_bits) if self.free_bits else mean
        return loss - mean.sum() + beta * penalized.sum()

    def _bound(self, rows: Tensor, noise: torch.Generator) -> tuple[Losses, Tensor | None]:
        """Return each row's negative bound, and with k = 1 each unit's KL divergence (rows, latent_size)."""
        vae = self.vae
        if self.samples > 1:
            with self.autocast(rows):
                weights = log_weights(vae, rows, self.samples, noise)
            return {"loss": -importance_weighted_bound(weights)}, None
        with self.autocast(rows):
            mean, log_variance = (part.to(rows.dtype) for part in vae.posterior(rows))
            z, _ = sample_latents(mean, log_variance, noise)
            pre_activation = vae.decode_pre_activation(z)
        unit_kl = kl_divergence(mean, log_variance)
        row_kl = unit_kl.sum(1)
        return {
            "loss": vae.loss(pre_activation.to(rows.dtype), rows) + row_kl,
            "kl_divergence": row_kl,
        }, unit_kl

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return each row's negative bound (nats) and the squared error at the posterior mean.

        Where what is trained is no bound, its objective too, with beta as it is after the warm-up.
        """
        rows = batch.inputs
        losses, unit_kl = self._bound(rows, self.rngs["fixed_noise"])
        if unit_kl is not None and not self.is_bound:
            losses["objective"] = self._objective(losses["loss"], unit_kl, self.beta)
        return losses | {"reconstruction_sse": (self.vae.reconstruct(rows) - rows).square().sum(1)}
