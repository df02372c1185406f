"""Play the game on rows: build the players, watch their samples, say how it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from layerwise.data.sources.captions import Captions
from layerwise.data.tensors import Description, Rows
from layerwise.data.transforms.binarization import binarise_freshly
from layerwise.models.gan.discriminator import Discriminator, DiscriminatorConfig
from layerwise.models.gan.generator import Generator, GeneratorConfig, require_quarters
from layerwise.models.mlp import MLP
from layerwise.training.callbacks.base import Callback, Reporter
from layerwise.training.callbacks.progress_bar import ProgressBar
from layerwise.training.gan.adversarial import Adversarial, Pairing, without_condition
from layerwise.training.gan.adversarial_settings import GameSettings
from layerwise.training.gan.diagnosis import verdicts
from layerwise.training.gan.monitor import GameMonitor, Modes
from layerwise.training.gan.settings import GANSettings
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError, Transform
from layerwise.utils.random_streams import generator_for

# Samples that are watched epoch by epoch, and how many of them are shown.
WATCHED, SHOWN = 500, 64


@dataclass
class Played:
    """What a game leaves behind.

    Args:
        generator: the network to sample from, in evaluation mode.
        discriminator: its opponent.
        history: one dict an epoch.
        film: epoch and samples (shown, d) of the same noise.
        verdicts: what went wrong, in words.
        seconds: of training.
        known: (m, c) conditions of training rows, from which those of samples are drawn; None without conditions.
        captions: what the columns of a condition mean, with condition: caption.
    """

    generator: Generator
    discriminator: Discriminator
    history: list[dict[str, float]]
    film: list[tuple[int, Tensor]]
    verdicts: list[str]
    seconds: float
    known: Tensor | None = None
    captions: Captions | None = field(default=None)


def play(
    trainee: Adversarial,
    training: Rows,
    validation: Rows | None,
    settings: GameSettings,
    seed: int,
    *,
    name: str = "gan",
    monitor: GameMonitor | None = None,
    transform: Transform | None = None,
    callbacks: Sequence[Callback] = (),
    quiet: bool = False,
) -> Played:
    """Play all epochs.

    Args:
        trainee: the two players.
        training: the rows the discriminator compares with.
        validation: rows whose value is measured.
        monitor: watches samples.
        name: of the metrics, and of the streams of random numbers.
        quiet: report nothing; for a game beside the run's own.

    Raises:
        TrainingError: rows and batches do not fit, or a figure is not finite.
    """
    batch = trainee.generator.config.normalisation == "batch" or (
        trainee.discriminator.config.normalisation == "batch"
    )
    if batch and len(training) % settings.batch_size == 1:
        raise TrainingError(
            f"{name}: batch normalisation needs 2 rows in every batch; {len(training)} rows in batches of "
            f"{settings.batch_size} leave one alone: change batch_size"
        )
    watch: list[Callback] = [] if monitor is None else [monitor]
    shown = [] if quiet else [Reporter(f"{name}/"), ProgressBar(f"playing {name}", "train/value")]
    progress = fit(
        trainee,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        generator=generator_for(seed, name, "order"),
        validation=validation,
        callbacks=[*watch, *callbacks, *shown],
        transform=transform,
        name=name,
    )
    trainee.discriminator.eval()
    return Played(
        trainee.sampler.eval(),
        trainee.discriminator,
        progress.history,
        [] if monitor is None else monitor.film,
        verdicts(progress.history),
        progress.seconds,
    )


def players(
    settings: GANSettings, columns: Description, n_conditions: int, seed: int
) -> tuple[Generator, Discriminator]:
    """Return both players for pictures, with their first weights.

    Raises:
        TrainingError: the network does not fit the pictures.
    """
    if settings.network == "dcgan":
        try:
            require_quarters(columns.image_shape)
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
        normalisation=settings.generator_normalisation,
    )
    return (
        Generator(generator, generator_for(seed, "gan", "generator")),
        Discriminator(
            discriminator_config(settings, columns, n_conditions), generator_for(seed, "gan", "critic")
        ),
    )


def discriminator_config(
    settings: GANSettings, columns: Description, n_conditions: int, n_inputs: int | None = None
) -> DiscriminatorConfig:
    """Return the discriminator's shape for prepared rows, or for encoded ones of `n_inputs` columns."""
    return DiscriminatorConfig(
        network=settings.network,
        n_inputs=n_inputs or columns.n_inputs,
        n_conditions=n_conditions,
        image_shape=columns.image_shape,
        hidden_sizes=settings.discriminator_sizes,
        channels=settings.channels,
        normalisation=settings.discriminator_normalisation,
        spectral=settings.spectral,
        dropout=settings.dropout,
        packed=settings.packed,
    )


def play_pictures(
    training: Rows, validation: Rows, columns: Description, settings: GANSettings, seed: int, classifier: MLP
) -> Played:
    """Play on pictures, with classes as modes and conditions if so set.

    Args:
        training: pixels in [0, 1] and their classes.
        classifier: names the classes of samples, so that collapse is seen.
    """
    device = training.inputs.device
    condition, captions = _conditions(training, columns, settings)
    known = None if condition is None else condition(training)
    n_conditions = 0 if known is None else known.shape[1]
    generator, discriminator = players(settings, columns, n_conditions, seed)
    pairing: Pairing = without_condition
    if condition is not None:
        told = condition
        pairing = lambda batch, draws: (batch.inputs, told(batch))  # noqa: E731
    trainee = Adversarial(
        generator.to(device),
        discriminator.to(device),
        settings,
        generator_for(seed, "gan", "draws", device=device),
        pairing,
    )
    classifier = classifier.to(device).eval()
    fresh = binarise_freshly(seed, device, "gan") if columns.fresh_binarisation else None
    monitor = monitor_of(
        trainee,
        validation.inputs,
        settings,
        seed,
        known=known,
        modes=lambda rows: classifier(rows).argmax(1),
        n_modes=columns.n_outputs if columns.task == "multiclass" else 0,
    )
    played = play(trainee, training, validation, settings, seed, monitor=monitor, transform=fresh)
    played.known, played.captions = known, captions
    return played


def _conditions(
    training: Rows, columns: Description, settings: GANSettings
) -> tuple[Callable[[Rows], Tensor] | None, Captions | None]:
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


def _classes(batch: Rows) -> Tensor:
    assert batch.targets is not None
    return batch.targets


def monitor_of(
    trainee: Adversarial,
    real: Tensor,
    settings: GANSettings,
    seed: int,
    *,
    known: Tensor | None = None,
    modes: Modes | None = None,
    n_modes: int = 0,
    shown: int = SHOWN,
) -> GameMonitor:
    """Return a monitor with noise and conditions of its own, which compares with real rows (n, d)."""
    device = real.device
    draws = generator_for(seed, "gan", "watched", device=device)
    watched = min(WATCHED, len(real))
    noise = trainee.generator.noise(watched, draws)
    condition = None if known is None else draw_known(known, watched, draws)
    return GameMonitor(
        trainee.sampler,
        noise,
        real[:watched],
        lambda: generator_for(seed, "gan", "watched", "gumbel", device=device),
        condition=condition,
        modes=modes if n_modes else None,
        n_modes=n_modes,
        every=max(1, settings.epochs // settings.pictures),
        shown=shown,
    )


def draw_known(known: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return n of the known conditions (m, c), drawn with replacement."""
    return known[torch.randint(len(known), (n,), generator=generator, device=generator.device)]
