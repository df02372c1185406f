"""Image-to-image translation: GANs on pairs of a given image and its target (Isola et al. 2017)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Tensor

from layerwise.data import ImageShape, TensorData, values_of
from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.training.gan.adversarial import AdversarialPlan
from layerwise.training.gan.conditioning import conditioning_on_targets
from layerwise.training.gan.settings import AdversarialSettings
from layerwise.training.gan.train import GANResult, train_adversarial
from layerwise.utils import setting, torch_rng


class PairSettings(AdversarialSettings):
    """Settings of the GANs of `kedro run --pipelines=gan_applications`."""

    epochs: int = setting(
        10, "passes through the training rows; a fifth of them for the next frame, which each row gives five times", "",
        ge=1,
    )  # fmt: skip
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
        (256, 128), "units of the discriminator's layers, and of the network that moves a frame", ""
    )
    channels: int = setting(
        16, "channels of the larger layers of the U-Net that draws images; the smaller ones have twice as many",
        "", ge=1,
    )  # fmt: skip
    latent_size: int = setting(16, "numbers of the noise z beside the given image", "", ge=1)
    rows: int = setting(5000, "training images at most", "", ge=10)
    frames: int = setting(3, "frames from which the next one is predicted", "", ge=2)
    demo_epochs: int = setting(12, "epochs of the generator of the HTML demo", "", ge=1)
    demo_latent_size: int = setting(
        8, "sliders of the HTML demo, beside the class", "few can be tried by hand", ge=1
    )

    def generator_config(
        self, given: ImageShape, shape: ImageShape, *, n_frames: int = 1, max_motion: int = 0
    ) -> GeneratorConfig:
        """Return a U-Net that draws an image from a given one, or, with `max_motion`, what moves the last frame."""
        return GeneratorConfig(
            network="motion" if max_motion else "unet",
            output="linear" if max_motion else "sigmoid",
            latent_size=self.latent_size,
            n_conditions=n_frames * values_of(given),
            n_outputs=values_of(shape),
            image_shape=shape,
            given_shape=given,
            hidden_sizes=self.hidden_sizes,
            channels=self.channels,
            max_motion=max_motion or 1,
        )


def build_paired_networks(
    config: GeneratorConfig, settings: PairSettings, seed: int, name: str
) -> tuple[Generator, Discriminator]:
    """Return the initialised generator, and the discriminator of its images beside the given ones."""
    shape = DiscriminatorConfig(
        n_conditions=config.n_conditions, n_inputs=config.n_outputs, hidden_sizes=settings.hidden_sizes
    )
    return (
        Generator(config, torch_rng(seed, name, "generator")),
        Discriminator(shape, torch_rng(seed, name, "critic")),
    )


def train_paired_gan(
    networks: tuple[Generator, Discriminator],
    pairs: TensorData,
    validation: TensorData,
    settings: PairSettings,
    seed: int,
    name: str,
) -> GANResult:
    """Train a generator of each row's inputs (n, d), conditional on its targets (n, c), both in [0, 1]."""
    device = pairs.device
    rng = torch_rng(seed, name, "draws", device=device)
    generator, discriminator = networks
    plan = AdversarialPlan(
        generator.to(device), discriminator.to(device), settings, rng, conditioning_on_targets
    )
    plan.shares_samples = True  # a tenth to a fifth of a step (docs/pipelines/gan_applications.md)
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
