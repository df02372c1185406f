"""Train an autoencoder on the rows at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from layerwise.checkpointing import Progress
from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.data.transforms import Corruption, column_groups
from layerwise.models.autoencoder import VAE, Autoencoder, ConvolutionalAutoencoder
from layerwise.training.autoencoder.base_settings import BaseAutoencoderSettings
from layerwise.training.autoencoder.building import AnyAutoencoder
from layerwise.training.autoencoder.latent_penalties import Contraction, KLSparsity, L1Sparsity, Penalty
from layerwise.training.autoencoder.plans import ReconstructionPlan, VariationalPlan
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.autoencoder.variants import DEFAULT_CORRUPTION_LEVELS
from layerwise.training.callbacks import (
    Callback,
    ReconstructionHistory,
    autoencoder_reconstruction_history,
    standard_callbacks,
)
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError
from layerwise.training.transforms import make_batch_transform
from layerwise.utils import torch_rng


def build_penalties(resolved: dict[str, Any]) -> list[Penalty]:
    """Return the penalties that the `resolved` settings ask for."""
    penalties: list[Penalty] = []
    if resolved["sparsity"] == "kl":
        penalties.append(KLSparsity(resolved["sparsity_weight"], resolved["sparsity_target"]))
    elif resolved["sparsity"] == "l1":
        penalties.append(L1Sparsity(resolved["sparsity_weight"]))
    if resolved["contraction"]:
        penalties.append(Contraction(resolved["contraction"]))
    return penalties


def build_reconstruction_plan(
    network: Autoencoder | ConvolutionalAutoencoder,
    settings: BaseAutoencoderSettings,
    resolved: dict[str, Any],
    columns_blocks: Sequence[ColumnBlock],
    bounded: bool,
    seed: int,
    name: str,
    device: torch.device,
) -> ReconstructionPlan:
    """Return the training plan of an autoencoder that is not variational.

    Raises:
        TrainingError: the noise does not fit the columns.
    """
    kind = resolved["corruption"]
    level = resolved["corruption_level"]
    if kind == "auto":
        kind = "masking" if bounded else "swap"
        level = DEFAULT_CORRUPTION_LEVELS[kind] if level is None else level
    if kind == "salt_and_pepper" and not bounded:
        raise TrainingError(
            "corruption: salt_and_pepper replaces inputs by 0 or 1, and these columns are numbers of any size; take "
            "swap or gaussian"
        )
    groups = column_groups(columns_blocks) if columns_blocks else None
    return ReconstructionPlan(
        network,
        settings,
        Corruption(kind, level, torch_rng(seed, name, "corruption", device=device), groups),
        build_penalties(resolved),
        torch_rng(seed, name, "directions", device=device) if settings.jacobian == "estimated" else None,
    )


def train_autoencoder(
    network: AnyAutoencoder,
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: AutoencoderSettings,
    seed: int,
    *,
    name: str = "autoencoder",
    callbacks: Sequence[Callback] = (),
    silent: bool = False,
) -> tuple[Progress, ReconstructionHistory]:
    """Train in place; the network ends with the weights of its best epoch by the validation loss.

    Args:
        network: trained in place, and left in evaluation mode.
        training: inputs (n, n_inputs); targets are not read.
        validation: rows for the validation loss. With dynamic binarisation they are binarised once, so that all epochs
            are compared on the same pixels.
        columns: what the inputs are.
        settings: the hyperparameters.
        seed: of the run.
        name: of the metrics, of messages and of the streams of random numbers.
        callbacks: further ones, such as layer statistics.
        silent: report no metrics and show no progress; for a second network beside the run's own.

    Returns:
        The loop's progress and the reconstructions of the first training row.
    """
    device = training.inputs.device
    plan: GradientPlan
    if isinstance(network, VAE):
        plan = VariationalPlan(
            network,
            settings,
            torch_rng(seed, name, "noise", device=device),
            torch_rng(seed, name, "still noise", device=device),
            settings.importance_samples,
            settings.beta,
            settings.beta_warmup_epochs,
            settings.free_bits,
        )
    else:
        bounded = columns.bounded or columns.image_shape is not None
        resolved = settings.resolved(settings.variant)
        plan = build_reconstruction_plan(
            network,
            settings,
            resolved,
            columns.blocks,
            bounded,
            seed,
            name,
            device,
        )
    if columns.dynamic_binarization:
        binarized = torch.bernoulli(
            validation.inputs, generator=torch_rng(seed, name, "validation ink", device=device)
        )
        validation = validation.with_inputs(binarized)
    reconstruction_history = autoencoder_reconstruction_history(network, training.inputs[0].clone())
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        rng=torch_rng(seed, name, "order"),
        validation=validation,
        callbacks=[
            *callbacks,
            *standard_callbacks(
                name, "validation/loss", silent, keep_best=network, patience=settings.patience
            ),
            reconstruction_history,
        ],
        transform=make_batch_transform(
            settings.augmentation,
            columns.image_shape,
            columns.dynamic_binarization,
            seed,
            device,
            name,
            "autoencoder",
        ),
        name=name,
    )
    network.eval()
    return progress, reconstruction_history
