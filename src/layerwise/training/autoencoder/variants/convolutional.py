"""The convolutional variant, for images."""

from __future__ import annotations

from typing import Any

import torch

from layerwise.data import DataSpec
from layerwise.models.autoencoder import ConvolutionalAutoencoder, ConvolutionalConfig
from layerwise.training.autoencoder.building import bottleneck_size, select_output
from layerwise.training.autoencoder.reconstruction import VARIATIONAL_ONLY, ReconstructionVariant
from layerwise.training.autoencoder.registry import register_variant
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.plan import TrainingError
from layerwise.utils import Choice


class ConvolutionalVariant(ReconstructionVariant):
    """Convolutions down to a latent and up again, against noise on the pixels."""

    def conflicts(self, settings: AutoencoderSettings, resolved: dict[str, Any]) -> list[str]:
        """Return a sentence for each setting that makes no sense with this variant."""
        conflicts = [
            f"variant {self.name} has no use for {name}; channels shape it"
            for name in ("hidden_sizes", "decoder_activation", "tied")
            if getattr(settings, name)
        ]
        if settings.loss in ("mixed", "gaussian"):
            conflicts.append("images have one kind of column: take loss binary_cross_entropy or squared")
        return conflicts + super().conflicts(settings, resolved)

    def build(
        self, settings: AutoencoderSettings, columns: DataSpec, rng: torch.Generator
    ) -> ConvolutionalAutoencoder:
        """Return the untrained network."""
        resolved = settings.resolved(self.name)
        loss, output, _ = select_output(settings, columns, self.name)
        if columns.image_shape is None:
            raise TrainingError(
                "autoencoder.variant: convolutional is for images, and these rows are a table"
            )
        if min(columns.image_shape[:2]) < 2 ** len(settings.channels):
            raise TrainingError(
                f"{len(settings.channels)} halvings leave nothing of {columns.image_shape[0]} x "
                f"{columns.image_shape[1]} pixels; give fewer autoencoder.channels"
            )
        return ConvolutionalAutoencoder(
            ConvolutionalConfig(
                image_shape=columns.image_shape,
                channels=settings.channels,
                latent_size=resolved["latent_size"] or bottleneck_size(columns.n_inputs),
                activation=resolved["activation"],
                latent_activation=resolved["latent_activation"],
                loss=loss,
                output=output,
                initializer=resolved["initializer"],
            ),
            rng,
        )


register_variant(
    ConvolutionalVariant(
        "convolutional",
        Choice("3 x 3 filters, denoising (Masci et al. 2011)", "images"),
        {
            "latent_size": 64,
            "activation": "relu",
            "latent_activation": "linear",
            "initializer": "he_uniform",
            "corruption": "salt_and_pepper",
        },
        VARIATIONAL_ONLY | {"initializer_gain": ""},
    )
)
