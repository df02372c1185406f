"""Training of a GAN: its networks, its monitor, the loop and the diagnosis; and a GAN of images."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.data.sources import Captions
from layerwise.data.transforms import make_dynamic_binarization
from layerwise.models import MLP
from layerwise.models.gan import (
    Discriminator,
    DiscriminatorConfig,
    Generator,
    GeneratorConfig,
    require_divisible_by_4,
)
from layerwise.training.gan.adversarial import AdversarialPlan
from layerwise.training.gan.augmentation import make_row_augmentation
from layerwise.training.gan.conditioning import (
    Conditioning,
    build_image_condition,
    sample_conditions,
    unconditional,
)
from layerwise.training.gan.diagnosis import diagnose_gan
from layerwise.training.gan.feature_classifier import predict_classes
from layerwise.training.gan.monitor import GANMonitor, ModeAssignment, SampleDistance
from layerwise.training.gan.settings import GANSettings
from layerwise.training.histories import Epoch
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError, Transform
from layerwise.utils import Config, torch_rng

# Samples that the monitor measures after each epoch, and how many of them are shown.
MONITORED_SAMPLES, SHOWN_SAMPLES = 500, 64


@dataclass
class GANResult:
    """A trained GAN and the history of its training.

    Args:
        generator: the network to sample from, in evaluation mode.
        discriminator: in evaluation mode.
        history: the metrics, one dict an epoch.
        sample_history: epoch and samples (n_shown, d) of fixed noise.
        diagnoses: a sentence for each failure.
        seconds: of training.
        training_conditions: (m, c) conditions of training rows, from which those of samples are drawn; None
            without conditions.
        captions: what the columns of a condition mean, with condition: caption.
    """

    generator: Generator
    discriminator: Discriminator
    history: list[dict[str, float]]
    sample_history: list[tuple[int, Tensor]]
    diagnoses: list[str]
    seconds: float
    training_conditions: Tensor | None = None
    captions: Captions | None = None


class GANHistory(Config):
    """The epochs of a GAN's training, and a sentence for each failure."""

    epochs: tuple[Epoch, ...]
    diagnoses: tuple[str, ...]
    seconds: float

    @classmethod
    def of(cls, result: GANResult) -> GANHistory:
        """Return the history of a training."""
        return cls(epochs=tuple(result.history), diagnoses=tuple(result.diagnoses), seconds=result.seconds)

    def run_tags(self) -> dict[str, str]:
        """Return the kinds of the failures, for the run."""
        kinds = [diagnosis.split(":")[0] for diagnosis in self.diagnoses]
        return {"gan.diagnosis": ", ".join(kinds) or "none"}


def train_adversarial(
    plan: AdversarialPlan,
    training: TensorData,
    validation: TensorData | None,
    seed: int,
    *,
    name: str = "gan",
    monitor: GANMonitor | None = None,
    transform: Transform | None = None,
    silent: bool = False,
) -> GANResult:
    """Train a generator and a discriminator for all epochs, and diagnose the history.

    Args:
        plan: the networks, their optimizers, the number of epochs and the batch size.
        training: real rows for the discriminator.
        validation: rows for the validation metrics.
        seed: of the order of the rows.
        name: of the metrics, and of the random streams.
        monitor: samples after each epoch.
        transform: of each training batch, such as a new binarization.
        silent: report nothing, where a run trains other GANs too.

    Raises:
        TrainingError: rows and batches do not fit, or a metric is not finite.
    """
    settings, configs = plan.settings, (plan.generator.config, plan.discriminator.config)
    batch_normalization = any(config.normalization == "batch" for config in configs)
    if batch_normalization and len(training) % settings.batch_size == 1:
        raise TrainingError(
            f"{name}: batch normalisation needs 2 rows in every batch; {len(training)} rows in batches of "
            f"{settings.batch_size} leave one alone: change batch_size"
        )
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        rng=torch_rng(seed, name, "order"),
        validation=validation,
        callbacks=[] if monitor is None else [monitor],
        transform=transform,
        name=name,
        # The curves of the network that a run is about stand under the same names in every pipeline.
        prefix="" if name == "gan" else name,
        monitor="train/value",
        quiet=silent,
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
    """Return the initialised networks of a GAN of images.

    Raises:
        TrainingError: the network does not fit the images.
    """
    if settings.network == "dcgan":
        try:
            require_divisible_by_4(columns.image_shape)
        except ValueError as error:
            raise TrainingError(f"gan: {error}") from error
    generator_config = GeneratorConfig(
        network=settings.network,
        latent_size=settings.latent_size,
        n_conditions=n_conditions,
        n_outputs=columns.n_inputs,
        image_shape=columns.image_shape,
        hidden_sizes=settings.generator_sizes,
        channels=settings.channels,
        dense_units=settings.dense_units if settings.network == "dcgan" else 0,
        activation=settings.generator_activation,
        normalization=settings.generator_normalization,
    )
    return (
        Generator(generator_config, torch_rng(seed, "gan", "generator")),
        Discriminator(
            discriminator_config(settings, columns, n_conditions), torch_rng(seed, "gan", "critic")
        ),
    )


def discriminator_config(
    settings: GANSettings, columns: DataSpec, n_conditions: int, n_inputs: int | None = None
) -> DiscriminatorConfig:
    """Return the discriminator's config for preprocessed rows, or for encoded ones of `n_inputs` columns."""
    return DiscriminatorConfig(
        network=settings.network,
        n_inputs=n_inputs or columns.n_inputs,
        n_conditions=n_conditions,
        image_shape=columns.image_shape,
        hidden_sizes=settings.discriminator_sizes,
        channels=settings.channels,
        dense_units=settings.dense_units if settings.network == "dcgan" else 0,
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
    distance: SampleDistance | None = None,
) -> GANResult:
    """Train a GAN on images, conditional on class or caption if the settings say so; the classes are its modes.

    Args:
        training: pixels in [0, 1] and their classes.
        validation: rows for the validation metrics.
        columns: the data spec of the problem.
        settings: of the networks and their training.
        seed: of every random stream.
        classifier: of the samples' classes, so that mode collapse is seen.
        distance: of samples from validation rows, measured after each epoch.
    """
    device = training.device
    condition, captions = build_image_condition(training, columns, settings)
    training_conditions = None if condition is None else condition(training).to(device)
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
        augmentation=make_row_augmentation(settings.augmentation, columns.image_shape)
        if settings.augmentation and columns.image_shape
        else None,
    )
    plan.shares_samples = True  # a seventh of a step of convolutions (docs/pipelines/gan.md)
    classifier = classifier.to(device).eval()
    binarize = make_dynamic_binarization(seed, device, "gan") if columns.dynamic_binarization else None
    monitor = build_monitor(
        plan,
        validation[slice(MONITORED_SAMPLES)].inputs,
        settings,
        seed,
        training_conditions=training_conditions,
        modes=lambda rows: predict_classes(classifier, rows),
        n_modes=len(columns.class_names),
        distance=distance,
    )
    result = train_adversarial(plan, training, validation, seed, monitor=monitor, transform=binarize)
    result.training_conditions, result.captions = training_conditions, captions
    return result


def build_monitor(
    plan: AdversarialPlan,
    real: Tensor,
    settings: GANSettings,
    seed: int,
    *,
    training_conditions: Tensor | None = None,
    modes: ModeAssignment | None = None,
    n_modes: int = 0,
    distance: SampleDistance | None = None,
    n_shown: int = SHOWN_SAMPLES,
) -> GANMonitor:
    """Return a monitor with its own noise and conditions, which compares samples with real rows (n, d)."""
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
        distance=distance,
        every=max(1, settings.epochs // settings.animation_frames),
        n_shown=n_shown,
    )
