"""The hyperparameters of `kedro run --pipelines=autoencoder`, and which of them exclude each other."""

from __future__ import annotations

from layerwise.data.transforms import AugmentationSettings, CorruptionName
from layerwise.training.autoencoder.registry import VariantName, find_variant
from layerwise.training.autoencoder.settings.base import BaseAutoencoderSettings
from layerwise.training.optim import OptimizerName
from layerwise.utils import ByRule, setting


class AutoencoderSettings(BaseAutoencoderSettings):
    """The autoencoder of `kedro run --pipelines=autoencoder`."""

    variant: VariantName = setting("compression", "the kind; see Autoencoders")
    hidden_sizes: tuple[int, ...] | None = setting(
        None, "units of each hidden layer of the encoder; null: the variant's own", "[] for one layer",
        "convolutional",
    )  # fmt: skip
    latent_size: int | None = setting(
        None,
        "units of the latent; null: the variant's own; compression: half the columns, at most 30, of images 64; "
        "overcomplete: 5/4",
        "less than the columns, unless noise or a penalty is set",
        "",
        by_rule=True,
        ge=1,
    )
    corruption: CorruptionName | None = setting(
        None,
        "noise on the encoder's input, see Corruption; null: the variant's own; compression: gaussian for images",
        "denoising",
        "variational",
        by_rule=True,
    )
    optimizer: ByRule[OptimizerName] = setting(
        "adam", "the rule of the steps; see Optimisers; null: adam, of a compression of images adamw",
        "adam, or adamw with decay", by_rule=True,
    )  # fmt: skip
    learning_rate: ByRule[float] = setting(
        1e-3, "r, the size of the steps; null: 0.001, of a compression of images 0.004", "try 0.1 down to 0.0001",
        by_rule=True, gt=0,
    )  # fmt: skip
    weight_decay: ByRule[float] = setting(
        0.0, "decoupled decay: each step also subtracts r times this fraction of the weights; null: 0, of a "
        "compression of images by the steps, see Sizes", "0.1 to 1: features that are strokes",
        "optimisers other than adamw", by_rule=True, ge=0,
    )  # fmt: skip
    channels: tuple[int, ...] = setting(
        (16, 32), "filters of each convolution; each halves the image", "", "other variants"
    )
    epochs: ByRule[int] = setting(
        40, "passes over the training rows; null: by the rows, see Sizes", "50 and more for likelihoods",
        by_rule=True, ge=1,
    )  # fmt: skip
    batch_size: ByRule[int] = setting(
        100, "rows a step; null: by the rows, see Sizes", "100 to 200", by_rule=True, ge=1
    )
    patience: int | None = setting(
        None, "epochs without a better validation loss before early stopping", "5 to 20", ge=1
    )
    augmentation: AugmentationSettings = AugmentationSettings()
    beta: float = setting(
        1.0, "weight of the KL divergence (Higgins et al. 2017)", "1: a bound on the likelihood",
        "other variants; importance_samples above 1", ge=0,
    )  # fmt: skip
    beta_warmup_epochs: int = setting(
        0, "beta rises linearly from 0 over so many epochs", "10 against posterior collapse", "other variants",
        ge=0,
    )  # fmt: skip
    importance_samples: int = setting(
        1, "the k of the importance-weighted bound (Burda et al. 2016)", "5 or 50", "other variants", ge=1
    )
    free_bits: float = setting(
        0.0, "nats of KL divergence that each latent unit has free (Kingma et al. 2016)", "0.05 to 0.25",
        "other variants; importance_samples above 1", ge=0,
    )  # fmt: skip
    likelihood_samples: int = setting(
        5000, "samples of the importance-weighted -log p of the test rows", "5000, as the papers do", ge=1
    )
    likelihood_rows: int = setting(
        1000, "test rows that it is estimated on", "all of them for a report", ge=1
    )
    rating_l2: float = setting(
        0.1, "of ratings: lambda of + lambda/2 sum w^2 a row", "0.01 to 1", "other rows", ge=0
    )
    bootstrap: int = setting(1000, "resamples of the test rows for each interval; 0 for none", "", ge=0)
    probe: bool = setting(True, "fit linear models on the latents, the raw rows and their components")
    downstream_tasks: bool = setting(
        True, "compression, denoising, anomalies, imputation, sequences: metrics and a figure of each"
    )
    anomaly_class: str | None = setting(
        None, "the class that is held out as anomaly; null: the last one (of two: the positive one)"
    )

    def _without_use(self) -> list[str]:
        variant, resolved = find_variant(self.variant), self.resolved(self.variant)
        conflicts = super()._without_use() + self.conflicts(self.variant)
        if any(size < 1 for size in (*resolved["hidden_sizes"], *self.channels)):
            conflicts.append("every layer needs at least 1 unit")
        if self.decoder_activation is not None and not resolved["hidden_sizes"]:
            conflicts.append("decoder_activation is of the decoder's hidden layers, and there are none")
        for name, why in variant.unused.items():
            if self.changed(name):
                conflicts.append(f"variant {self.variant} has no use for {name}{why}")
        if self.importance_samples > 1 and (self.beta != 1 or self.beta_warmup_epochs or self.free_bits):
            conflicts.append(
                "beta and free_bits change the KL divergence, which the importance-weighted bound does not have; "
                "leave them alone, or set importance_samples: 1"
            )
        return conflicts + variant.conflicts(self, resolved)
