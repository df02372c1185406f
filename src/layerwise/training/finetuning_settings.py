"""Every hyperparameter of supervised training: how a network learns from labels."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt, field_validator, model_validator

from layerwise.configuration import Config, setting
from layerwise.data.augmentation import AugmentationSettings
from layerwise.models.dropout import MaskOf
from layerwise.models.mlp import checked_rates
from layerwise.training import losses, optimisers, schedules
from layerwise.training.devices import Precision
from layerwise.training.losses import ClassWeights, LossName
from layerwise.training.optimisers import OptimiserName
from layerwise.training.schedules import ScheduleName

Monitor = Literal["validation/loss", "validation/error", "validation/accuracy"]


class FinetuningSettings(Config):
    """How the whole network learns from labels."""

    epochs: int = setting(30, "passes over the training rows at most", "with patience: many", ge=1)
    batch_size: PositiveInt | Literal["all"] = setting(
        100, "rows a step, from 1 to all of them (all)", "10 to 250; more is faster, less is noisier"
    )
    max_steps: int | None = setting(None, "stop after this many steps", "to compare optimisers", ge=1)
    max_minutes: float | None = setting(
        None,
        "stop after this many minutes of training",
        "a bound on the wait; ends differ between machines",
        gt=0,
    )
    patience: int | None = setting(
        None, "stop after this many epochs without gain in monitor (early stopping)", "5 to 20", ge=1
    )
    minimum_change: float = setting(0.0, "a gain in monitor has to be larger than this", "noisy curves", ge=0)
    monitor: Monitor = setting(
        "validation/loss",
        "what chooses the best epoch, whose weights are kept, and stops; an accuracy is better high",
        "the error for decisions, the loss for probabilities",
    )
    keep_best: bool = setting(
        True, "end with the weights of the best epoch, not of the last", "false repeats an exercise as it was",
        "patience when false",
    )  # fmt: skip

    loss: LossName = setting("auto", "what is made small; see Losses", "auto", "a task it is not for")
    focal_gamma: float | None = setting(None, "gamma of focal; 2 unless set", "0 to 5", "other losses", ge=0)
    huber_delta: float | None = setting(
        None,
        "where huber turns from squares to absolute values; 1 unless set",
        "about the noise",
        "other losses",
        gt=0,
    )
    label_smoothing: float = setting(
        0.0, "the share of each target that is spread over all classes", "0.1 with many rows",
        "losses other than the cross-entropies", ge=0, lt=1,
    )  # fmt: skip
    class_weights: ClassWeights = setting(
        None, "weight of each class in the training loss: balanced, or a list",
        "rare classes that must be found; a threshold on validation rows keeps probabilities right",
        "multilabel, regression",
    )  # fmt: skip

    optimiser: OptimiserName = setting(
        "adam", "the rule of the steps; see Optimisers", "adam, or adamw with decay"
    )
    learning_rate: float = setting(1e-3, "r, the size of the steps", "try 0.1 down to 0.0001", gt=0)
    momentum: float | None = setting(
        None, "mu, the share of the last step that goes on; 0.9 unless set", "0.9 to 0.99",
        "optimisers other than momentum and nesterov (adagrad, adam, ...)", ge=0, lt=1,
    )  # fmt: skip
    beta_1: float | None = setting(
        None, "decay of the mean gradient; 0.9 unless set", "0.5 for GANs", "optimisers not of adam's family",
        ge=0, lt=1,
    )  # fmt: skip
    beta_2: float | None = setting(
        None, "decay of the mean square; 0.999 unless set", "0.99 for noisy gradients",
        "optimisers not of adam's family", ge=0, lt=1,
    )  # fmt: skip
    rho: float | None = setting(
        None, "decay of the mean square; 0.99 (rmsprop), 0.9 (adadelta) unless set", "0.9 to 0.99",
        "optimisers other than rmsprop and adadelta", ge=0, lt=1,
    )  # fmt: skip
    epsilon: float | None = setting(
        None, "added to the divisor; 1e-8, adagrad 1e-10, adadelta 1e-6 unless set",
        "1e-7 to repeat Keras", "sgd, momentum, nesterov", gt=0,
    )  # fmt: skip
    weight_decay: float = setting(
        0.0, "decoupled decay: each step also takes r times this share of the weights", "0.01 with adamw",
        "optimisers other than adamw: take l2", ge=0,
    )  # fmt: skip

    schedule: ScheduleName = setting("cosine", "how the rate changes; see Schedules", "cosine")
    step_factor: float | None = setting(
        None,
        "the factor at each milestone; 0.1 unless set",
        "0.1 to 0.5",
        "schedules other than step",
        gt=0,
        lt=1,
    )
    step_milestones: tuple[float, ...] | None = setting(
        None,
        "shares of all steps at which the rate falls; 0.5 and 0.75 unless set",
        "",
        "schedules other than step",
    )
    plateau_factor: float | None = setting(
        None,
        "the factor on a plateau; 0.1 unless set",
        "0.1 to 0.5",
        "schedules other than plateau",
        gt=0,
        lt=1,
    )
    plateau_patience: int | None = setting(
        None, "epochs without gain before the rate falls; 5 unless set", "less than patience",
        "schedules other than plateau", ge=1,
    )  # fmt: skip
    warmup_epochs: float = setting(
        0.0, "warm-up: the rate rises linearly over so many epochs before the schedule", "high rates, deep nets",
        "one_cycle, which rises by itself", ge=0,
    )  # fmt: skip

    input_dropout: float = setting(
        0.0, "share of the inputs that are left out at random", "0.1 to 0.2 for pictures", ge=0, lt=1
    )
    dropout: float | tuple[float, ...] = setting(
        0.0,
        "share of units left out at random: one for all hidden layers, or a list",
        "0.2 to 0.5 in wide layers",
    )
    dropconnect: float = setting(
        0.0, "share of connections left out at random, in hidden layers", "instead of dropout", ge=0, lt=1
    )
    dropconnect_masks: MaskOf = setting(
        "row",
        "a mask for each row, as in the paper, or one for each batch",
        "batch for wide layers: far faster",
    )
    l1: float = setting(
        0.0, "lambda of + lambda/(2m) sum |w| in the cost, m training rows", "few weights left", ge=0
    )
    l2: float = setting(
        0.0, "lambda of + lambda/(2m) sum w^2 in the cost, m training rows", "small weights", ge=0
    )
    max_norm: float | None = setting(
        None, "the longest that the weights into a hidden unit may be", "3 to 4, with dropout", gt=0
    )
    clip_norm: float | None = setting(
        None, "the longest that the whole gradient may be", "1 to 5 against explosion", gt=0
    )
    clip_value: float | None = setting(
        None, "the largest that each number of the gradient may be", "0.5; changes the direction", gt=0
    )
    augmentation: AugmentationSettings = AugmentationSettings()
    precision: Precision = setting(
        "float32", "of the matrix products in training; weights and what is measured stay float32",
        "bfloat16 is twice as fast on AVX512-BF16 or CUDA", "",
    )  # fmt: skip

    @field_validator("dropout")
    @classmethod
    def _rates(cls, value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        return checked_rates(value)

    @field_validator("step_milestones")
    @classmethod
    def _shares(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and (any(not 0 < v < 1 for v in value) or list(value) != sorted(value)):
            raise ValueError("milestones are rising shares between 0 and 1")
        return value

    @field_validator("class_weights")
    @classmethod
    def _weights(cls, value: ClassWeights) -> ClassWeights:
        if isinstance(value, tuple) and (any(v < 0 for v in value) or sum(value) == 0):
            raise ValueError("class weights are at least 0, and not all 0")
        return value

    @model_validator(mode="after")
    def _everything_has_a_use(self) -> FinetuningSettings:
        wrong = optimisers.unused_settings(
            self.optimiser, {name: getattr(self, name) for name in optimisers.SETTINGS}
        )
        if self.optimiser == "nesterov" and self.momentum == 0:
            wrong.append("optimiser nesterov needs a momentum above 0; use sgd for none")
        for name in schedules.SETTINGS:
            if getattr(self, name) is not None and name not in schedules.SCHEDULES[self.schedule].uses:
                wrong.append(f"schedule {self.schedule} has no use for {name}")
        if self.schedule == "one_cycle" and self.warmup_epochs:
            wrong.append("schedule one_cycle rises by itself: leave warmup_epochs at 0")
        smooths = self.loss in ("auto", "binary_cross_entropy", "categorical_cross_entropy")
        if self.label_smoothing and not smooths:
            wrong.append(f"loss {self.loss} has no use for label_smoothing")
        for name in ("focal_gamma", "huber_delta"):
            if getattr(self, name) is not None and name not in losses.LOSSES[self.loss].uses:
                wrong.append(f"loss {self.loss} has no use for {name}")
        if self.patience is not None and not self.keep_best:
            wrong.append(
                "patience without keep_best would end with weights of no use; leave keep_best at true"
            )
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def rows_a_batch(self, n_rows: int) -> int:
        """Return the rows of a batch: as set, or all, and never more than there are."""
        return n_rows if self.batch_size == "all" else min(self.batch_size, n_rows)

    @property
    def monitors_a_score(self) -> bool:
        """True when what chooses the best epoch is better high."""
        return self.monitor == "validation/accuracy"
