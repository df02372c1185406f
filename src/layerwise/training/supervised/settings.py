"""Every hyperparameter of supervised training: how a network learns from labels."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt, field_validator

from layerwise.data.transforms import AugmentationSettings
from layerwise.models import MaskOf, check_dropout_rates
from layerwise.training.optim import OptimizerName, OptimizerSettings
from layerwise.training.supervised import losses
from layerwise.training.supervised.losses import ClassWeights, LossName, Resampling
from layerwise.utils import ByRule, setting

Monitor = Literal["validation/loss", "validation/error", "validation/accuracy"]


class FinetuningSettings(OptimizerSettings):
    """How the whole network learns from labels."""

    init_from: str | None = setting(
        None,
        "a trained model that the network starts from, with its shape and preprocessing and in place of pretraining: "
        "a run's id, a registered name@alias or name/version, or a folder",
        "next month's rows",
        "seeds above 1, grid, refit, split.folds",
    )
    epochs: ByRule[int] = setting(
        30, "passes over the training rows at most; null: by the rows, see Sizes", "with patience: many",
        by_rule=True, ge=1,
    )  # fmt: skip
    batch_size: ByRule[PositiveInt | Literal["all"]] = setting(
        100, "rows a step, from 1 to all of them (all); null: by the rows, see Sizes",
        "10 to 250; more is faster, less is noisier", by_rule=True,
    )  # fmt: skip
    optimizer: ByRule[OptimizerName] = setting(
        "adam", "the rule of the steps; see Optimisers; null: by the kind of rows, see Sizes",
        "adam, or adamw with decay", by_rule=True,
    )  # fmt: skip
    learning_rate: ByRule[float] = setting(
        1e-3, "r, the size of the steps; null: by the kind of rows, see Sizes", "try 0.1 down to 0.0001",
        by_rule=True, gt=0,
    )  # fmt: skip
    weight_decay: ByRule[float] = setting(
        0.0, "decoupled decay: each step also subtracts r times this fraction of the weights; null: by the kind of "
        "rows, see Sizes", "0.01 with adamw", "optimisers other than adamw", by_rule=True, ge=0,
    )  # fmt: skip
    max_steps: int | None = setting(None, "stop after this many steps", "to compare optimisers", ge=1)
    max_minutes: float | None = setting(
        None,
        "stop after this many minutes of training",
        "a bound on the wait; ends differ between computers",
        gt=0,
    )
    patience: int | None = setting(
        None, "stop after this many epochs without gain in monitor (early stopping)", "5 to 20", ge=1
    )
    min_delta: float = setting(0.0, "a gain in monitor has to be larger than this", "noisy curves", ge=0)
    monitor: Monitor = setting(
        "validation/loss",
        "what chooses the best epoch, whose weights are kept, and stops; an accuracy is better high",
        "the error for decisions, the loss for probabilities",
    )
    keep_best_weights: bool = setting(
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
        0.0, "the fraction of each target that is spread over all classes", "0.1 with many rows",
        "losses other than the cross-entropies", ge=0, lt=1,
    )  # fmt: skip
    class_weights: ClassWeights = setting(
        None, "weight of each class in the training loss: balanced, or a list",
        "rare classes that must be found; a threshold on validation rows keeps probabilities right",
        "multilabel, regression",
    )  # fmt: skip

    resampling: Resampling = setting(
        "none", "train on as many rows of every class: repeat rows of the rarer ones (oversample), or leave rows of "
        "the others out (undersample)",
        "in place of class_weights, where batches have too few rows of a class; calibrate, or choose the threshold",
        "class_weights, multilabel, regression, seeds above 1, grid, split.folds",
    )  # fmt: skip

    input_dropout: float = setting(
        0.0, "fraction of the inputs that are dropped at random", "0.1 to 0.2 for images", ge=0, lt=1
    )
    dropout: ByRule[float | tuple[float, ...]] = setting(
        0.0, "fraction of units dropped at random: one for all hidden layers, or a list; null: by the kind of rows, "
        "see Sizes", "0.2 to 0.5 in wide layers", by_rule=True,
    )  # fmt: skip
    dropconnect: float = setting(
        0.0, "fraction of connections dropped at random, in hidden layers", "instead of dropout", ge=0, lt=1
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
        None, "the largest norm that the weights into a hidden unit may have", "3 to 4, with dropout", gt=0
    )
    augmentation: AugmentationSettings = AugmentationSettings()

    @field_validator("dropout")
    @classmethod
    def _rates(cls, value: float | tuple[float, ...] | None) -> float | tuple[float, ...] | None:
        return None if value is None else check_dropout_rates(value)

    @field_validator("class_weights")
    @classmethod
    def _weights(cls, value: ClassWeights) -> ClassWeights:
        if isinstance(value, tuple) and (any(v < 0 for v in value) or sum(value) == 0):
            raise ValueError("class weights are at least 0, and not all 0")
        return value

    def _without_use(self) -> list[str]:
        wrong = super()._without_use()
        smooths = self.loss in ("auto", "binary_cross_entropy", "categorical_cross_entropy")
        if self.label_smoothing and not smooths:
            wrong.append(f"loss {self.loss} has no use for label_smoothing")
        if self.resampling != "none" and self.class_weights is not None:
            wrong.append("resampling and class_weights do the same twice; take one of them")
        for name in ("focal_gamma", "huber_delta"):
            if getattr(self, name) is not None and name not in losses.LOSSES[self.loss].uses:
                wrong.append(f"loss {self.loss} has no use for {name}")
        if self.patience is not None and not self.keep_best_weights:
            wrong.append(
                "patience without keep_best_weights would end with weights of no use; leave keep_best_weights at true"
            )
        return wrong

    def effective_batch_size(self, n_rows: int) -> int:
        """Return the rows of a batch: as set, or all, and never more than there are."""
        return n_rows if self.batch_size == "all" else min(self.batch_size, n_rows)

    @property
    def monitor_is_score(self) -> bool:
        """True when what chooses the best epoch is better high."""
        return self.monitor == "validation/accuracy"
