"""Train an autoencoder on the rows at hand."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from layerwise.checkpointing import Progress
from layerwise.data import DataSpec, TensorData
from layerwise.models.autoencoder import BaseAutoencoder
from layerwise.training.autoencoder.registry import find_variant
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.callbacks import (
    Callback,
    ReconstructionHistory,
    autoencoder_reconstruction_history,
    best_epoch_callbacks,
    plateau_callbacks,
)
from layerwise.training.loop import fit
from layerwise.training.transforms import make_batch_transform
from layerwise.utils import torch_rng


def train_autoencoder(
    network: BaseAutoencoder,
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
    """Train in place; the network ends with the weights of its best epoch by the plan's `monitor`.

    Args:
        network: of `settings.variant`; trained in place, and left in evaluation mode.
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
    device = training.device
    plan = find_variant(settings.variant).make_plan(network, settings, columns, seed, name, device)
    if columns.dynamic_binarization:
        pixel_rng = torch_rng(seed, name, "validation ink", device=device)
        validation = validation.map_inputs(lambda inputs: torch.bernoulli(inputs, generator=pixel_rng))
    reconstruction_history = autoencoder_reconstruction_history(network, training[:1].inputs[0].clone())
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        rng=torch_rng(seed, name, "order"),
        validation=validation,
        callbacks=[
            *callbacks,
            *best_epoch_callbacks(network, plan.monitor, settings.patience),
            *plateau_callbacks(plan, settings, plan.monitor),
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
        # The curves of the network that a run is about stand under the same names in every pipeline.
        prefix="" if name == "autoencoder" else name,
        monitor=plan.monitor,
        quiet=silent,
    )
    network.eval()
    return progress, reconstruction_history
