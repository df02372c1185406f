"""The autoencoder that the settings name, for the columns at hand."""

from __future__ import annotations

from typing import Any, Literal

import torch

from layerwise.data.tensors import Description
from layerwise.models.autoencoder.convolutional import ConvolutionalAutoencoder, ConvolutionalConfig
from layerwise.models.autoencoder.feedforward import Autoencoder, AutoencoderConfig
from layerwise.models.autoencoder.outputs import LossName, OutputName
from layerwise.models.autoencoder.variational import VAE, VAEConfig
from layerwise.models.layers import Activation
from layerwise.models.rbm.units.base import UnitsError
from layerwise.models.rbm.units.mixed import UnitBlock, unit_blocks
from layerwise.training.autoencoder.settings import AutoencoderSettings, CodeSettings
from layerwise.training.plan import TrainingError

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
        # Pixels stay within 0 and 1, as in the 2006 paper: a linear output wastes its code on saying so.
        shares = loss == "binary_cross_entropy" or (loss == "squared" and pixels)
        output = "sigmoid" if shares else "linear"
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
            f"a code of {code_size} is no bottleneck for {n} inputs; lower autoencoder.code_size, or "
            "take another variant"
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
    given = s["activation"]
    first: Activation = given if isinstance(given, str) else given[-1]  # type: ignore[assignment]
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
