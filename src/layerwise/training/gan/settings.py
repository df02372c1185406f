"""The adversarial network of `kedro run --pipelines=gan`: its players, what they are told, and what is reported."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import PositiveInt, model_validator

from layerwise.models.layers import Activation
from layerwise.training.gan.adversarial_settings import AdversarialSettings
from layerwise.training.gan.objectives import constrains_gradient
from layerwise.utils.config import Config, setting


class TableSettings(Config):
    """What a game for the rows of a table has besides."""

    components: int = setting(
        10,
        "normal distributions of a number column's mixture at most (mode-specific normalisation)",
        "",
        ge=1,
        le=50,
    )
    temperature: float = setting(
        0.2,
        "of the Gumbel-softmax of categories; lower is nearer to one-hot, with rougher gradients",
        "",
        gt=0,
    )
    log_frequency: bool = setting(
        True, "choose the category that a row is told by the logarithm of its frequency, so that rare ones are learnt",
        "imbalance",
    )  # fmt: skip
    classifier_weight: float = setting(
        1.0, "weight of a loss that keeps rows consistent with their target, by a classifier of real rows; 0 for none",
        "rows for training on", "regression", ge=0,
    )  # fmt: skip


class GANSettings(AdversarialSettings):
    """The players' shapes, what they are told, and what is reported of their game."""

    network: Literal["mlp", "dcgan"] = setting(
        "mlp", "of both players: layers of units, or convolutions for pictures", "dcgan for sharp strokes",
        "dcgan: tables",
    )  # fmt: skip
    latent_size: int = setting(100, "numbers of the noise z, standard normal", "", ge=1)
    generator_sizes: tuple[PositiveInt, ...] = setting(
        (256, 512), "units of the generator's layers", "", "dcgan"
    )
    discriminator_sizes: tuple[PositiveInt, ...] = setting(
        (512, 256), "units of the discriminator's layers", "", "dcgan"
    )
    schedule: Literal["constant", "cosine"] = setting(
        "cosine", "of both rates: as they are, or a fall to 0", "cosine calms the end of a game"
    )
    r1: float = setting(
        1.0, "gamma of the penalty gamma/2 |dD/dx|^2 at real rows (Mescheder et al. 2018); null: 1, but 0 where the "
        "objective has a limit of its own or the discriminator mixes the rows of a batch",
        "1 for pictures, 0 with dropout",
        "wasserstein, wasserstein_penalty, discriminator_normalization: batch", by_rule=True, ge=0,
    )  # fmt: skip
    channels: int = setting(
        32, "maps of dcgan's larger layer; the smaller one has twice as many", "", "mlp", ge=1
    )
    generator_activation: Activation = setting("relu", "of the generator's layers", "relu")
    generator_normalization: Literal["none", "batch"] = setting(
        "batch", "standardise the generator's layers over the batch", "pictures"
    )
    discriminator_normalization: Literal["none", "batch"] = setting(
        "none", "the same of the discriminator", "dcgan", "wasserstein_penalty, r1, spectral_normalization"
    )
    spectral_normalization: bool = setting(
        False, "divide the discriminator's weights by their largest singular value (Miyato et al. 2018)", "hinge",
        "discriminator_normalization: batch",
    )  # fmt: skip
    dropout: float = setting(
        0.0, "share of the discriminator's units left out", "0.3 when D wins", "", ge=0, lt=1
    )
    pac: int = setting(
        1,
        "rows that the discriminator judges together (Lin et al. 2018)",
        "2 to 10 against collapse",
        "dcgan",
        ge=1,
    )
    condition: Literal["auto", "none", "class", "caption"] = setting(
        "auto", "what the players are told of a row: nothing, its class, or class, stroke and slant; auto: the class, "
        "where pictures have one", "class", "caption: tables",
    )  # fmt: skip
    captions: tuple[str, ...] = setting(
        ("a seven, thick", "a thin three", "an upright one", "a zero leaning right"),
        "what is drawn with condition: caption, a line of the picture each", "", "other conditions",
    )  # fmt: skip
    animation_frames: int = setting(
        12, "pictures of samples from the same noise, put together as an animation", "", ge=1
    )
    samples: int = setting(10000, "generated rows that are judged", "", ge=100)
    feature_classifier_epochs: int | None = setting(
        None,
        "epochs of the classifier that judges; null: as many as 400,000 rows allow, at most 30",
        "",
        ge=1,
    )
    baselines: bool = setting(
        True, "judge other generators on the same rows: a VAE, the training mean", "pictures"
    )
    baseline_epochs: int = setting(20, "epochs of the VAE beside the game", "", ge=1)
    table: TableSettings = TableSettings()

    @model_validator(mode="before")
    @classmethod
    def _default_r1(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("r1") is not None:
            return given
        limited = constrains_gradient(str(given.get("objective")))
        mixed = given.get("discriminator_normalization") == "batch"
        return given | {"r1": 0.0 if limited or mixed else 1.0}

    @model_validator(mode="after")
    def _check_networks(self) -> GANSettings:
        if self.network == "dcgan" and self.pac > 1:
            raise ValueError("packed rows are for network mlp; set pac: 1")
        if self.discriminator_normalization == "batch":
            if self.objective == "wasserstein_penalty" or self.r1:
                raise ValueError(
                    "a penalty on a row's gradient has no meaning where the discriminator mixes the rows of a batch; "
                    "set discriminator_normalization: none"
                )
            if self.spectral_normalization:
                raise ValueError(
                    "spectral_normalization takes the place of discriminator_normalization; set it to none"
                )
        if self.batch_size % self.pac:
            raise ValueError(f"batch_size {self.batch_size} is no multiple of pac {self.pac}")
        return self
