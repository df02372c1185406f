"""The hinge: the discriminator stops learning from rows that it scores beyond a margin."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu

from layerwise.training.gan.objectives.base import GANObjective, register_objective
from layerwise.utils import Choice


class HingeObjective(GANObjective):
    """Lim and Ye 2017, equations 5 and 6; its targets are margins, which cannot be smoothed."""

    def real_loss(self, scores: Tensor, smoothing: float) -> Tensor:
        """Return max(0, 1 - s)."""
        return relu(1 - scores)

    def fake_loss(self, scores: Tensor) -> Tensor:
        """Return max(0, 1 + s)."""
        return relu(1 + scores)

    def generator_loss(self, scores: Tensor) -> Tensor:
        """Return -s."""
        return -scores


register_objective(
    HingeObjective(
        "hinge",
        Choice(
            "D: max(0, 1 - D(x)) + max(0, 1 + D(G(z))); G: -D(G(z)) (Lim and Ye 2017; Miyato et al. 2018)",
            "with spectral_normalization",
        ),
    )
)
