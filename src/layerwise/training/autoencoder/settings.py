"""Every hyperparameter of autoencoders: the kinds, what a layer learns by, and what does not go together."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from layerwise.data.transforms.augmentation import AugmentationSettings
from layerwise.data.transforms.corruption import CorruptionName
from layerwise.models.layers import Activation, Initializer
from layerwise.models.mlp import for_each_layer
from layerwise.training.autoencoder.latent_penalties import SPARSITIES, SparsityName
from layerwise.training.autoencoder.variants import (
    COMMON_DEFAULTS,
    DEFAULT_CORRUPTION_LEVELS,
    DEFAULT_SPARSITY_WEIGHTS,
    VARIANT_DEFAULTS,
    Variant,
)
from layerwise.training.optim.settings import OptimizerName, ScheduleName
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.config import Config, setting
from layerwise.utils.devices import Precision


class BaseAutoencoderSettings(Config):
    """How one autoencoder learns; null is the variant's own value."""

    activation: Activation | tuple[Activation, ...] | None = setting(
        None,
        "of the hidden layers on the way to the code: one for all, or a list; null: the variant's own",
        "silu or relu when deep",
    )
    latent_activation: Activation | None = setting(
        None, "of the code; null: the variant's own", "linear for small codes, sigmoid for features"
    )
    decoder_activation: Activation | None = setting(
        None, "of the hidden layers on the way back; null: as on the way to the code"
    )
    tied: bool | None = setting(
        None, "the way back uses the weights of the way to the code, transposed; null: the variant's own",
        "one layer, few rows", "variational, convolutional",
    )  # fmt: skip
    initializer: Initializer | None = setting(
        None, "how the weights start; null: the variant's own", "he with relu and silu"
    )
    initializer_gain: float = setting(
        1.0, "multiplies the weights' start", "0.1: to see a deep net not start", gt=0
    )
    loss: Literal["auto", "binary_cross_entropy", "squared", "mixed", "gaussian"] = setting(
        "auto",
        "made small: cross-entropy in [0, 1], squared error, or by the column's kind (mixed); gaussian: its "
        "variance is learnt", "auto; squared where the squared error is the goal",
        "binary_cross_entropy: inputs outside [0, 1]; gaussian: all but variational",
    )  # fmt: skip
    output: Literal["auto", "sigmoid", "linear"] = setting(
        "auto",
        "what the last layer's numbers pass; auto: a sigmoid for pixels",
        "linear for numbers of any size",
        "losses that fix it",
    )
    corruption: CorruptionName | None = setting(
        None,
        "noise on what the encoder sees, see Corruption; null: the variant's own",
        "denoising",
        "variational",
    )
    corruption_level: float | None = setting(
        None,
        "its share of columns, or the deviation of gaussian; null: masking and salt_and_pepper 0.25, gaussian 0.3, "
        "swap 0.15",
        "0.1 to 0.5",
        "corruption: none",
        ge=0,
    )
    sparsity: SparsityName | None = setting(
        None, "what makes codes sparse, see Sparsity; null: the variant's own", "sparse", "variational"
    )
    sparsity_weight: float | None = setting(
        None,
        "lambda of the penalty; null: 0.5 of kl, 0.05 of l1",
        "until the activity is as asked for",
        "top_k, none",
        ge=0,
    )
    sparsity_target: float | None = setting(
        None, "rho, the mean activity that kl asks for; 0.05 unless set", "0.02 to 0.1", "l1, top_k",
        gt=0, lt=1,
    )  # fmt: skip
    top_k_units: int | None = setting(
        None, "the k of top_k; a tenth of the code unless set", "10 to 40 of 1000", "kl, l1", ge=1
    )
    contraction: float | None = setting(
        None, "lambda of + lambda |J|^2, J the encoder's Jacobian; null: the variant's own", "0.05 to 0.5",
        "variational, top_k", ge=0,
    )  # fmt: skip
    jacobian: Literal["exact", "estimated"] = setting(
        "exact", "|J|^2 by its formula, or by one random direction a row (Hutchinson)", "estimated when deep",
        "exact: convolutional",
    )  # fmt: skip

    optimizer: OptimizerName = setting("adam", "the rule of the steps; see Optimisers", "adamw with decay")
    learning_rate: float = setting(1e-3, "r, the size of the steps", "2e-3 with one_cycle", gt=0)
    momentum: float | None = setting(
        None, "of momentum and nesterov; 0.9 unless set", "", "other optimisers", ge=0, lt=1
    )
    weight_decay: float = setting(0.0, "decoupled decay", "0.01 with adamw", "other optimisers", ge=0)
    schedule: ScheduleName = setting("cosine", "how the rate changes; see Schedules", "cosine, one_cycle")
    clip_norm: float | None = setting(None, "the longest that the whole gradient may be", "1 to 5", gt=0)
    precision: Precision = setting(
        "float32", "of the matrix products in training; weights and what is measured stay float32",
        "bfloat16 is up to twice as fast on AVX512-BF16 or CUDA",
    )  # fmt: skip

    def resolved(self, variant: str) -> dict[str, Any]:
        """Return what shapes and regularises the autoencoder, the variant's own value for every null."""
        found = COMMON_DEFAULTS | VARIANT_DEFAULTS[variant]
        found |= {n: getattr(self, n) for n in found if getattr(self, n, None) is not None}
        # The noise that the columns decide (auto) has the level that goes with it.
        level = self.corruption_level
        found["corruption_level"] = (
            DEFAULT_CORRUPTION_LEVELS.get(found["corruption"]) if level is None else level
        )
        weight = self.sparsity_weight
        found["sparsity_weight"] = DEFAULT_SPARSITY_WEIGHTS[found["sparsity"]] if weight is None else weight
        found["sparsity_target"] = self.sparsity_target or 0.05
        found["top_k_units"] = self.top_k_units
        return found

    def to_finetuning_settings(self, epochs: int) -> FinetuningSettings:
        """Return the optimiser's and the schedule's settings in the form that they take them."""
        return FinetuningSettings(
            epochs=epochs,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            schedule=self.schedule,
            clip_norm=self.clip_norm,
            precision=self.precision,
        )

    def conflicts(self, variant: str) -> list[str]:
        """Return a sentence for everything that has no use or makes no sense together."""
        s, found = self.resolved(variant), []
        if self.schedule == "plateau":
            found.append("schedule plateau is for fine-tuning; take cosine, step, one_cycle or constant")
        if s["corruption"] == "none" and self.corruption_level:
            found.append("corruption none has no use for corruption_level")
        if s["corruption"] not in ("gaussian", "none") and (self.corruption_level or 0) > 1:
            found.append(f"corruption {s['corruption']}: corruption_level is a share, at most 1")
        for name in ("sparsity_weight", "sparsity_target", "top_k_units"):
            if getattr(self, name) is not None and name not in SPARSITIES[s["sparsity"]].uses:
                found.append(f"sparsity {s['sparsity']} has no use for {name}")
        if s["sparsity"] == "kl" and s["latent_activation"] != "sigmoid":
            found.append(
                "sparsity kl compares activities with a share, and only sigmoid codes are shares; set "
                "latent_activation: sigmoid, or take l1 or top_k"
            )
        if s["sparsity"] == "top_k" and s["contraction"]:
            found.append(
                "contraction and top_k do not go together: the Jacobian jumps where units change places, and its "
                "norm says nothing about that"
            )
        if self.loss == "gaussian" and variant != "variational":
            found.append("loss gaussian learns a variance, which only a likelihood needs; take squared")
        if self.loss == "binary_cross_entropy" and self.output == "linear":
            found.append("binary_cross_entropy needs probabilities: leave output: auto")
        if self.loss in ("mixed", "gaussian") and self.output == "sigmoid":
            found.append(f"a {self.loss} loss reads its outputs by itself: leave output: auto")
        return found


class AutoencoderSettings(BaseAutoencoderSettings):
    """The autoencoder of `kedro run --pipelines=autoencoder`."""

    variant: Variant = setting("compression", "the kind; see Autoencoders")
    hidden_sizes: tuple[int, ...] | None = setting(
        None, "units of each hidden layer on the way to the code; null: the variant's own", "[] for one layer",
        "convolutional",
    )  # fmt: skip
    latent_size: int | None = setting(
        None,
        "units of the code; null: the variant's own; compression: half the columns, at most 30; overcomplete: 5/4",
        "less than the columns, unless noise or a penalty is set",
        "",
        ge=1,
    )
    channels: tuple[int, ...] = setting(
        (16, 32), "filters of each convolution; each halves the picture", "", "other variants"
    )
    epochs: int = setting(40, "passes over the training rows", "50 and more for likelihoods", ge=1)
    batch_size: int = setting(100, "rows a step", "100 to 200", ge=1)
    patience: int | None = setting(
        None, "stop after this many epochs without gain in the validation loss", "5 to 20", ge=1
    )
    augmentation: AugmentationSettings = AugmentationSettings()
    beta: float = setting(
        1.0, "weight of the divergence from the prior (Higgins et al. 2017)", "1: a bound on the likelihood",
        "other variants; importance_samples above 1", ge=0,
    )  # fmt: skip
    beta_warmup_epochs: int = setting(
        0, "beta rises linearly from 0 over so many epochs", "10 against codes that die", "other variants",
        ge=0,
    )  # fmt: skip
    importance_samples: int = setting(
        1, "the k of the importance-weighted bound (Burda et al. 2016)", "5 or 50", "other variants", ge=1
    )
    free_bits: float = setting(
        0.0, "nats of divergence that each code unit has for nothing (Kingma et al. 2016)", "0.05 to 0.25",
        "other variants; importance_samples above 1", ge=0,
    )  # fmt: skip
    likelihood_samples: int = setting(
        5000, "draws of the importance-weighted -log p of the test rows", "5000, as the papers do", ge=1
    )
    likelihood_rows: int = setting(1000, "test rows that it is taken of", "all of them for a report", ge=1)
    rating_l2: float = setting(
        0.1, "of ratings: lambda of + lambda/2 sum w^2 a row", "0.01 to 1", "other rows", ge=0
    )
    bootstrap: int = setting(1000, "resamples of the test rows for each interval; 0 for none", "", ge=0)
    probe: bool = setting(True, "fit linear models on the codes, the raw rows and their components")
    downstream_tasks: bool = setting(
        True, "compression, denoising, anomalies, imputation, sequences: each its figure and its picture"
    )
    anomaly_class: str | None = setting(
        None, "the class that is held out as anomaly; null: the last one (of two: the positive one)"
    )

    @model_validator(mode="after")
    def _check_consistency(self) -> AutoencoderSettings:
        s = self.resolved(self.variant)
        conflicts = self.conflicts(self.variant)
        # Raises for itself where the optimiser has no use for a setting.
        self.to_finetuning_settings(self.epochs)
        if any(size < 1 for size in (*s["hidden_sizes"], *self.channels)):
            conflicts.append("every layer needs at least 1 unit")
        variational, convolutional = self.variant == "variational", self.variant == "convolutional"
        if not variational:
            for name in ("beta", "beta_warmup_epochs", "importance_samples", "free_bits"):
                if self.changed(name):
                    conflicts.append(
                        f"variant {self.variant} has no use for {name}: it belongs to variational"
                    )
        else:
            conflicts += self._variational_conflicts(s)
        if self.importance_samples > 1 and (self.beta != 1 or self.beta_warmup_epochs or self.free_bits):
            conflicts.append(
                "beta and free_bits change the divergence, which the importance-weighted bound does not have; "
                "leave them alone, or set importance_samples: 1"
            )
        if convolutional:
            for name in ("hidden_sizes", "decoder_activation", "tied"):
                if getattr(self, name):
                    conflicts.append(f"variant convolutional has no use for {name}; channels shape it")
            if self.loss in ("mixed", "gaussian"):
                conflicts.append(
                    "pictures have one kind of column: take loss binary_cross_entropy or squared"
                )
            if s["contraction"] and self.jacobian == "exact":
                conflicts.append("the exact Jacobian is of fully connected layers; set jacobian: estimated")
            if s["sparsity"] == "top_k":
                conflicts.append("top_k is for fully connected codes; take l1 or kl")
        else:
            if not isinstance(s["activation"], str) and len(s["activation"]) != len(s["hidden_sizes"]):
                for_each_layer(tuple(s["activation"]), len(s["hidden_sizes"]), "activation")
            if self.changed("channels"):
                conflicts.append(f"variant {self.variant} has no use for channels; hidden_sizes shape it")
        required = {"sparse": "sparsity", "denoising": "corruption"}.get(self.variant)
        if required and s[required] == "none":
            conflicts.append(
                f"variant {self.variant} without {required} is none: choose one, or another variant"
            )
        if self.variant == "contractive" and not s["contraction"]:
            conflicts.append(
                "variant contractive with contraction 0 is none; raise it, or take another variant"
            )
        if conflicts:
            raise ValueError("; ".join(conflicts))
        return self

    def _variational_conflicts(self, s: dict[str, Any]) -> list[str]:
        conflicts = []
        if s["sparsity"] != "none" or s["contraction"]:
            conflicts.append(
                "a variational code is already drawn to its prior by the divergence; with a penalty more the bound "
                "bounds nothing: leave sparsity and contraction alone, or raise beta"
            )
        if s["corruption"] != "none":
            conflicts.append(
                "a variational autoencoder of damaged rows bounds another likelihood than the one reported; leave "
                "corruption: none"
            )
        if self.tied:
            conflicts.append("the posterior and the likelihood share no weights: leave tied alone")
        if self.latent_activation not in (None, "linear"):
            conflicts.append("a variational code is a normal variable: leave latent_activation alone")
        if self.loss == "squared":
            conflicts.append("the squared error is no likelihood: take loss gaussian")
        if not isinstance(s["activation"], str):
            conflicts.append("a variational autoencoder has one activation for all hidden layers")
        return conflicts
