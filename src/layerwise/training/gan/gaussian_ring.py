"""The ring of eight normal distributions: a game whose modes can be counted."""

from __future__ import annotations

import math
from typing import Any

import torch
from pydantic import field_validator
from torch import Tensor

from layerwise.data.tensors import Rows
from layerwise.models.gan.discriminator import Discriminator, DiscriminatorConfig
from layerwise.models.gan.generator import Generator, GeneratorConfig
from layerwise.training.gan.adversarial import Adversarial
from layerwise.training.gan.adversarial_settings import GameSettings
from layerwise.training.gan.monitor import FAIR_SHARE, GameMonitor
from layerwise.training.gan.train import Played, play
from layerwise.utils.config import nearest, setting
from layerwise.utils.random_streams import generator_for

MODES, RADIUS, DEVIATION = 8, 2.0, 0.1
# A sample belongs to a mode within so many deviations of its centre.
REACH = 3.0
WATCHED = 1000


def centres() -> Tensor:
    """Return the eight means, (8, 2)."""
    angles = torch.arange(MODES) * (2 * math.pi / MODES)
    return RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)


def ring(n: int, generator: torch.Generator) -> Tensor:
    """Return n points (n, 2) of the mixture with equal shares."""
    which = torch.randint(MODES, (n,), generator=generator)
    return centres()[which] + DEVIATION * torch.randn(n, 2, generator=generator)


def mode_of(points: Tensor) -> Tensor:
    """Return the mode of each point (n, 2), or -1 beyond three deviations of all centres."""
    distance, mode = torch.cdist(points, centres()).min(1)
    return torch.where(distance <= REACH * DEVIATION, mode, -1)


def modes_found(points: Tensor) -> tuple[int, float]:
    """Return how many modes have a quarter of their fair share of the points, and the share of points in any."""
    codes = mode_of(points)
    counts = torch.bincount(codes[codes >= 0], minlength=MODES)
    return int((counts >= FAIR_SHARE * len(points) / MODES).sum()), float((codes >= 0).float().mean())


# What each objective needs to play at all, and a discriminator that is too strong for the generator.
GAMES: dict[str, dict[str, Any]] = {
    "minimax, strong discriminator": {
        "objective": "minimax", "generator_rate": 1e-4, "discriminator_rate": 2e-3, "discriminator_steps": 5, "r1": 0.0,
    },
    "a generator too fast": {"generator_rate": 1e-2, "discriminator_rate": 1e-4, "r1": 0.0, "average": 0.0},
    "least squares": {"objective": "least_squares"},
    "wasserstein with penalty": {
        "objective": "wasserstein_penalty", "gradient_penalty": 1.0, "discriminator_steps": 3, "r1": 0.0,
    },
}  # fmt: skip


class RingSettings(GameSettings):
    """The default game on the ring, which is played on `seeds` seeds; `games` are played on the first of them."""

    epochs: int = setting(40, "passes through the points", "", ge=1)
    batch_size: int = setting(250, "points of a step of either player", "", ge=2)
    rows: int = setting(10000, "points of the ring that are drawn to learn from", "", ge=100)
    generator_rate: float = setting(2e-3, "learning rate of the generator", "", gt=0)
    discriminator_rate: float = setting(2e-3, "learning rate of the discriminator", "", gt=0)
    r1: float = setting(
        0.02, "gamma of the penalty gamma/2 |dD/dx|^2 at real points (Mescheder et al. 2018)", "",
        "wasserstein, wasserstein_penalty", ge=0,
    )  # fmt: skip
    average: float = setting(
        0.99, "decay of the running average of the generator's weights; 0 for none", "", ge=0, lt=1
    )
    hidden_sizes: tuple[int, ...] = setting((128, 128, 128), "units of both players' layers")
    latent_size: int = setting(8, "numbers of the noise z, standard normal", "", ge=1)
    spectral: bool = setting(
        False, "divide the discriminator's weights by their largest singular value (Miyato et al. 2018)"
    )
    seeds: int = setting(5, "the default game is played so many times", "", ge=1)
    games: tuple[str, ...] = setting(tuple(GAMES), "other games, played once each for comparison")

    @field_validator("games")
    @classmethod
    def _known(cls, games: tuple[str, ...]) -> tuple[str, ...]:
        for name in games:
            if name not in GAMES:
                raise ValueError(f"unknown game '{name}'{nearest(name, list(GAMES))}")
        return games

    def with_game(self, name: str) -> RingSettings:
        """Return the settings of a named game; `default` are these."""
        return RingSettings(**(self.model_dump() | GAMES[name])) if name in GAMES else self


def play_on_ring(settings: RingSettings, seed: int, name: str = "ring", quiet: bool = True) -> Played:
    """Play on points of the ring, drawn from the seed."""
    start = generator_for(seed, name, "start")
    generator = Generator(
        GeneratorConfig(
            latent_size=settings.latent_size,
            n_outputs=2,
            hidden_sizes=settings.hidden_sizes,
            normalisation="none",
            output="linear",
        ),
        start,
    )
    discriminator = Discriminator(
        DiscriminatorConfig(n_inputs=2, hidden_sizes=settings.hidden_sizes, spectral=settings.spectral),
        start,
    )
    rows = ring(settings.rows, generator_for(seed, name, "rows"))
    trainee = Adversarial(generator, discriminator, settings, generator_for(seed, name, "draws"))
    watched = generator_for(seed, name, "watched")
    monitor = GameMonitor(
        trainee.sampler,
        generator.noise(WATCHED, watched),
        ring(WATCHED, watched),
        lambda: generator_for(seed, name, "unused"),
        modes=mode_of,
        n_modes=MODES,
        every=max(1, settings.epochs // 10),
        shown=WATCHED,
    )
    return play(trainee, Rows(rows), None, settings, seed, name=name, monitor=monitor, quiet=quiet)
