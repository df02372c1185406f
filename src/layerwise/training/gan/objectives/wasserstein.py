"""The Wasserstein distance: the discriminator is a critic whose gradient stays near 1 or below a bound."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from layerwise.models.gan import Discriminator
from layerwise.training.gan.gradient_penalties import unit_norm_penalty
from layerwise.training.gan.objectives.base import GANObjective, Score, register_objective
from layerwise.utils import Choice, ranks


class WassersteinObjective(GANObjective):
    """V = E D(x) - E D(G(z)), with weights that are clipped after each step (Arjovsky et al. 2017, algorithm 1)."""

    def real_loss(self, scores: Tensor, smoothing: float) -> Tensor:
        """Return -s."""
        return -scores

    def fake_loss(self, scores: Tensor) -> Tensor:
        """Return s."""
        return scores

    def generator_loss(self, scores: Tensor) -> Tensor:
        """Return -s."""
        return -scores

    def after_discriminator_step(self, discriminator: Discriminator, settings: Any) -> None:
        """Clip every weight to [-weight_clip, weight_clip]."""
        with torch.no_grad():
            for parameter in discriminator.parameters():
                parameter.clamp_(-settings.weight_clip, settings.weight_clip)


class PenalizedWassersteinObjective(WassersteinObjective):
    """The same value, with a penalty in place of the clipping (Gulrajani et al. 2017, equation 3)."""

    def penalty(
        self, score: Score, real: Tensor, fake: Tensor, settings: Any, pac: int, rng: torch.Generator
    ) -> Tensor | None:
        """Return gradient_penalty (|ds/dx| - 1)^2 at points drawn between real and generated rows."""
        interpolation_weights = ranks.uniform_(torch.empty(len(real) // pac, 1, device=real.device), rng)
        penalty = unit_norm_penalty(score, real, fake, interpolation_weights, pac)
        return settings.gradient_penalty * penalty

    def after_discriminator_step(self, discriminator: Discriminator, settings: Any) -> None:
        """Leave the weights as they are."""


register_objective(
    WassersteinObjective(
        "wasserstein",
        Choice(
            "V = E D(x) - E D(G(z)), weights clipped to [-weight_clip, weight_clip] (Arjovsky et al. 2017)",
            "with optimizer rmsprop and discriminator_steps 5",
        ),
        boundary=None,
        constrains_gradient=True,
        own_settings=("weight_clip",),
    )
)
register_objective(
    PenalizedWassersteinObjective(
        "wasserstein_penalty",
        Choice(
            "the same, with gradient_penalty E(|dD/dx| - 1)^2 between real and generated rows (Gulrajani et al. 2017)",
            "tables; discriminator_steps 5",
        ),
        boundary=None,
        constrains_gradient=True,
        penalizes_rows=True,
        own_settings=("gradient_penalty",),
    )
)
