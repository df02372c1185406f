"""Variants that learn to reconstruct: the noise on their input and the penalties, by the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from layerwise.data import ColumnBlock, DataSpec
from layerwise.data.transforms import Corruption, CorruptionName, column_groups
from layerwise.models.autoencoder import BaseAutoencoder
from layerwise.training.autoencoder.latent_penalties import Contraction, KLSparsity, L1Sparsity, Penalty
from layerwise.training.autoencoder.plans import ReconstructionPlan
from layerwise.training.autoencoder.registry import AutoencoderVariant
from layerwise.training.autoencoder.settings import (
    DEFAULT_CORRUPTION_LEVELS,
    AutoencoderSettings,
    BaseAutoencoderSettings,
)
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.plan import TrainingError
from layerwise.utils import torch_rng

# The settings of the variational bounds, and why other variants refuse them.
VARIATIONAL_ONLY = dict.fromkeys(
    ("beta", "beta_warmup_epochs", "importance_samples", "free_bits"), ": it belongs to variational"
)


@dataclass(frozen=True)
class ReconstructionVariant(AutoencoderVariant):
    """A variant that is trained by a `ReconstructionPlan`; a subclass builds its network."""

    unused: Mapping[str, str] = field(default_factory=lambda: dict(VARIATIONAL_ONLY))

    def conflicts(self, settings: AutoencoderSettings, resolved: dict[str, Any]) -> list[str]:
        """Return a sentence for each setting that only fully connected layers have a use for."""
        conflicts = []
        if resolved["contraction"] and settings.jacobian == "exact":
            conflicts.append("the exact Jacobian is of fully connected layers; set jacobian: estimated")
        if resolved["sparsity"] == "top_k":
            conflicts.append("top_k is for fully connected autoencoders; take l1 or kl")
        return conflicts

    def make_plan(
        self,
        network: BaseAutoencoder,
        settings: AutoencoderSettings,
        columns: DataSpec,
        seed: int,
        name: str,
        device: torch.device,
    ) -> GradientPlan:
        """Return the plan with the noise and the penalties of the settings."""
        bounded = columns.bounded or columns.image_shape is not None
        resolved = settings.resolved(self.name)
        return build_reconstruction_plan(
            network, settings, resolved, columns.blocks, bounded, seed, name, device
        )


def build_penalties(resolved: dict[str, Any]) -> list[Penalty]:
    """Return the penalties that the `resolved` settings ask for."""
    penalties: list[Penalty] = []
    if resolved["sparsity"] == "kl":
        penalties.append(KLSparsity(resolved["sparsity_weight"], resolved["sparsity_target"]))
    elif resolved["sparsity"] == "l1":
        penalties.append(L1Sparsity(resolved["sparsity_weight"]))
    if resolved["contraction"]:
        penalties.append(Contraction(resolved["contraction"]))
    return penalties


def noise_of(resolved: dict[str, Any], bounded: bool) -> tuple[CorruptionName, float]:
    """Return the noise that the `resolved` settings have an autoencoder learn with, and its level.

    Args:
        resolved: the settings with the variant's defaults.
        bounded: whether the columns are in [0, 1], as pixels are.
    """
    kind, level = resolved["corruption"], resolved["corruption_level"]
    if kind == "auto":
        kind = "masking" if bounded else "swap"
        level = DEFAULT_CORRUPTION_LEVELS[kind] if level is None else level
    return kind, level


def build_reconstruction_plan(
    network: BaseAutoencoder,
    settings: BaseAutoencoderSettings,
    resolved: dict[str, Any],
    columns_blocks: Sequence[ColumnBlock],
    bounded: bool,
    seed: int,
    name: str,
    device: torch.device,
) -> ReconstructionPlan:
    """Return the training plan of an autoencoder that reconstructs rows.

    Raises:
        TrainingError: the noise does not fit the columns.
    """
    kind, level = noise_of(resolved, bounded)
    if kind == "salt_and_pepper" and not bounded:
        raise TrainingError(
            "corruption: salt_and_pepper replaces inputs by 0 or 1, and these columns are numbers of any size; take "
            "swap or gaussian"
        )
    groups = column_groups(columns_blocks) if columns_blocks else None
    return ReconstructionPlan(
        network,
        settings,
        Corruption(kind, level, torch_rng(seed, name, "corruption", device=device), groups),
        build_penalties(resolved),
        torch_rng(seed, name, "directions", device=device) if settings.jacobian == "estimated" else None,
    )
