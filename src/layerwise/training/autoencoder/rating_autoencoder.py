"""Train an autoencoder of ratings (AutoRec), with early stopping on held-out ratings."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.data import DataSpec, TensorData
from layerwise.data.transforms import Corruption, CorruptionName, column_groups
from layerwise.models.autoencoder import RatingAutoencoder, RatingAutoencoderConfig
from layerwise.models.rbm import rated
from layerwise.training.autoencoder.history import AutoencoderHistory
from layerwise.training.autoencoder.settings import DEFAULT_CORRUPTION_LEVELS, AutoencoderSettings
from layerwise.training.callbacks import Callback, best_epoch_callbacks, plateau_callbacks
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.loop import fit
from layerwise.training.optim import OptimizerSettings
from layerwise.training.plan import Losses, TrainingError
from layerwise.utils import torch_rng


class RatingReconstructionPlan(GradientPlan):
    """Predict a row's ratings from those that masking leaves; the loss is over all that are given.

    Args:
        network: trained in place.
        settings: optimiser and schedule.
        corruption: masks ratings, anew for each batch.
        l2: lambda of + lambda/2 sum w^2 a row (Sedhain et al. 2015, equation 2).
    """

    def __init__(
        self,
        network: RatingAutoencoder,
        settings: OptimizerSettings,
        corruption: Corruption,
        l2: float,
    ) -> None:
        super().__init__(network, settings, {"corruption": corruption.rng})
        self.ratings, self.corruption, self.l2 = network, corruption, l2

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the mean loss with the penalty, and each row's loss."""
        rows = batch.inputs
        with self.autocast(rows):
            predicted = self.ratings(self.corruption(rows))
        loss = self.ratings.loss(predicted.to(rows.dtype), rows)
        weights = (self.ratings.encoder.weight, self.ratings.decoder.weight)
        squared_norm = torch.stack([weight.square().sum() for weight in weights]).sum()
        return loss.mean() + self.l2 / 2 * squared_norm, {"loss": loss}

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return each row's loss, nothing masked."""
        return {"loss": self.ratings.loss(self.ratings(batch.inputs), batch.inputs)}


class HeldOutRatingsMonitor(Callback):
    """Compute `validation/rmse` after each epoch: held-out ratings, predicted from the given ones of their rows."""

    def __init__(self, network: RatingAutoencoder, given: Tensor, held_out: Tensor) -> None:
        self.network, self.given = network, given
        self.rows, self.groups, level = rated(held_out, len(network.config.levels))
        self.true = network.levels[level]

    def epoch_metrics(self, progress: Progress) -> Mapping[str, float]:
        """Return the epoch's error."""
        with torch.no_grad():
            predicted = self.network(self.given)[self.rows, self.groups]
        low, high = self.network.config.levels[0], self.network.config.levels[-1]
        return {"validation/rmse": float((predicted.clamp(low, high) - self.true).square().mean().sqrt())}


def train_rating_autoencoder(
    training: TensorData, validation: TensorData, columns: DataSpec, settings: AutoencoderSettings, seed: int
) -> tuple[RatingAutoencoder, AutoencoderHistory]:
    """Return the network of the epoch with the least error on held-out ratings, and its history.

    Args:
        training: one-hot ratings (rows, n_inputs).
        validation: other ratings of the same rows.
        columns: what the columns are.
        settings: the hyperparameters; `variant` is denoising.
        seed: of the run.

    Raises:
        TrainingError: the variant or the corruption does not fit ratings.
    """
    if settings.variant != "denoising":
        raise TrainingError(
            f"autoencoder.variant: {settings.variant} has no way to leave missing ratings out; take denoising"
        )
    resolved, device = settings.resolved("denoising"), training.device
    levels = torch.tensor(columns.levels, device=device)
    _, _, level = rated(training.inputs, len(levels))
    config = RatingAutoencoderConfig(
        n_groups=len(columns.blocks),
        levels=tuple(levels.tolist()),
        latent_size=resolved["latent_size"],
        activation=resolved["latent_activation"],
        center=float(levels[level].mean()),
    )
    network = RatingAutoencoder(config, torch_rng(seed, "autoencoder")).to(device)
    kind: CorruptionName = "masking" if resolved["corruption"] == "auto" else resolved["corruption"]
    if kind not in ("masking", "none"):
        raise TrainingError(f"corruption: {kind} makes ratings up; of ratings, masking alone makes sense")
    level = resolved["corruption_level"]
    masking = Corruption(
        kind,
        DEFAULT_CORRUPTION_LEVELS[kind] if level is None else level,
        torch_rng(seed, "autoencoder", "corruption", device=device),
        column_groups(columns.blocks),
    )
    plan = RatingReconstructionPlan(network, settings, masking, settings.rating_l2)
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        rng=torch_rng(seed, "autoencoder", "order"),
        callbacks=[
            HeldOutRatingsMonitor(network, training.inputs, validation.inputs),
            *best_epoch_callbacks(network, "validation/rmse", settings.patience),
            *plateau_callbacks(plan, settings, "validation/rmse"),
        ],
        name="autoencoder",
        prefix="",
        monitor="validation/rmse",
    )
    network.eval()
    return network, AutoencoderHistory.of_training(progress)
