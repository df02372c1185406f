"""Build the autoencoder that the settings name for the rows at hand, and train it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from layerwise.data.augmentation import augment
from layerwise.data.corruption import Corruption, column_groups
from layerwise.data.rows import Block, Description, Rows
from layerwise.data.transforms import binarise_freshly
from layerwise.models.autoencoder.convolutional import ConvolutionalAutoencoder, ConvolutionalConfig
from layerwise.models.autoencoder.feedforward import Autoencoder, AutoencoderConfig
from layerwise.models.autoencoder.outputs import LossName, OutputName
from layerwise.models.autoencoder.variational import VAE, VAEConfig, divergence
from layerwise.models.units import UnitBlock, UnitsError, unit_blocks
from layerwise.seeding import generator_for
from layerwise.training.autoencoder_settings import LEVELS, AutoencoderSettings, CodeSettings
from layerwise.training.bars import ProgressBar
from layerwise.training.callbacks import Callback, Reporter
from layerwise.training.code_penalties import Contraction, KLSparsity, L1Sparsity, Penalty
from layerwise.training.gradient import GradientTrainee
from layerwise.training.loop import Progress, TrainingError, Transform, fit
from layerwise.training.reconstruction import Reconstruction, Variational
from layerwise.training.stopping import KeepBest

AnyAutoencoder = Autoencoder | ConvolutionalAutoencoder | VAE


def chosen_output(
    settings: CodeSettings, columns: Description, variant: str
) -> tuple[LossName, OutputName, tuple[UnitBlock, ...]]:
    """Return the loss, the output's activation and, for mixed columns, their kinds.

    Raises:
        TrainingError: the loss does not fit the columns.
    """
    bounded = columns.bounded or columns.image_shape is not None
    pixels = columns.image_shape is not None
    kinds = {block.kind for block in columns.blocks}
    loss: Literal["auto", "binary_cross_entropy", "squared", "mixed", "gaussian"] = settings.loss
    if loss == "auto":
        if variant == "deep" and pixels:
            loss = "squared"
        elif pixels or kinds == {"binary"}:
            loss = "binary_cross_entropy"
        elif kinds == {"real"}:
            loss = "gaussian" if variant == "variational" else "squared"
        else:
            loss = "mixed"
    if loss == "binary_cross_entropy" and not bounded:
        raise TrainingError(
            "autoencoder.loss: binary_cross_entropy needs inputs in [0, 1], and these columns are numbers of any "
            "size; take loss: squared or mixed, or leave it at auto"
        )
    if loss == "mixed":
        if pixels:
            raise TrainingError("autoencoder.loss: mixed is for tables; pixels are all of one kind")
        try:
            return "mixed", "linear", unit_blocks(columns.blocks)
        except UnitsError as error:
            raise TrainingError(f"autoencoder: {error}") from error
    output: OutputName
    if settings.output == "auto":
        output = "sigmoid" if loss == "binary_cross_entropy" else "linear"
    else:
        output = settings.output
    if output == "sigmoid" and not bounded:
        raise TrainingError(
            "autoencoder.output: sigmoid stays within 0 and 1, and these columns do not; leave output: auto"
        )
    return loss, output, ()


def new_autoencoder(
    settings: AutoencoderSettings, columns: Description, generator: torch.Generator
) -> AnyAutoencoder:
    """Return the untrained autoencoder.

    Raises:
        TrainingError: the settings do not fit the rows.
    """
    variant, n = settings.variant, columns.n_inputs
    s = settings.of_variant(variant)
    loss, output, blocks = chosen_output(settings, columns, variant)
    code_size = s["code_size"]
    if code_size is None:
        code_size = -(-5 * n // 4) if variant == "overcomplete" else min(30, max(1, n // 2))
    if variant in ("compression", "deep") and code_size >= n:
        raise TrainingError(
            f"a code of {code_size} is no bottleneck for {n} inputs; lower autoencoder.code_size, or take another variant"
        )
    if variant == "overcomplete" and code_size <= n:
        raise TrainingError(
            f"a code of {code_size} is not larger than {n} inputs; raise autoencoder.code_size, or take "
            "variant: compression"
        )
    if variant == "convolutional":
        if columns.image_shape is None:
            raise TrainingError(
                "autoencoder.variant: convolutional is for pictures, and these rows are a table"
            )
        if min(columns.image_shape) < 2 ** len(settings.channels):
            raise TrainingError(
                f"{len(settings.channels)} halvings leave nothing of {columns.image_shape[0]} x "
                f"{columns.image_shape[1]} pixels; give fewer autoencoder.channels"
            )
        return ConvolutionalAutoencoder(
            ConvolutionalConfig(
                image_shape=columns.image_shape,
                channels=settings.channels,
                code_size=code_size,
                activation=s["activation"],
                code_activation=s["code_activation"],
                loss=loss,
                output=output,
                initialiser=s["initialiser"],
            ),
            generator,
        )
    if variant == "variational":
        return VAE(
            VAEConfig(
                n_inputs=n,
                hidden_sizes=s["hidden_sizes"],
                code_size=code_size,
                activation=s["activation"],
                loss=loss,
                blocks=blocks,
                initialiser=s["initialiser"],
            ),
            generator,
        )
    return Autoencoder(layer_config(settings, s, n, code_size, loss, output, blocks), generator)


def layer_config(
    settings: CodeSettings,
    s: dict[str, Any],
    n_inputs: int,
    code_size: int,
    loss: LossName,
    output: OutputName,
    blocks: tuple[UnitBlock, ...] = (),
) -> AutoencoderConfig:
    """Return the shape of a fully connected autoencoder; `s` is what the settings say for the variant."""
    first = s["activation"] if isinstance(s["activation"], str) else s["activation"][-1]
    keep = 0
    if s["sparsity"] == "top_k":
        keep = s["kept_units"] or max(1, code_size // 10)
        if keep > code_size:
            raise TrainingError(
                f"autoencoder.kept_units is {keep}, but the code has {code_size} units; lower it"
            )
    return AutoencoderConfig(
        n_inputs=n_inputs,
        hidden_sizes=s["hidden_sizes"],
        code_size=code_size,
        activation=s["activation"],
        code_activation=s["code_activation"],
        decoder_activation=s["decoder_activation"] or first,
        loss=loss,
        output=output,
        blocks=blocks,
        tied=s["tied"],
        keep=keep,
        initialiser=s["initialiser"],
        initialiser_gain=settings.initialiser_gain,
    )


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

    def both(inputs: Tensor) -> Tensor:
        return steps[1](steps[0](inputs))

    return both


def encoded(network: nn.Module, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return the codes of all rows, on the CPU, shape (rows, code_size)."""
    device = next(network.parameters()).device
    with torch.no_grad():
        parts = [network.encode(part.to(device)).cpu() for part in inputs.split(at_a_time)]  # type: ignore[operator]
    return torch.cat(parts)


def reconstructed(network: nn.Module, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return the reconstructions of all rows, on the CPU, shape of inputs."""
    device = next(network.parameters()).device
    with torch.no_grad():
        parts = [network.reconstruct(part.to(device)).cpu() for part in inputs.split(at_a_time)]  # type: ignore[operator]
    return torch.cat(parts)


def reconstruction_losses(network: nn.Module, inputs: Tensor, at_a_time: int = 2000) -> Tensor:
    """Return each row's loss, without noise, on the CPU, shape (rows,); of a VAE at the posterior mean, plus its divergence."""
    device, found = next(network.parameters()).device, []
    with torch.no_grad():
        for part in inputs.split(at_a_time):
            rows = part.to(device)
            loss = network.loss(network(rows), rows)  # type: ignore[operator]
            if isinstance(network, VAE):
                loss = loss + divergence(*network.posterior(rows)).sum(1)
            found.append(loss.cpu())
    return torch.cat(found)
