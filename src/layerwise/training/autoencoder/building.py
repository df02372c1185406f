"""The autoencoder that the settings name, for the columns at hand."""

from __future__ import annotations

from typing import Any, Literal

import torch

from layerwise.data.tensors import DataSpec
from layerwise.models.autoencoder.convolutional import ConvolutionalAutoencoder, ConvolutionalConfig
from layerwise.models.autoencoder.feedforward import Autoencoder, AutoencoderConfig
from layerwise.models.autoencoder.outputs import LossName, OutputName
from layerwise.models.autoencoder.variational import VAE, VAEConfig
from layerwise.models.layers import Activation
from layerwise.models.rbm.units.base import UnitsError
from layerwise.models.rbm.units.mixed import UnitBlock, unit_blocks
from layerwise.training.autoencoder.settings import AutoencoderSettings, BaseAutoencoderSettings
from layerwise.training.plan import TrainingError

AnyAutoencoder = Autoencoder | ConvolutionalAutoencoder | VAE


def select_output(
    settings: BaseAutoencoderSettings, columns: DataSpec, variant: str
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
        # Pixels stay within 0 and 1, as in the 2006 paper: a linear output wastes its code on saying so.
        is_probability = loss == "binary_cross_entropy" or (loss == "squared" and pixels)
        output = "sigmoid" if is_probability else "linear"
    else:
        output = settings.output
    if output == "sigmoid" and not bounded:
        raise TrainingError(
            "autoencoder.output: sigmoid stays within 0 and 1, and these columns do not; leave output: auto"
        )
    return loss, output, ()


def build_autoencoder(
    settings: AutoencoderSettings, columns: DataSpec, rng: torch.Generator
) -> AnyAutoencoder:
    """Return the untrained autoencoder.

    Raises:
        TrainingError: the settings do not fit the rows.
    """
    variant, n = settings.variant, columns.n_inputs
    s = settings.resolved(variant)
    loss, output, blocks = select_output(settings, columns, variant)
    latent_size = s["latent_size"]
    if latent_size is None:
        latent_size = -(-5 * n // 4) if variant == "overcomplete" else min(30, max(1, n // 2))
    if variant in ("compression", "deep") and latent_size >= n:
        raise TrainingError(
            f"a code of {latent_size} is no bottleneck for {n} inputs; lower autoencoder.latent_size, or "
            "take another variant"
        )
    if variant == "overcomplete" and latent_size <= n:
        raise TrainingError(
            f"a code of {latent_size} is not larger than {n} inputs; raise autoencoder.latent_size, or take "
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
                latent_size=latent_size,
                activation=s["activation"],
                latent_activation=s["latent_activation"],
                loss=loss,
                output=output,
                initializer=s["initializer"],
            ),
            rng,
        )
    if variant == "variational":
        return VAE(
            VAEConfig(
                n_inputs=n,
                hidden_sizes=s["hidden_sizes"],
                latent_size=latent_size,
                activation=s["activation"],
                loss=loss,
                blocks=blocks,
                initializer=s["initializer"],
            ),
            rng,
        )
    return Autoencoder(layer_config(settings, s, n, latent_size, loss, output, blocks), rng)


def layer_config(
    settings: BaseAutoencoderSettings,
    s: dict[str, Any],
    n_inputs: int,
    latent_size: int,
    loss: LossName,
    output: OutputName,
    blocks: tuple[UnitBlock, ...] = (),
) -> AutoencoderConfig:
    """Return the shape of a fully connected autoencoder; `s` is what the settings say for the variant."""
    given = s["activation"]
    first: Activation = given if isinstance(given, str) else given[-1]  # type: ignore[assignment]
    keep = 0
    if s["sparsity"] == "top_k":
        keep = s["top_k_units"] or max(1, latent_size // 10)
        if keep > latent_size:
            raise TrainingError(
                f"autoencoder.top_k_units is {keep}, but the code has {latent_size} units; lower it"
            )
    return AutoencoderConfig(
        n_inputs=n_inputs,
        hidden_sizes=s["hidden_sizes"],
        latent_size=latent_size,
        activation=s["activation"],
        latent_activation=s["latent_activation"],
        decoder_activation=s["decoder_activation"] or first,
        loss=loss,
        output=output,
        blocks=blocks,
        tied=s["tied"],
        keep=keep,
        initializer=s["initializer"],
        initializer_gain=settings.initializer_gain,
    )
