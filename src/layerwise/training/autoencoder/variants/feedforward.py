"""The variants of fully connected layers: by the width of the latent, by a penalty, or by noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch

from layerwise.data import DataSpec
from layerwise.models import for_each_layer
from layerwise.models.autoencoder import Autoencoder
from layerwise.training.autoencoder.building import bottleneck_size, layer_config, select_output
from layerwise.training.autoencoder.reconstruction import VARIATIONAL_ONLY, ReconstructionVariant
from layerwise.training.autoencoder.registry import register_variant
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.training.plan import TrainingError
from layerwise.utils import Choice

SMOOTH = {"activation": "silu", "latent_activation": "linear", "initializer": "he_uniform"}


@dataclass(frozen=True)
class FeedforwardVariant(ReconstructionVariant):
    """A fully connected encoder and its mirror image.

    Args:
        latent: whether the latent has to be smaller or larger than the row.
        required: a setting that may not be none (or 0), since the variant is nothing without it.
    """

    has_features: ClassVar[bool] = True

    unused: Mapping[str, str] = field(
        default_factory=lambda: VARIATIONAL_ONLY | {"channels": "; hidden_sizes shape it"}
    )
    latent: Literal["smaller", "larger", "any"] = "any"
    required: str | None = None

    def conflicts(self, settings: AutoencoderSettings, resolved: dict[str, Any]) -> list[str]:
        """Return a sentence for each setting that makes no sense with this variant."""
        conflicts = []
        if not isinstance(resolved["activation"], str):
            for_each_layer(tuple(resolved["activation"]), len(resolved["hidden_sizes"]), "activation")
        required = None if self.required is None else resolved[self.required]
        if required == "none":
            conflicts.append(
                f"variant {self.name} without {self.required} is none: choose one, or another variant"
            )
        elif self.required == "corruption" and resolved["corruption_level"] == 0:
            conflicts.append(
                f"variant {self.name} with corruption_level 0 is none; raise it, or take another variant"
            )
        elif required == 0:
            conflicts.append(
                f"variant {self.name} with {self.required} 0 is none; raise it, or take another variant"
            )
        return conflicts

    def build(self, settings: AutoencoderSettings, columns: DataSpec, rng: torch.Generator) -> Autoencoder:
        """Return the untrained network."""
        n, resolved = columns.n_inputs, settings.resolved(self.name)
        loss, output, blocks = select_output(settings, columns, self.name)
        latent_size = resolved["latent_size"]
        if latent_size is None:
            latent_size = -(-5 * n // 4) if self.latent == "larger" else bottleneck_size(n)
        if self.latent == "smaller" and latent_size >= n:
            raise TrainingError(
                f"a latent_size of {latent_size} is no bottleneck for {n} inputs; lower autoencoder.latent_size, or "
                "take another variant"
            )
        if self.latent == "larger" and latent_size <= n:
            raise TrainingError(
                f"a latent_size of {latent_size} is not larger than {n} inputs; raise autoencoder.latent_size, or "
                "take variant: compression"
            )
        return Autoencoder(layer_config(settings, resolved, n, latent_size, loss, output, blocks), rng)


for each in (
    FeedforwardVariant(
        "compression",
        Choice("a latent smaller than the row", "fewer dimensions; few columns out of many"),
        {"hidden_sizes": (256,), **SMOOTH},
        in_stacks=True,
        latent="smaller",
    ),
    FeedforwardVariant(
        "overcomplete",
        Choice("a latent larger than the row and nothing else", "to see it learn the identity"),
        {"latent_activation": "relu", "initializer": "he_uniform"},
        in_stacks=True,
        latent="larger",
    ),
    FeedforwardVariant(
        "deep",
        Choice("784-1000-500-250-30 and its mirror (Hinton & Salakhutdinov 2006)", "the best small latent"),
        {"hidden_sizes": (1000, 500, 250), "latent_size": 30, **SMOOTH},
        latent="smaller",
        image_loss="squared",
    ),
    FeedforwardVariant(
        "sparse",
        Choice("few active units: kl, l1 or top_k", "features that can be read"),
        {"latent_size": 256, "sparsity": "kl"},
        in_stacks=True,
        required="sparsity",
    ),
    FeedforwardVariant(
        "denoising",
        Choice("the clean row from a corrupted one (Vincent et al. 2010)", "pretraining; denoising"),
        {"latent_size": 500, "tied": True, "corruption": "auto"},
        in_stacks=True,
        required="corruption",
    ),
    FeedforwardVariant(
        "contractive",
        Choice(
            "+ contraction |J|^2, J the encoder's Jacobian (Rifai et al. 2011)",
            "latents that ignore small changes",
        ),
        {"latent_size": 500, "tied": True, "contraction": 0.1},
        in_stacks=True,
        required="contraction",
    ),
):
    register_variant(each)
