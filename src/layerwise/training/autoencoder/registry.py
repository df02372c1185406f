"""The autoencoder variants: what each one says of itself, and where they are found by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import torch

from layerwise.data import DataSpec
from layerwise.models.autoencoder import BaseAutoencoder
from layerwise.models.heads import LossName
from layerwise.training.gradient_plan import GradientPlan
from layerwise.utils import Choice, Registered, Registry

# What a variant takes where a setting is null and it says nothing of its own.
COMMON_DEFAULTS: dict[str, Any] = {
    "hidden_sizes": (),
    "latent_size": None,
    "activation": "sigmoid",
    "latent_activation": "sigmoid",
    "decoder_activation": None,
    "tied": False,
    "initializer": "glorot_uniform",
    "corruption": "none",
    "sparsity": "none",
    "contraction": 0.0,
}


@dataclass(frozen=True)
class AutoencoderVariant:
    """One value of `autoencoder.variant`; a subclass says how its network is built and trained.

    Args:
        name: the value.
        choice: what it is, and when to take it.
        defaults: what it takes where a setting of `COMMON_DEFAULTS` is null.
        unused: settings that it has no use for, each with the rest of the sentence that refuses it.
        in_stacks: a stack (`sae`) may have layers of it.
        image_loss: the loss `auto` of pixels.
        real_loss: the loss `auto` of columns of numbers; only where it is gaussian may a gaussian one be asked for.

    Attributes:
        has_features: its networks' `first_weight` returns some, which are plotted.
        is_generative: its networks are `LatentVariableModel`s, whose likelihood is measured and whose samples are
            plotted.
    """

    has_features: ClassVar[bool] = False
    is_generative: ClassVar[bool] = False

    name: str
    choice: Choice
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    in_stacks: bool = False
    image_loss: LossName = "binary_cross_entropy"
    real_loss: LossName = "squared"

    def conflicts(self, settings: Any, resolved: dict[str, Any]) -> list[str]:
        """Return a sentence for each of the `AutoencoderSettings` that makes no sense with this variant.

        Args:
            settings: as they were given.
            resolved: `settings.resolved(self.name)`.
        """
        return []

    def build(self, settings: Any, columns: DataSpec, rng: torch.Generator) -> BaseAutoencoder:
        """Return the untrained network for the columns, by `AutoencoderSettings`.

        Raises:
            TrainingError: the settings do not fit the columns.
        """
        raise NotImplementedError

    def make_plan(
        self, network: Any, settings: Any, columns: DataSpec, seed: int, name: str, device: torch.device
    ) -> GradientPlan:
        """Return the training plan of a network that `build` made.

        Args:
            network: trained in place.
            settings: the `AutoencoderSettings`.
            columns: what the inputs are.
            seed: of the run.
            name: of the training, which names its streams of random numbers.
            device: where the rows are.

        Raises:
            TrainingError: the settings do not fit the columns.
        """
        raise NotImplementedError


VARIANTS: Registry[AutoencoderVariant] = Registry(
    "autoencoder variant", "layerwise.training.autoencoder.variants", "layerwise.autoencoder_variants"
)
VariantName = Annotated[str, Registered(VARIANTS)]
LayerVariantName = Annotated[str, Registered(VARIANTS, lambda variant: variant.in_stacks)]


def register_variant(variant: AutoencoderVariant) -> None:
    """Make a variant known under its name; a module of `variants` or of an entry point calls this on import."""
    VARIANTS.add(variant.name, variant)


def known_variants() -> dict[str, AutoencoderVariant]:
    """Return every variant by name: those of `variants`, and of the entry points `layerwise.autoencoder_variants`."""
    return VARIANTS.all()


def find_variant(name: str) -> AutoencoderVariant:
    """Return the variant of a name that was validated (`VariantName`)."""
    return VARIANTS.find(name)
