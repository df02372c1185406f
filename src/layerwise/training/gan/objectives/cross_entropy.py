"""The two objectives of the first paper: the discriminator is a classifier, trained by cross-entropy."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from layerwise.training.gan.objectives.base import GANObjective, register_objective
from layerwise.utils import Choice


class MinimaxObjective(GANObjective):
    """V = E log D(x) + E log(1 - D(G(z))) with D = sigmoid(s): what one minimises the other maximises."""

    def real_loss(self, scores: Tensor, smoothing: float) -> Tensor:
        """Return -(1 - e) log D - e log(1 - D), without a logarithm of 0."""
        return (1 - smoothing) * softplus(-scores) + smoothing * softplus(scores)

    def fake_loss(self, scores: Tensor) -> Tensor:
        """Return -log(1 - D)."""
        return softplus(scores)

    def generator_loss(self, scores: Tensor) -> Tensor:
        """Return log(1 - D)."""
        return logsigmoid(-scores)

    def real_value(self, scores: Tensor) -> Tensor:
        """Return log D."""
        return logsigmoid(scores)

    def fake_value(self, scores: Tensor) -> Tensor:
        """Return log(1 - D)."""
        return logsigmoid(-scores)


class NonSaturatingObjective(MinimaxObjective):
    """The generator maximises E log D(G(z)) instead: its gradient does not vanish where D is sure."""

    def generator_loss(self, scores: Tensor) -> Tensor:
        """Return -log D."""
        return softplus(-scores)


register_objective(
    MinimaxObjective(
        "minimax",
        Choice(
            "V = E log D(x) + E log(1 - D(G(z))); G minimises it (Goodfellow et al. 2014, equation 1)",
            "to see its gradient vanish while D wins",
        ),
        probabilistic=True,
        supports_label_smoothing=True,
    )
)
register_objective(
    NonSaturatingObjective(
        "non_saturating",
        Choice("as minimax, but G maximises E log D(G(z)) (same paper)", "a good first choice"),
        probabilistic=True,
        supports_label_smoothing=True,
    )
)
