"""Build the autoencoder of a variant, with the loss and the output that fit the columns."""

from __future__ import annotations

from typing import Any, Literal

import torch

from layerwise.data import DataSpec
from layerwise.models import Activation
from layerwise.models.autoencoder import AutoencoderConfig, BaseAutoencoder
from layerwise.models.heads import LossName, OutputName
from layerwise.models.rbm.units import UnitBlock, UnitsError, unit_blocks
from layerwise.training.autoencoder.registry import find_variant
from layerwise.training.autoencoder.settings import AutoencoderSettings, BaseAutoencoderSettings
from layerwise.training.plan import TrainingError


def select_output(
    settings: BaseAutoencoderSettings, columns: DataSpec, variant: str
) -> tuple[LossName, OutputName, tuple[UnitBlock, ...]]:
    """Return the loss, the output's activation and, for mixed columns, their unit blocks.

    Raises:
        TrainingError: the loss does not fit the columns.
    """
    bounded = columns.bounded or columns.image_shape is not None
    pixels = columns.image_shape is not None
    kinds = {block.kind for block in columns.blocks}
    loss: Literal["auto", "binary_cross_entropy", "squared", "mixed", "gaussian"] = settings.loss
    if loss == "auto":
        if pixels:
            loss = find_variant(variant).image_loss
        elif kinds == {"binary"}:
            loss = "binary_cross_entropy"
        elif kinds == {"real"}:
            loss = find_variant(variant).real_loss
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
        # Pixels stay within 0 and 1, as in the 2006 paper: a linear output would spend latent units on that.
        is_probability = loss == "binary_cross_entropy" or (loss == "squared" and pixels)
        output = "sigmoid" if is_probability else "linear"
    else:
        output = settings.output
    if loss == "binary_cross_entropy" and output != "sigmoid":
        raise TrainingError(
            f"autoencoder.output: {output} gives no probabilities, which the loss binary_cross_entropy is of; set "
            "loss: squared, or leave output: auto"
        )
    if output == "sigmoid" and not bounded:
        raise TrainingError(
            "autoencoder.output: sigmoid stays within 0 and 1, and these columns do not; leave output: auto"
        )
    return loss, output, ()


def build_autoencoder(
    settings: AutoencoderSettings, columns: DataSpec, rng: torch.Generator
) -> BaseAutoencoder:
    """Return the untrained autoencoder of `settings.variant`.

    Raises:
        TrainingError: the settings do not fit the rows.
    """
    return find_variant(settings.variant).build(settings, columns, rng)


def bottleneck_size(n_inputs: int) -> int:
    """Return the latent_size that compresses rows where none is set: half the columns, at most 30."""
    return min(30, max(1, n_inputs // 2))


def layer_config(
    settings: BaseAutoencoderSettings,
    resolved: dict[str, Any],
    n_inputs: int,
    latent_size: int,
    loss: LossName,
    output: OutputName,
    blocks: tuple[UnitBlock, ...] = (),
) -> AutoencoderConfig:
    """Return the config of a fully connected autoencoder; `resolved` is `settings.resolved(variant)`.

    Raises:
        TrainingError: more units are to be kept (`top_k_units`) than the latent has.
    """
    given = resolved["activation"]
    first: Activation = given if isinstance(given, str) else given[-1]  # type: ignore[assignment]
    keep = 0
    if resolved["sparsity"] == "top_k":
        keep = resolved["top_k_units"] or max(1, latent_size // 10)
        if keep > latent_size:
            raise TrainingError(
                f"autoencoder.top_k_units is {keep}, but the latent has {latent_size} units; lower it"
            )
    return AutoencoderConfig(
        n_inputs=n_inputs,
        hidden_sizes=resolved["hidden_sizes"],
        latent_size=latent_size,
        activation=resolved["activation"],
        latent_activation=resolved["latent_activation"],
        decoder_activation=resolved["decoder_activation"] or first,
        loss=loss,
        output=output,
        blocks=blocks,
        tied=resolved["tied"],
        keep=keep,
        initializer=resolved["initializer"],
        initializer_gain=settings.initializer_gain,
    )
