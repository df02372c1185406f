"""Paired games: a picture is made from another one (Isola et al. 2017)."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import PositiveInt
from torch import Tensor

from layerwise.data.tensors import TensorData
from layerwise.models.gan.discriminator import Discriminator, DiscriminatorConfig
from layerwise.models.gan.generator import Generator, GeneratorConfig
from layerwise.training.gan.adversarial import AdversarialPlan
from layerwise.training.gan.adversarial_settings import AdversarialSettings
from layerwise.training.gan.train import GANResult, train_adversarial
from layerwise.utils.config import setting
from layerwise.utils.random_streams import torch_rng


class PairSettings(AdversarialSettings):
    """The games of `kedro run --pipelines=gan_applications`."""

    epochs: int = setting(30, "passes through the training rows", "", ge=1)
    batch_size: int = setting(50, "rows of a step of either player", "", ge=2)
    generator_learning_rate: float = setting(0.001, "learning rate of the generator", "", gt=0)
    ema_decay: float = setting(
        0.99, "decay of the running average of the generator's weights", "", ge=0, lt=1
    )
    reconstruction_weight: float = setting(
        100.0, "weight of the mean |x - G(z, c)| beside the game (Isola et al. 2017)", "", "", ge=0
    )
    schedule: Literal["constant", "cosine"] = setting("cosine", "of both rates: as they are, or a fall to 0")
    hidden_sizes: tuple[PositiveInt, ...] = setting((512, 512), "units of both players' layers", "")
    latent_size: int = setting(16, "numbers of the noise beside the picture that is given", "", ge=1)
    rows: int = setting(5000, "training pictures at most", "", ge=10)
    frames: int = setting(3, "frames that are seen before the one that is predicted", "", ge=2)
    demo_epochs: int = setting(60, "epochs of the game behind the page with sliders", "", ge=1)
    demo_latent_size: int = setting(
        8, "sliders of the page, beside the class", "few can be tried by hand", ge=1
    )


def conditioning_on_targets(batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Read a batch's targets as the pictures that are given."""
    return batch.inputs, batch.targets


def train_paired_gan(
    pairs: TensorData, held_out: TensorData, settings: PairSettings, seed: int, name: str
) -> GANResult:
    """Learn to make each row's inputs (n, d) from its targets (n, c), both in [0, 1]."""
    assert pairs.targets is not None
    given, made = pairs.targets.shape[1], pairs.inputs.shape[1]
    device = pairs.inputs.device
    common: dict[str, Any] = {"n_conditions": given, "hidden_sizes": settings.hidden_sizes}
    shape = GeneratorConfig(**common, latent_size=settings.latent_size, n_outputs=made)
    plan = AdversarialPlan(
        Generator(shape, torch_rng(seed, name, "generator")).to(device),
        Discriminator(DiscriminatorConfig(**common, n_inputs=made), torch_rng(seed, name, "critic")).to(
            device
        ),
        settings,
        torch_rng(seed, name, "draws", device=device),
        conditioning_on_targets,
    )
    return train_adversarial(plan, pairs, held_out, settings, seed, name=name)


def generate_images(generator: Generator, given: Tensor, seed: int, name: str) -> Tensor:
    """Return one picture for each given one (n, c), (n, d)."""
    return generator.sample(len(given), torch_rng(seed, name, "made", device=given.device), given)


def rollout(generator: Generator, frames: Tensor, n: int, seed: int) -> Tensor:
    """Return n frames after the given ones (rows, frames, pixels), each predicted from those before it.

    Returns:
        (rows, n, pixels)
    """
    seen, made = frames, []
    rng = torch_rng(seed, "frames", "rolling", device=frames.device)
    for _ in range(n):
        next_frame = generator.sample(len(seen), rng, seen.flatten(1))
        made.append(next_frame)
        seen = torch.cat([seen[:, 1:], next_frame[:, None]], dim=1)
    return torch.stack(made, dim=1)
