"""Least squares: the discriminator's score is regressed on 1 for real rows and 0 for generated ones."""

from __future__ import annotations

from torch import Tensor

from layerwise.training.gan.objectives.base import GANObjective, register_objective
from layerwise.utils import Choice


class LeastSquaresObjective(GANObjective):
    """Mao et al. 2017, equation 9; the discriminator minimises its value."""

    def real_loss(self, scores: Tensor, smoothing: float) -> Tensor:
        """Return (s - (1 - e))^2 / 2."""
        return 0.5 * (scores - (1 - smoothing)).square()

    def fake_loss(self, scores: Tensor) -> Tensor:
        """Return s^2 / 2."""
        return 0.5 * scores.square()

    def generator_loss(self, scores: Tensor) -> Tensor:
        """Return (s - 1)^2 / 2."""
        return 0.5 * (scores - 1).square()

    def real_value(self, scores: Tensor) -> Tensor:
        """Return (s - 1)^2 / 2."""
        return 0.5 * (scores - 1).square()

    def fake_value(self, scores: Tensor) -> Tensor:
        """Return s^2 / 2."""
        return 0.5 * scores.square()


register_objective(
    LeastSquaresObjective(
        "least_squares",
        Choice(
            "D: (D(x) - 1)^2 / 2 + D(G(z))^2 / 2; G: (D(G(z)) - 1)^2 / 2 (Mao et al. 2017)",
            "steady gradients",
        ),
        boundary=0.5,
        supports_label_smoothing=True,
    )
)
