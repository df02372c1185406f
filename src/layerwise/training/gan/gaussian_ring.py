"""A GAN on the Gaussian-ring toy: eight normal distributions on a ring, whose modes can be counted."""

from __future__ import annotations

import math
from typing import Any

import torch
from pydantic import ConfigDict, RootModel, field_validator
from torch import Tensor

from layerwise.data import TensorData
from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.training.gan.adversarial import AdversarialPlan
from layerwise.training.gan.monitor import MODE_FRACTION, GANMonitor
from layerwise.training.gan.settings import AdversarialSettings
from layerwise.training.gan.train import GANResult, train_adversarial
from layerwise.training.histories import Epoch
from layerwise.utils import Config, dense_parameters, nearest, setting, torch_rng

N_MODES, RADIUS, STD = 8, 2.0, 0.1
# A sample belongs to a mode within so many standard deviations of its centre.
MAX_STDS = 3.0
MONITORED_SAMPLES = SAMPLES = 1000


def mode_centers() -> Tensor:
    """Return the eight means, (8, 2)."""
    angles = torch.arange(N_MODES, device="cpu") * (2 * math.pi / N_MODES)
    return RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)


def sample_ring(n: int, rng: torch.Generator) -> Tensor:
    """Return n points (n, 2) of the mixture with equal weights."""
    modes = torch.randint(N_MODES, (n,), generator=rng, device=rng.device)
    return mode_centers()[modes] + STD * torch.randn(n, 2, generator=rng, device=rng.device)


def assign_modes(points: Tensor) -> Tensor:
    """Return the mode of each point (n, 2), or -1 beyond three standard deviations of every centre."""
    distance, mode = torch.cdist(points, mode_centers().to(points)).min(1)
    return torch.where(distance <= MAX_STDS * STD, mode, -1)


def count_modes(points: Tensor) -> tuple[int, float]:
    """Return how many modes hold a quarter of n / 8 points or more, and the fraction of points in any mode."""
    assigned = assign_modes(points)
    counts = torch.bincount(assigned[assigned >= 0], minlength=N_MODES)
    return int((counts >= MODE_FRACTION * len(points) / N_MODES).sum()), float((assigned >= 0).float().mean())


# Two settings that fail, each for a known reason, and two other objectives with what they need.
RING_VARIANTS: dict[str, dict[str, Any]] = {
    "minimax, strong discriminator": {
        "objective": "minimax", "generator_learning_rate": 1e-4, "discriminator_learning_rate": 2e-3,
        "discriminator_steps": 5, "r1": 0.0,
    },
    "a generator too fast": {
        "generator_learning_rate": 1e-2, "discriminator_learning_rate": 1e-4, "r1": 0.0, "ema_decay": 0.0,
    },
    "least squares": {"objective": "least_squares"},
    "wasserstein with penalty": {
        "objective": "wasserstein_penalty", "gradient_penalty": 1.0, "discriminator_steps": 3, "r1": 0.0,
    },
}  # fmt: skip


class RingSettings(AdversarialSettings):
    """Settings on the Gaussian ring, trained with `seeds` seeds; `variants` are trained with the first of them."""

    epochs: int = setting(40, "passes through the points", "", ge=1)
    batch_size: int = setting(250, "points of a discriminator or generator step", "", ge=2)
    rows: int = setting(10000, "training points, sampled from the ring", "", ge=100)
    generator_learning_rate: float = setting(2e-3, "learning rate of the generator", "", gt=0)
    discriminator_learning_rate: float = setting(2e-3, "learning rate of the discriminator", "", gt=0)
    r1: float = setting(
        0.02, "gamma of the penalty gamma/2 |dD/dx|^2 at real points (Mescheder et al. 2018)", "",
        "wasserstein, wasserstein_penalty", ge=0,
    )  # fmt: skip
    ema_decay: float = setting(
        0.99, "decay of the moving average of the generator's weights; 0 for none", "", ge=0, lt=1
    )
    hidden_sizes: tuple[int, ...] = setting(
        (128, 128, 128), "units of the layers of generator and discriminator"
    )
    latent_size: int = setting(8, "numbers of the noise z, standard normal", "", ge=1)
    spectral_normalization: bool = setting(
        False, "divide the discriminator's weights by their largest singular value (Miyato et al. 2018)"
    )
    seeds: int = setting(5, "seeds that the default settings are trained with", "", ge=1)
    variants: tuple[str, ...] = setting(
        tuple(RING_VARIANTS), "other settings, trained once each for comparison"
    )

    @field_validator("variants")
    @classmethod
    def _check_variants(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        for name in variants:
            if name not in RING_VARIANTS:
                raise ValueError(f"unknown variant '{name}'{nearest(name, list(RING_VARIANTS))}")
        return variants

    def count_parameters(self) -> int:
        """Return the parameters of generator and discriminator."""
        generator = dense_parameters(self.latent_size, *self.hidden_sizes, 2)
        return generator + dense_parameters(2, *self.hidden_sizes, 1)

    def with_variant(self, name: str) -> RingSettings:
        """Return the settings of a named variant; `default` are these."""
        return RingSettings(**(self.model_dump() | RING_VARIANTS[name])) if name in RING_VARIANTS else self


def train_ring_gan(
    settings: RingSettings,
    seed: int,
    name: str = "ring",
    device: torch.device | str = "cpu",
) -> GANResult:
    """Train a GAN on points of the ring, sampled from the seed; the result is on the CPU, wherever it was trained.

    It reports nothing: a run trains several.

    Args:
        settings: of the networks and their training.
        seed: of every random stream.
        name: of the metrics and random streams.
        device: where the networks learn.
    """
    generator, discriminator = _build_ring_networks(settings, torch_rng(seed, name, "start"))
    rows = sample_ring(settings.rows, torch_rng(seed, name, "rows"))
    plan = AdversarialPlan(
        generator.to(device),
        discriminator.to(device),
        settings,
        torch_rng(seed, name, "draws", device=device),
    )
    monitor_rng = torch_rng(seed, name, "watched")
    monitor = GANMonitor(
        plan.sampler,
        generator.noise(MONITORED_SAMPLES, monitor_rng).to(device),
        sample_ring(MONITORED_SAMPLES, monitor_rng).to(device),
        lambda: torch_rng(seed, name, "unused", device=device),
        modes=assign_modes,
        n_modes=N_MODES,
        every=max(1, settings.epochs // 10),
        n_shown=MONITORED_SAMPLES,
    )
    result = train_adversarial(
        plan, TensorData(rows.to(device)), None, seed, name=name, monitor=monitor, silent=True
    )
    result.generator.cpu()
    result.discriminator.cpu()
    result.sample_history = [(epoch, samples.cpu()) for epoch, samples in result.sample_history]
    return result


def _build_ring_networks(settings: RingSettings, rng: torch.Generator) -> tuple[Generator, Discriminator]:
    generator_config = GeneratorConfig(
        latent_size=settings.latent_size,
        n_outputs=2,
        hidden_sizes=settings.hidden_sizes,
        normalization="none",
        output="linear",
    )
    discriminator_config = DiscriminatorConfig(
        n_inputs=2,
        hidden_sizes=settings.hidden_sizes,
        spectral_normalization=settings.spectral_normalization,
    )
    # One after the other: both take their start from one stream.
    generator = Generator(generator_config, rng)
    return generator, Discriminator(discriminator_config, rng)


class RingRun(Config):
    """One GAN of the ring, and what it found.

    Args:
        variant: of the settings.
        seed: of the training.
        modes: how many it found.
        in_modes: the fraction of its samples in any mode.
        diagnoses: a sentence for each failure.
        seconds: of training.
        last: the metrics of the last epoch.
        samples: some of its points, x and y.
    """

    variant: str
    seed: int
    modes: int
    in_modes: float
    diagnoses: tuple[str, ...]
    seconds: float
    last: Epoch
    samples: tuple[tuple[float, float], ...]

    @property
    def kinds(self) -> str:
        """The kinds of its failures."""
        return ", ".join(diagnosis.split(":")[0] for diagnosis in self.diagnoses) or "no failure"


class RingResults(RootModel[tuple[RingRun, ...]]):
    """Every GAN of the ring: the default with several seeds, then each variant."""

    model_config = ConfigDict(frozen=True)


def train_ring_gans(
    settings: RingSettings, seed: int, device: torch.device | str = "cpu"
) -> tuple[RingResults, list[tuple[int, Tensor]]]:
    """Train the default GAN with several seeds, the variants with the first of them, on a device.

    Returns:
        The results, and epoch and samples (n, 2) of fixed noise of the first GAN.
    """
    runs = [("default", seed + k) for k in range(settings.seeds)]
    runs += [(name, seed) for name in settings.variants]
    found: list[RingRun] = []
    sample_history: list[tuple[int, Tensor]] = []
    for name, own_seed in runs:
        own = settings.with_variant(name)
        result = train_ring_gan(own, own_seed, name=f"ring, {name}, {own_seed}", device=device)
        found.append(_ring_run(name, own_seed, result))
        sample_history = sample_history or result.sample_history
    return RingResults(tuple(found)), sample_history


def _ring_run(name: str, seed: int, result: GANResult) -> RingRun:
    samples = result.generator.sample(SAMPLES, torch_rng(seed, "ring", "samples"))
    modes, fraction_in_modes = count_modes(samples)
    return RingRun(
        variant=name,
        seed=seed,
        modes=modes,
        in_modes=fraction_in_modes,
        diagnoses=tuple(result.diagnoses),
        seconds=result.seconds,
        last=result.history[-1],
        samples=tuple(map(tuple, samples.tolist())),
    )
