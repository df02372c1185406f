"""Objectives of generator and discriminator, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, relu, softplus

from layerwise.utils import Choice

ObjectiveName = Literal[
    "minimax", "non_saturating", "least_squares", "wasserstein", "wasserstein_penalty", "hinge"
]
OBJECTIVES: tuple[str, ...] = get_args(ObjectiveName)


@dataclass(frozen=True)
class Objective:
    """The losses of a generator G and a discriminator D that gives each row a score s.

    Each function takes scores (n,) and returns (n,). The discriminator minimises `real_loss` of real rows'
    scores plus `fake_loss` of generated rows'; the generator minimises `generator_loss` of the latter.
    The value function is the mean of `real_value` over real rows plus the mean of `fake_value` over
    generated ones.

    Args:
        real_loss: of scores and of the smoothing e of the real rows' target, which is 1 - e instead of 1.
        fake_loss: of generated rows' scores.
        generator_loss: of generated rows' scores.
        real_value: the value function's term of real rows.
        fake_value: its term of generated rows.
        boundary: the score at which the discriminator is undecided; None for a critic, whose 0 means nothing.
        probabilistic: whether sigmoid(s) is the probability of being real.
        supports_label_smoothing: whether the target of real rows can be smoothed.
    """

    real_loss: Callable[[Tensor, float], Tensor]
    fake_loss: Callable[[Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]
    real_value: Callable[[Tensor], Tensor]
    fake_value: Callable[[Tensor], Tensor]
    boundary: float | None = 0.0
    probabilistic: bool = False
    supports_label_smoothing: bool = False

    def reported_score(self, scores: Tensor) -> Tensor:
        """Return D(x) for the metrics: a probability where the score is a logit, else the score itself."""
        return torch.sigmoid(scores) if self.probabilistic else scores

    def accuracy(self, real: Tensor, fake: Tensor) -> Tensor | None:
        """Return the accuracy on pairs of a real and a generated row, (n,); None for a critic."""
        if self.boundary is None:
            return None
        return ((real > self.boundary).float() + (fake < self.boundary).float()) / 2


def _cross_entropy(scores: Tensor, smoothing: float) -> Tensor:
    """-(1 - e) log D - e log(1 - D), with D = sigmoid(scores), without a logarithm of 0."""
    return (1 - smoothing) * softplus(-scores) + smoothing * softplus(scores)


def _half_squared_error(target: float) -> Callable[[Tensor], Tensor]:
    return lambda scores: 0.5 * (scores - target).square()


def _negative(scores: Tensor) -> Tensor:
    return -scores


def _identity(scores: Tensor) -> Tensor:
    return scores


_BY_NAME: dict[str, Objective] = {
    "minimax": Objective(
        _cross_entropy, softplus, lambda s: logsigmoid(-s), logsigmoid, lambda s: logsigmoid(-s),
        probabilistic=True, supports_label_smoothing=True,
    ),
    "non_saturating": Objective(
        _cross_entropy, softplus, lambda s: softplus(-s), logsigmoid, lambda s: logsigmoid(-s),
        probabilistic=True, supports_label_smoothing=True,
    ),
    "least_squares": Objective(
        lambda s, e: 0.5 * (s - (1 - e)).square(), _half_squared_error(0), _half_squared_error(1),
        _half_squared_error(1), _half_squared_error(0), boundary=0.5, supports_label_smoothing=True,
    ),
    "wasserstein": Objective(lambda s, e: -s, _identity, _negative, _identity, _negative, boundary=None),
    "wasserstein_penalty": Objective(lambda s, e: -s, _identity, _negative, _identity, _negative, boundary=None),
    "hinge": Objective(
        lambda s, e: relu(1 - s), lambda s: relu(1 + s), _negative, lambda s: -relu(1 - s), lambda s: -relu(1 + s)
    ),
}  # fmt: skip

OBJECTIVE_CHOICES: dict[ObjectiveName, Choice] = {
    "minimax": Choice(
        "V = E log D(x) + E log(1 - D(G(z))); G minimises it (Goodfellow et al. 2014, equation 1)",
        "to see its gradient vanish while D wins",
    ),
    "non_saturating": Choice("as minimax, but G maximises E log D(G(z)) (same paper)", "a good first choice"),
    "least_squares": Choice(
        "D: (D(x) - 1)^2 / 2 + D(G(z))^2 / 2; G: (D(G(z)) - 1)^2 / 2 (Mao et al. 2017)", "steady gradients"
    ),
    "wasserstein": Choice(
        "V = E D(x) - E D(G(z)), weights clipped to [-weight_clip, weight_clip] (Arjovsky et al. 2017)",
        "with optimizer rmsprop and discriminator_steps 5",
    ),
    "wasserstein_penalty": Choice(
        "the same, with gradient_penalty E(|dD/dx| - 1)^2 between real and generated rows (Gulrajani et al. 2017)",
        "tables; discriminator_steps 5",
    ),
    "hinge": Choice(
        "D: max(0, 1 - D(x)) + max(0, 1 + D(G(z))); G: -D(G(z)) (Lim and Ye 2017; Miyato et al. 2018)",
        "with spectral_normalization",
    ),
}


def get_objective(name: ObjectiveName) -> Objective:
    """Return the objective of a name."""
    return _BY_NAME[name]


def constrains_gradient(name: str) -> bool:
    """True where the objective itself bounds the critic's gradient, by clipping or by a penalty."""
    return name.startswith("wasserstein")
