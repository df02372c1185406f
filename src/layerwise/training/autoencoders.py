"""Train an autoencoder on the rows at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from layerwise.data.augmentation import augment
from layerwise.data.corruption import Corruption, column_groups
from layerwise.data.rows import Block, Description, Rows
from layerwise.data.transforms import InTurn, binarise_freshly
from layerwise.models.autoencoder.convolutional import ConvolutionalAutoencoder
from layerwise.models.autoencoder.feedforward import Autoencoder
from layerwise.models.autoencoder.variational import VAE
from layerwise.seeding import generator_for
from layerwise.training.autoencoder_building import AnyAutoencoder
from layerwise.training.autoencoder_settings import AutoencoderSettings, CodeSettings
from layerwise.training.autoencoder_variants import LEVELS
from layerwise.training.bars import ProgressBar
from layerwise.training.callbacks import Callback, Reporter
from layerwise.training.code_penalties import Contraction, KLSparsity, L1Sparsity, Penalty
from layerwise.training.gradient import GradientTrainee
from layerwise.training.loop import Progress, TrainingError, Transform, fit
from layerwise.training.reconstruction import Reconstruction, Variational
from layerwise.training.stopping import KeepBest


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


@dataclass
class ReconstructionStages(Callback):
    """Keep one row's reconstruction at four stages of the training.

    Args:
        network: what learns.
        row: (n_inputs,) the row.
    """

    network: AnyAutoencoder
    row: Tensor
    kept: list[tuple[int, Tensor, float]] = field(default_factory=list)

    def on_train_begin(self, progress: Progress) -> None:
        """Look at the start."""
        self._epochs = {1, max(2, round(progress.epochs / 4)), progress.epochs}
        self._keep(0)

    def on_epoch_end(self, progress: Progress, metrics: object) -> None:
        """Look again at the first epoch, after a quarter of them, and at the last one."""
        if progress.epoch in self._epochs:
            self._keep(progress.epoch)

    def state(self) -> dict[str, Tensor]:
        """Return what was kept."""
        return {
            "epochs": torch.tensor([epoch for epoch, _, _ in self.kept], dtype=torch.int64),
            "rows": torch.stack([row for _, row, _ in self.kept]),
            "losses": torch.tensor([loss for _, _, loss in self.kept], dtype=torch.float64),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state()` returned."""
        parts = zip(state["epochs"].tolist(), state["rows"].clone(), state["losses"].tolist(), strict=True)
        self.kept = list(parts)

    def _keep(self, epoch: int) -> None:
        with torch.no_grad():
            total = self.network(self.row[None])
            mean, loss = self.network.output.mean(total), self.network.loss(total, self.row[None])
        self.kept.append((epoch, mean[0].clone(), float(loss)))


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
) -> tuple[Progress, ReconstructionStages]:
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
    stages = ReconstructionStages(network, training.inputs[0].clone())
    shown = [] if quiet else [Reporter(f"{name}/"), ProgressBar(f"training {name}", "validation/loss")]
    progress = fit(
        trainee,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        generator=generator_for(seed, name, "order"),
        validation=validation,
        callbacks=[*callbacks, KeepBest(network, "validation/loss", settings.patience), stages, *shown],
        transform=_transform(settings, columns, seed, device, name),
        name=name,
    )
    network.eval()
    return progress, stages


def _transform(
    settings: AutoencoderSettings, columns: Description, seed: int, device: torch.device, name: str
) -> Transform | None:
    """Return what is done to each batch: first the pictures are moved, then their ink is drawn."""
    steps: list[Transform] = []
    if settings.augmentation.chosen:
        if columns.image_shape is None:
            raise TrainingError(
                "autoencoder.augmentation is for pictures, and these rows are a table; "
                f"switch off {', '.join(settings.augmentation.chosen)}"
            )
        steps.append(augment(settings.augmentation, columns.image_shape, seed, device, name))
    if columns.fresh_binarisation:
        steps.append(binarise_freshly(seed, device, name))
    if len(steps) < 2:
        return steps[0] if steps else None
    return InTurn(steps)
