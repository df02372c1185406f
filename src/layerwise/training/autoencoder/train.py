"""Train an autoencoder on the rows at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from layerwise.checkpointing.state import Progress
from layerwise.data.tensors import Block, Description, Rows
from layerwise.data.transforms.corruption import Corruption, column_groups
from layerwise.models.autoencoder.convolutional import ConvolutionalAutoencoder
from layerwise.models.autoencoder.feedforward import Autoencoder
from layerwise.models.autoencoder.variational import VAE
from layerwise.training.autoencoder.building import AnyAutoencoder
from layerwise.training.autoencoder.latent_penalties import Contraction, KLSparsity, L1Sparsity, Penalty
from layerwise.training.autoencoder.plans import Reconstruction, Variational
from layerwise.training.autoencoder.reconstruction_history import Stages, stages_of_autoencoder
from layerwise.training.autoencoder.settings import AutoencoderSettings, CodeSettings
from layerwise.training.autoencoder.variants import LEVELS
from layerwise.training.callbacks.base import Callback, Reporter
from layerwise.training.callbacks.progress_bar import ProgressBar
from layerwise.training.callbacks.stopping import KeepBest
from layerwise.training.gradient_plan import GradientTrainee
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError
from layerwise.training.transforms import batch_changes
from layerwise.utils.random_streams import generator_for


def penalties_of(s: dict[str, Any]) -> list[Penalty]:
    """Return the terms of the cost that the settings ask for."""
    found: list[Penalty] = []
    if s["sparsity"] == "kl":
        found.append(KLSparsity(s["sparsity_weight"], s["sparsity_target"]))
    elif s["sparsity"] == "l1":
        found.append(L1Sparsity(s["sparsity_weight"]))
    if s["contraction"]:
        found.append(Contraction(s["contraction"]))
    return found


def reconstruction_trainee(
    network: Autoencoder | ConvolutionalAutoencoder,
    settings: CodeSettings,
    s: dict[str, Any],
    columns_blocks: Sequence[Block],
    bounded: bool,
    epochs: int,
    n_batches: int,
    seed: int,
    name: str,
    device: torch.device,
) -> Reconstruction:
    """Return the trainee of an autoencoder that is not variational.

    Raises:
        TrainingError: the noise does not fit the columns.
    """
    kind = s["corruption"]
    level = s["corruption_level"]
    if kind == "auto":
        kind = "masking" if bounded else "swap"
        level = LEVELS[kind] if level is None else level
    if kind == "salt_and_pepper" and not bounded:
        raise TrainingError(
            "corruption: salt_and_pepper puts 0 or 1 in the place of inputs, and these columns are numbers of any "
            "size; take swap or gaussian"
        )
    groups = column_groups(columns_blocks) if columns_blocks else None
    return Reconstruction(
        network,
        settings.gradient_settings(epochs),
        Corruption(kind, level, generator_for(seed, name, "corruption", device=device), groups),
        penalties_of(s),
        generator_for(seed, name, "directions", device=device) if settings.jacobian == "estimated" else None,
        n_batches,
    )


def train_autoencoder(
    network: AnyAutoencoder,
    training: Rows,
    validation: Rows,
    columns: Description,
    settings: AutoencoderSettings,
    seed: int,
    *,
    name: str = "autoencoder",
    callbacks: Sequence[Callback] = (),
    quiet: bool = False,
) -> tuple[Progress, Stages]:
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
        quiet: report nothing; for a second network beside the run's own.
    """
    device = training.inputs.device
    n_batches = -(-len(training) // settings.batch_size)
    trainee: GradientTrainee
    if isinstance(network, VAE):
        trainee = Variational(
            network,
            settings.gradient_settings(settings.epochs),
            generator_for(seed, name, "noise", device=device),
            generator_for(seed, name, "still noise", device=device),
            n_batches,
            settings.importance_samples,
            settings.beta,
            settings.beta_warmup_epochs,
            settings.free_bits,
        )
    else:
        bounded = columns.bounded or columns.image_shape is not None
        s = settings.of_variant(settings.variant)
        trainee = reconstruction_trainee(
            network, settings, s, columns.blocks, bounded, settings.epochs, n_batches, seed, name, device
        )
    if columns.fresh_binarisation:
        ink = torch.bernoulli(
            validation.inputs, generator=generator_for(seed, name, "validation ink", device=device)
        )
        validation = validation.with_inputs(ink)
    stages = stages_of_autoencoder(network, training.inputs[0].clone())
    shown = [] if quiet else [Reporter(f"{name}/"), ProgressBar(f"training {name}", "validation/loss")]
    progress = fit(
        trainee,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        generator=generator_for(seed, name, "order"),
        validation=validation,
        callbacks=[*callbacks, KeepBest(network, "validation/loss", settings.patience), stages, *shown],
        transform=batch_changes(
            settings.augmentation,
            columns.image_shape,
            columns.fresh_binarisation,
            seed,
            device,
            name,
            "autoencoder",
        ),
        name=name,
    )
    network.eval()
    return progress, stages
