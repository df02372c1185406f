"""Image-to-image translation: GANs on pairs of a given image and its target (Isola et al. 2017)."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import PositiveInt
from torch import Tensor

from layerwise.data import TensorData
from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.training.gan.adversarial import AdversarialPlan
from layerwise.training.gan.adversarial_settings import AdversarialSettings
from layerwise.training.gan.conditioning import conditioning_on_targets
from layerwise.training.gan.train import GANResult, train_adversarial
from layerwise.utils import dense_parameters, setting, torch_rng


class PairSettings(AdversarialSettings):
    """Settings of the GANs of `kedro run --pipelines=gan_applications`."""

    epochs: int = setting(30, "passes through the training rows", "", ge=1)
    batch_size: int = setting(50, "rows of a discriminator or generator step", "", ge=2)
    generator_learning_rate: float = setting(0.001, "learning rate of the generator", "", gt=0)
    ema_decay: float = setting(0.99, "decay of the moving average of the generator's weights", "", ge=0, lt=1)
    reconstruction_weight: float = setting(
        100.0,
        "weight of the mean |x - G(z, c)| beside the adversarial loss (Isola et al. 2017)",
        "",
        "",
        ge=0,
    )
    schedule: Literal["constant", "cosine"] = setting(
        "cosine", "of both learning rates: constant, or a fall to 0"
    )
    hidden_sizes: tuple[PositiveInt, ...] = setting(
        (512, 512), "units of the layers of generator and discriminator", ""
    )
    latent_size: int = setting(16, "numbers of the noise z beside the given image", "", ge=1)
    rows: int = setting(5000, "training images at most", "", ge=10)
    frames: int = setting(3, "frames from which the next one is predicted", "", ge=2)
    demo_epochs: int = setting(60, "epochs of the generator of the HTML demo", "", ge=1)
    demo_latent_size: int = setting(
        8, "sliders of the HTML demo, beside the class", "few can be tried by hand", ge=1
    )

    def count_parameters(self, n_conditions: int, n_outputs: int) -> int:
        """Return the parameters of generator and discriminator for given images of one size and new ones of another."""
        generator = dense_parameters(self.latent_size + n_conditions, *self.hidden_sizes, n_outputs)
        return generator + dense_parameters(n_conditions + n_outputs, *self.hidden_sizes, 1)


def train_paired_gan(
    pairs: TensorData, validation: TensorData, settings: PairSettings, seed: int, name: str
) -> GANResult:
    """Train a generator of each row's inputs (n, d), conditional on its targets (n, c), both in [0, 1]."""
    assert pairs.targets is not None
    n_conditions, n_outputs = pairs.targets.shape[1], pairs.inputs.shape[1]
    device = pairs.inputs.device
    common: dict[str, Any] = {"n_conditions": n_conditions, "hidden_sizes": settings.hidden_sizes}
    generator_config = GeneratorConfig(**common, latent_size=settings.latent_size, n_outputs=n_outputs)
    plan = AdversarialPlan(
        Generator(generator_config, torch_rng(seed, name, "generator")).to(device),
        Discriminator(DiscriminatorConfig(**common, n_inputs=n_outputs), torch_rng(seed, name, "critic")).to(
            device
        ),
        settings,
        torch_rng(seed, name, "draws", device=device),
        conditioning_on_targets,
    )
    return train_adversarial(plan, pairs, validation, seed, name=name)


def generate_images(generator: Generator, given: Tensor, seed: int, name: str) -> Tensor:
    """Return an image for each given one: (n, c) to (n, d)."""
    return generator.sample(len(given), torch_rng(seed, name, "made", device=given.device), given)


def rollout(generator: Generator, frames: Tensor, n: int, seed: int) -> Tensor:
    """Predict the n frames after the given ones (rows, frames, pixels), each from those before it.

    Returns:
        (rows, n, pixels)
    """
    window, predicted = frames, []
    rng = torch_rng(seed, "frames", "rolling", device=frames.device)
    for _ in range(n):
        next_frame = generator.sample(len(window), rng, window.flatten(1))
        predicted.append(next_frame)
        window = torch.cat([window[:, 1:], next_frame[:, None]], dim=1)
    return torch.stack(predicted, dim=1)
