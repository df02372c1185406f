"""Train an autoencoder on the rows at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from layerwise.checkpointing.state import Progress
from layerwise.data.tensors import ColumnBlock, DataSpec, TensorData
from layerwise.data.transforms.corruption import Corruption, column_groups
from layerwise.models.autoencoder.convolutional import ConvolutionalAutoencoder
from layerwise.models.autoencoder.feedforward import Autoencoder
from layerwise.models.autoencoder.variational import VAE
from layerwise.training.autoencoder.building import AnyAutoencoder
from layerwise.training.autoencoder.latent_penalties import Contraction, KLSparsity, L1Sparsity, Penalty
from layerwise.training.autoencoder.plans import ReconstructionPlan, VariationalPlan
from layerwise.training.autoencoder.reconstruction_history import (
    ReconstructionHistory,
    autoencoder_reconstruction_history,
)
from layerwise.training.autoencoder.settings import AutoencoderSettings, BaseAutoencoderSettings
from layerwise.training.autoencoder.variants import DEFAULT_CORRUPTION_LEVELS
from layerwise.training.callbacks.base import Callback, Reporter
from layerwise.training.callbacks.progress_bar import ProgressBar
from layerwise.training.callbacks.stopping import KeepBestWeights
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError
from layerwise.training.transforms import make_batch_transform
from layerwise.utils.random_streams import torch_rng


def build_penalties(s: dict[str, Any]) -> list[Penalty]:
    """Return the terms of the cost that the settings ask for."""
    found: list[Penalty] = []
    if s["sparsity"] == "kl":
        found.append(KLSparsity(s["sparsity_weight"], s["sparsity_target"]))
    elif s["sparsity"] == "l1":
        found.append(L1Sparsity(s["sparsity_weight"]))
    if s["contraction"]:
        found.append(Contraction(s["contraction"]))
    return found


def build_reconstruction_plan(
    network: Autoencoder | ConvolutionalAutoencoder,
    settings: BaseAutoencoderSettings,
    s: dict[str, Any],
    columns_blocks: Sequence[ColumnBlock],
    bounded: bool,
    epochs: int,
    n_batches: int,
    seed: int,
    name: str,
    device: torch.device,
) -> ReconstructionPlan:
    """Return the trainee of an autoencoder that is not variational.

    Raises:
        TrainingError: the noise does not fit the columns.
    """
    kind = s["corruption"]
    level = s["corruption_level"]
    if kind == "auto":
        kind = "masking" if bounded else "swap"
        level = DEFAULT_CORRUPTION_LEVELS[kind] if level is None else level
    if kind == "salt_and_pepper" and not bounded:
        raise TrainingError(
            "corruption: salt_and_pepper puts 0 or 1 in the place of inputs, and these columns are numbers of any "
            "size; take swap or gaussian"
        )
    groups = column_groups(columns_blocks) if columns_blocks else None
    return ReconstructionPlan(
        network,
        settings.to_finetuning_settings(epochs),
        Corruption(kind, level, torch_rng(seed, name, "corruption", device=device), groups),
        build_penalties(s),
        torch_rng(seed, name, "directions", device=device) if settings.jacobian == "estimated" else None,
        n_batches,
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
        network: learns in place, and ends in evaluation mode.
        training: inputs (n, n_inputs); targets are not read.
        validation: rows that are measured and not learnt from. Of freshly binarised pixels they are drawn once, so
            that all epochs are measured on the same ink.
        columns: what the inputs are.
        settings: how.
        seed: of the run.
        name: of the metrics, of messages and of the streams of random numbers.
        callbacks: more listeners, such as probes.
        silent: report nothing; for a second network beside the run's own.
    """
    device = training.inputs.device
    n_batches = -(-len(training) // settings.batch_size)
    plan: GradientPlan
    if isinstance(network, VAE):
        plan = VariationalPlan(
            network,
            settings.to_finetuning_settings(settings.epochs),
            torch_rng(seed, name, "noise", device=device),
            torch_rng(seed, name, "still noise", device=device),
            n_batches,
            settings.importance_samples,
            settings.beta,
            settings.beta_warmup_epochs,
            settings.free_bits,
        )
    else:
        bounded = columns.bounded or columns.image_shape is not None
        s = settings.resolved(settings.variant)
        plan = build_reconstruction_plan(
            network, settings, s, columns.blocks, bounded, settings.epochs, n_batches, seed, name, device
        )
    if columns.dynamic_binarization:
        binarized = torch.bernoulli(
            validation.inputs, generator=torch_rng(seed, name, "validation ink", device=device)
        )
        validation = validation.with_inputs(binarized)
    reconstruction_history = autoencoder_reconstruction_history(network, training.inputs[0].clone())
    shown = [] if silent else [Reporter(f"{name}/"), ProgressBar(f"training {name}", "validation/loss")]
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        rng=torch_rng(seed, name, "order"),
        validation=validation,
        callbacks=[
            *callbacks,
            KeepBestWeights(network, "validation/loss", settings.patience),
            reconstruction_history,
            *shown,
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
