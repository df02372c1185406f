"""Play the game on rows: build the players, watch their samples, say how it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from layerwise.data.sources.captions import Captions
from layerwise.data.tensors import DataSpec, TensorData
from layerwise.data.transforms.binarization import make_dynamic_binarization
from layerwise.models.gan.discriminator import Discriminator, DiscriminatorConfig
from layerwise.models.gan.generator import Generator, GeneratorConfig, require_divisible_by_4
from layerwise.models.mlp import MLP
from layerwise.training.callbacks.base import Callback, Reporter
from layerwise.training.callbacks.progress_bar import ProgressBar
from layerwise.training.gan.adversarial import AdversarialPlan, Conditioning, unconditional
from layerwise.training.gan.adversarial_settings import AdversarialSettings
from layerwise.training.gan.diagnosis import diagnose_gan
from layerwise.training.gan.monitor import GANMonitor, ModeAssignment
from layerwise.training.gan.settings import GANSettings
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError, Transform
from layerwise.utils.random_streams import torch_rng

# Samples that are watched epoch by epoch, and how many of them are shown.
MONITORED_SAMPLES, SHOWN_SAMPLES = 500, 64


@dataclass
class GANResult:
    """What a game leaves behind.

    Args:
        generator: the network to sample from, in evaluation mode.
        discriminator: its opponent.
        history: one dict an epoch.
        sample_history: epoch and samples (shown, d) of the same noise.
        diagnoses: what went wrong, in words.
        seconds: of training.
        training_conditions: (m, c) conditions of training rows, from which those of samples are drawn; None without conditions.
        captions: what the columns of a condition mean, with condition: caption.
    """

    generator: Generator
    discriminator: Discriminator
    history: list[dict[str, float]]
    sample_history: list[tuple[int, Tensor]]
    diagnoses: list[str]
    seconds: float
    training_conditions: Tensor | None = None
    captions: Captions | None = field(default=None)


def train_adversarial(
    plan: AdversarialPlan,
    training: TensorData,
    validation: TensorData | None,
    settings: AdversarialSettings,
    seed: int,
    *,
    name: str = "gan",
    monitor: GANMonitor | None = None,
    transform: Transform | None = None,
    callbacks: Sequence[Callback] = (),
    silent: bool = False,
) -> GANResult:
    """Play all epochs.

    Args:
        plan: the two players.
        training: the rows the discriminator compares with.
        validation: rows whose value is measured.
        monitor: watches samples.
        name: of the metrics, and of the streams of random numbers.
        silent: report nothing; for a game beside the run's own.

    Raises:
        TrainingError: rows and batches do not fit, or a figure is not finite.
    """
    batch = plan.generator.config.normalization == "batch" or (
        plan.discriminator.config.normalization == "batch"
    )
    if batch and len(training) % settings.batch_size == 1:
        raise TrainingError(
            f"{name}: batch normalisation needs 2 rows in every batch; {len(training)} rows in batches of "
            f"{settings.batch_size} leave one alone: change batch_size"
        )
    monitors: list[Callback] = [] if monitor is None else [monitor]
    shown = [] if silent else [Reporter(f"{name}/"), ProgressBar(f"playing {name}", "train/value")]
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        rng=torch_rng(seed, name, "order"),
        validation=validation,
        callbacks=[*monitors, *callbacks, *shown],
        transform=transform,
        name=name,
    )
    plan.discriminator.eval()
    return GANResult(
        plan.sampler.eval(),
        plan.discriminator,
        progress.history,
        [] if monitor is None else monitor.sample_history,
        diagnose_gan(progress.history),
        progress.seconds,
    )


def build_generator_and_discriminator(
    settings: GANSettings, columns: DataSpec, n_conditions: int, seed: int
) -> tuple[Generator, Discriminator]:
    """Return both players for pictures, with their first weights.

    Raises:
        TrainingError: the network does not fit the pictures.
    """
    if settings.network == "dcgan":
        try:
            require_divisible_by_4(columns.image_shape)
        except ValueError as error:
            raise TrainingError(f"gan: {error}") from error
    generator = GeneratorConfig(
        network=settings.network,
        latent_size=settings.latent_size,
        n_conditions=n_conditions,
        n_outputs=columns.n_inputs,
        image_shape=columns.image_shape,
        hidden_sizes=settings.generator_sizes,
        channels=settings.channels,
        activation=settings.generator_activation,
        normalization=settings.generator_normalization,
    )
    return (
        Generator(generator, torch_rng(seed, "gan", "generator")),
        Discriminator(
            discriminator_config(settings, columns, n_conditions), torch_rng(seed, "gan", "critic")
        ),
    )


def discriminator_config(
    settings: GANSettings, columns: DataSpec, n_conditions: int, n_inputs: int | None = None
) -> DiscriminatorConfig:
    """Return the discriminator's shape for prepared rows, or for encoded ones of `n_inputs` columns."""
    return DiscriminatorConfig(
        network=settings.network,
        n_inputs=n_inputs or columns.n_inputs,
        n_conditions=n_conditions,
        image_shape=columns.image_shape,
        hidden_sizes=settings.discriminator_sizes,
        channels=settings.channels,
        normalization=settings.discriminator_normalization,
        spectral_normalization=settings.spectral_normalization,
        dropout=settings.dropout,
        pac=settings.pac,
    )


def train_image_gan(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: GANSettings,
    seed: int,
    classifier: MLP,
) -> GANResult:
    """Play on pictures, with classes as modes and conditions if so set.

    Args:
        training: pixels in [0, 1] and their classes.
        classifier: names the classes of samples, so that collapse is seen.
    """
    device = training.inputs.device
    condition, captions = _build_condition(training, columns, settings)
    training_conditions = None if condition is None else condition(training)
    n_conditions = 0 if training_conditions is None else training_conditions.shape[1]
    generator, discriminator = build_generator_and_discriminator(settings, columns, n_conditions, seed)
    conditioning: Conditioning = unconditional
    if condition is not None:
        make_condition = condition
        conditioning = lambda batch, rng: (batch.inputs, make_condition(batch))  # noqa: E731
    plan = AdversarialPlan(
        generator.to(device),
        discriminator.to(device),
        settings,
        torch_rng(seed, "gan", "draws", device=device),
        conditioning,
    )
    classifier = classifier.to(device).eval()
    binarize = make_dynamic_binarization(seed, device, "gan") if columns.dynamic_binarization else None
    monitor = build_monitor(
        plan,
        validation.inputs,
        settings,
        seed,
        training_conditions=training_conditions,
        modes=lambda rows: classifier(rows).argmax(1),
        n_modes=columns.n_outputs if columns.task == "multiclass" else 0,
    )
    result = train_adversarial(
        plan, training, validation, settings, seed, monitor=monitor, transform=binarize
    )
    result.training_conditions, result.captions = training_conditions, captions
    return result


def _build_condition(
    training: TensorData, columns: DataSpec, settings: GANSettings
) -> tuple[Callable[[TensorData], Tensor] | None, Captions | None]:
    """Return what turns a batch into its conditions."""
    if settings.condition == "none" or (settings.condition == "auto" and columns.task != "multiclass"):
        return None, None
    assert training.targets is not None
    if columns.task != "multiclass":
        raise TrainingError(
            f"gan.condition: {settings.condition} is for classes, and the task is {columns.task}"
        )
    if settings.condition != "caption":
        return lambda batch: one_hot(_classes(batch), columns.n_outputs).float(), None
    assert columns.image_shape is not None
    captions = Captions.fit(training.inputs, training.targets, columns.class_names, columns.image_shape)
    for caption in settings.captions:
        captions.parse(caption)
    return lambda batch: captions.condition(captions.describe(batch.inputs, _classes(batch))), captions


def _classes(batch: TensorData) -> Tensor:
    assert batch.targets is not None
    return batch.targets


def build_monitor(
    plan: AdversarialPlan,
    real: Tensor,
    settings: GANSettings,
    seed: int,
    *,
    training_conditions: Tensor | None = None,
    modes: ModeAssignment | None = None,
    n_modes: int = 0,
    n_shown: int = SHOWN_SAMPLES,
) -> GANMonitor:
    """Return a monitor with noise and conditions of its own, which compares with real rows (n, d)."""
    device = real.device
    rng = torch_rng(seed, "gan", "watched", device=device)
    n_monitored = min(MONITORED_SAMPLES, len(real))
    noise = plan.generator.noise(n_monitored, rng)
    condition = (
        None if training_conditions is None else sample_conditions(training_conditions, n_monitored, rng)
    )
    return GANMonitor(
        plan.sampler,
        noise,
        real[:n_monitored],
        lambda: torch_rng(seed, "gan", "watched", "gumbel", device=device),
        condition=condition,
        modes=modes if n_modes else None,
        n_modes=n_modes,
        every=max(1, settings.epochs // settings.animation_frames),
        n_shown=n_shown,
    )


def sample_conditions(training_conditions: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Return n of the known conditions (m, c), drawn with replacement."""
    return training_conditions[
        torch.randint(len(training_conditions), (n,), generator=rng, device=rng.device)
    ]
