"""Settings of `kedro run --pipelines=gan`: the networks, their conditions, and the evaluation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import PositiveInt, model_validator

from layerwise.models import Activation
from layerwise.training.gan.augmentation import AugmentationName
from layerwise.training.gan.objectives.base import OBJECTIVES
from layerwise.training.gan.settings.adversarial import AdversarialSettings
from layerwise.utils import ByRule, Config, dense_parameters, setting


class TableSettings(Config):
    """Settings of a GAN on the rows of a table (Xu et al. 2019, CTGAN)."""

    components: int = setting(
        10,
        "most normal distributions in a number column's mixture (mode-specific normalisation)",
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
        True, "sample the category of a condition by its log-frequency, so that rare ones are learnt",
        "imbalance",
    )  # fmt: skip
    classifier_weight: float = setting(
        1.0, "weight of a loss that keeps rows consistent with their target, by a classifier of real rows; 0 for none",
        "rows to train on", "regression", ge=0,
    )  # fmt: skip


class GANSettings(AdversarialSettings):
    """The shapes of generator and discriminator, their conditions, and the evaluation of samples."""

    network: ByRule[Literal["mlp", "dcgan"]] = setting(
        "mlp", "of generator and discriminator: fully connected, or convolutions for images; null: by the rows, see "
        "Sizes, as the rates, the noise and r1_every are",
        "dcgan for sharp strokes", "dcgan: tables", by_rule=True,
    )  # fmt: skip
    generator_learning_rate: ByRule[float] = setting(
        0.0002, "learning rate of the generator", "two time scales: below D's", by_rule=True, gt=0
    )
    discriminator_learning_rate: ByRule[float] = setting(
        0.0002, "learning rate of the discriminator", "", by_rule=True, gt=0
    )
    epochs: ByRule[int] = setting(
        50,
        "passes through the training rows, each of them in one discriminator step; null: by the rows, see Sizes",
        "",
        by_rule=True,
        ge=1,
    )
    batch_size: ByRule[int] = setting(
        100, "rows of a discriminator or generator step; null: by the rows, see Sizes", "64 to 500",
        by_rule=True, ge=2,
    )  # fmt: skip
    latent_size: ByRule[int] = setting(100, "numbers of the noise z, standard normal", "", by_rule=True, ge=1)
    generator_sizes: tuple[PositiveInt, ...] = setting(
        (256, 512), "units of the generator's layers", "", "dcgan"
    )
    discriminator_sizes: tuple[PositiveInt, ...] = setting(
        (512, 256), "units of the discriminator's layers", "", "dcgan"
    )
    schedule: Literal["constant", "cosine"] = setting(
        "cosine", "of both learning rates: constant, or a fall to 0", "cosine against oscillation at the end"
    )
    r1: float = setting(
        1.0, "gamma of the penalty gamma/2 |dD/dx|^2 at real rows (Mescheder et al. 2018); null: 1, but 0 where the "
        "objective constrains the gradient itself or the discriminator mixes the rows of a batch",
        "1 for images, 0 with dropout",
        "wasserstein, wasserstein_penalty, discriminator_normalization: batch", by_rule=True, ge=0,
    )  # fmt: skip
    r1_every: ByRule[int] = setting(
        1, "discriminator steps from one r1 penalty to the next, whose weight is as many times larger (Karras et al. "
        "2020)", "4 to save time", "r1: 0", by_rule=True, ge=1,
    )  # fmt: skip
    channels: int = setting(
        16, "channels of dcgan's larger layer; the smaller one has twice as many", "", "mlp", ge=1
    )
    dense_units: int = setting(
        128, "units of a dense layer before dcgan's convolutions in the generator and after them in the discriminator; "
        "0: none, and weights start as in the paper",
        "0 with discriminator_normalization: batch", "mlp", ge=0,
    )  # fmt: skip
    generator_activation: Activation = setting("relu", "of the generator's layers", "relu")
    generator_normalization: Literal["none", "batch"] = setting(
        "batch", "batch normalisation of the generator's layers", "images"
    )
    discriminator_normalization: Literal["none", "batch"] = setting(
        "none",
        "batch normalisation of the discriminator's layers",
        "dcgan",
        "wasserstein_penalty, r1, spectral_normalization",
    )
    spectral_normalization: bool = setting(
        False, "divide the discriminator's weights by their largest singular value (Miyato et al. 2018)", "hinge",
        "discriminator_normalization: batch",
    )  # fmt: skip
    dropout: float = setting(
        0.0, "fraction of the discriminator's units left out", "0.3 when D wins", "", ge=0, lt=1
    )
    pac: int = setting(
        1,
        "rows that the discriminator scores together (Lin et al. 2018)",
        "2 to 10 against collapse",
        "dcgan",
        ge=1,
    )
    condition: Literal["auto", "none", "class", "caption"] = setting(
        "auto", "what generator and discriminator are conditional on: nothing, a row's class, or class, stroke and "
        "slant; auto: the class, where images have one", "class", "caption: tables",
    )  # fmt: skip
    captions: tuple[str, ...] = setting(
        ("a seven, thick", "a thin three", "an upright one", "a zero leaning right"),
        "captions to sample with condition: caption, one line of the figure each", "", "other conditions",
    )  # fmt: skip
    augmentation: tuple[AugmentationName, ...] = setting(
        (), "random changes of real and generated images before the discriminator (Zhao et al. 2020): color, "
        "translation and cutout; the generator learns through them",
        "few images, where D knows them by heart", "tables",
    )  # fmt: skip
    animation_frames: int = setting(12, "frames of the animation of samples from fixed noise", "", ge=1)
    samples: int = setting(10000, "generated rows that are evaluated", "", ge=100)
    feature_classifier_epochs: int | None = setting(
        None,
        "epochs of the feature classifier; null: as many as 400,000 rows allow, at most 30",
        "",
        ge=1,
    )
    baselines: bool = setting(
        True, "evaluate other generators on the same rows: a VAE, the training mean", "images"
    )
    baseline_epochs: int = setting(20, "epochs of the VAE among the baselines", "", ge=1)
    table: TableSettings = TableSettings()

    @model_validator(mode="before")
    @classmethod
    def _default_r1(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("r1") is not None:
            return given
        objective = OBJECTIVES.all().get(str(given.get("objective")))
        constrained = objective is not None and objective.constrains_gradient
        mixes_rows = given.get("discriminator_normalization") == "batch"
        return given | {"r1": 0.0 if constrained or mixes_rows else 1.0}

    @model_validator(mode="after")
    def _check_networks(self) -> GANSettings:
        if self.network == "dcgan" and self.pac > 1:
            raise ValueError("packed rows are for network mlp; set pac: 1")
        if self.discriminator_normalization == "batch":
            if OBJECTIVES.find(self.objective).penalizes_rows or self.r1:
                raise ValueError(
                    "a penalty on a row's gradient has no meaning where the discriminator mixes the rows of a batch; "
                    "set discriminator_normalization: none"
                )
            if self.spectral_normalization:
                raise ValueError(
                    "spectral_normalization takes the place of discriminator_normalization; set it to none"
                )
        if (self.batch_size or 0) % self.pac:
            raise ValueError(f"batch_size {self.batch_size} is no multiple of pac {self.pac}")
        return self

    def count_parameters(self, n_inputs: int) -> int:
        """Return the parameters of both networks, of rows of so many numbers; a convolution's count a hundredfold."""
        if self.network == "dcgan":
            dense = dense_parameters(self.latent_size, 2 * self.channels * n_inputs // 16)
            return dense + 2 * 100 * 16 * self.channels * (1 + 2 * self.channels)
        generator = dense_parameters(self.latent_size, *self.generator_sizes, n_inputs)
        return generator + dense_parameters(n_inputs, *self.discriminator_sizes, 1)
