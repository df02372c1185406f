"""What a GAN objective says of itself, and where it is found by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor

from layerwise.models.gan import Discriminator
from layerwise.utils import Choice, Registered, Registry

# Gives scores (n / pac,) of rows (n, d).
Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class GANObjective:
    """The losses of a generator G and a discriminator D that gives each row a score s; one value of `gan.objective`.

    Each loss takes scores (n,) and returns (n,). The discriminator minimises `real_loss` of real rows' scores plus
    `fake_loss` of generated rows'; the generator minimises `generator_loss` of the latter. The value function is the
    mean of `real_value` over real rows plus the mean of `fake_value` over generated ones.

    Args:
        name: the value.
        choice: its equation and paper, and when to take it.
        boundary: the score at which the discriminator is undecided; None for a critic, whose 0 means nothing.
        probabilistic: whether sigmoid(s) is the probability of being real.
        supports_label_smoothing: whether the target of real rows can be smoothed.
        constrains_gradient: whether the objective itself bounds the critic's gradient.
        penalizes_rows: whether `penalty` needs a gradient of each row's own score, without statistics of the batch.
        own_settings: those of `AdversarialSettings` that other objectives have no use for.
    """

    name: str
    choice: Choice
    boundary: float | None = 0.0
    probabilistic: bool = False
    supports_label_smoothing: bool = False
    constrains_gradient: bool = False
    penalizes_rows: bool = False
    own_settings: tuple[str, ...] = ()

    def real_loss(self, scores: Tensor, smoothing: float) -> Tensor:
        """Return the discriminator's loss of real rows, whose target is 1 - smoothing instead of 1."""
        raise NotImplementedError

    def fake_loss(self, scores: Tensor) -> Tensor:
        """Return the discriminator's loss of generated rows."""
        raise NotImplementedError

    def generator_loss(self, scores: Tensor) -> Tensor:
        """Return the generator's loss of its rows."""
        raise NotImplementedError

    def real_value(self, scores: Tensor) -> Tensor:
        """Return the value function's term of real rows; minus their loss, where the discriminator maximises it."""
        return -self.real_loss(scores, 0.0)

    def fake_value(self, scores: Tensor) -> Tensor:
        """Return the value function's term of generated rows."""
        return -self.fake_loss(scores)

    def penalty(
        self, score: Score, real: Tensor, fake: Tensor, settings: Any, pac: int, rng: torch.Generator
    ) -> Tensor | None:
        """Return what the objective adds to the discriminator's loss, (n / pac,); None for nothing.

        Args:
            score: the discriminator's, of rows (n, d).
            real: (n, d).
            fake: (n, d).
            settings: the `AdversarialSettings`.
            pac: rows that are scored together.
            rng: of what is drawn.
        """
        return None

    def after_discriminator_step(self, discriminator: Discriminator, settings: Any) -> None:
        """Put the discriminator back where the objective wants its weights, by `AdversarialSettings`."""
        return

    def reported_score(self, scores: Tensor) -> Tensor:
        """Return D(x) for the metrics: a probability where the score is a logit, else the score itself."""
        return torch.sigmoid(scores) if self.probabilistic else scores

    def accuracy(self, real: Tensor, fake: Tensor) -> Tensor | None:
        """Return the accuracy on pairs of a real and a generated row, (n,); None for a critic."""
        if self.boundary is None:
            return None
        return ((real > self.boundary).float() + (fake < self.boundary).float()) / 2


OBJECTIVES: Registry[GANObjective] = Registry(
    "GAN objective", "layerwise.training.gan.objectives", "layerwise.gan_objectives"
)
ObjectiveName = Annotated[str, Registered(OBJECTIVES)]


def register_objective(objective: GANObjective) -> None:
    """Make an objective known under its name; a module of `objectives` or of an entry point calls this on import."""
    OBJECTIVES.add(objective.name, objective)


def known_objectives() -> dict[str, GANObjective]:
    """Return every objective by name: those of `objectives`, and of the entry points `layerwise.gan_objectives`."""
    return OBJECTIVES.all()
