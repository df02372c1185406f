"""How gradient descent takes its steps: the optimisers and schedules by name, and their settings."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from layerwise.utils import Choice, Config, Precision, setting

OptimizerName = Literal[
    "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "adamw", "nadam"
]


_ADAM = ("beta_1", "beta_2", "epsilon")


OPTIMIZERS: dict[OptimizerName, Choice] = {
    "sgd": Choice("w -= r g", "large sets with a schedule; r about 0.01 to 0.1"),
    "momentum": Choice("v = mu v + g; w -= r v", "as sgd, faster along valleys", ("momentum",)),
    "nesterov": Choice("momentum, with the gradient after the step ahead", "as momentum", ("momentum",)),
    "adagrad": Choice(
        "r / sqrt(sum of g^2) (Duchi et al. 2011)", "rare inputs; r about 0.01 to 0.1", ("epsilon",)
    ),
    "rmsprop": Choice(
        "r / sqrt(running mean of g^2) (Tieleman & Hinton 2012)", "recurrent nets", ("rho", "epsilon")
    ),
    "adadelta": Choice(
        "step by the ratio of two running means (Zeiler 2012)",
        "without a rate: learning_rate 1",
        ("rho", "epsilon"),
    ),
    "adam": Choice("running means of g and g^2 (Kingma & Ba 2015)", "a good first choice; r 0.001", _ADAM),
    "adamax": Choice(
        "adam with the largest |g| for the second (same paper)", "as adam; r 0.001 to 0.002", _ADAM
    ),
    "adamw": Choice(
        "adam, weights decayed beside the gradient (Loshchilov & Hutter 2019)",
        "adam with weight decay",
        (*_ADAM, "weight_decay"),
    ),
    "nadam": Choice("adam with Nesterov's step ahead (Dozat 2016)", "as adam", _ADAM),
}


OPTIMIZER_SETTINGS = ("momentum", "beta_1", "beta_2", "rho", "epsilon", "weight_decay")


def unused_settings(optimizer: OptimizerName, given: dict[str, float | None]) -> list[str]:
    """Return a sentence for every setting with a value that the optimiser has no use for."""
    sentences = []
    for name in OPTIMIZER_SETTINGS:
        value = given.get(name)
        if value is None or (name == "weight_decay" and value == 0) or name in OPTIMIZERS[optimizer].uses:
            continue
        users = ", ".join(other for other, choice in OPTIMIZERS.items() if name in choice.uses)
        remedy = "; l2 is a penalty for all of them" if name == "weight_decay" and "l2" in given else ""
        sentences.append(f"optimizer {optimizer} has no use for {name}: it belongs to {users}{remedy}")
    return sentences


ScheduleName = Literal["constant", "step", "cosine", "one_cycle", "plateau"]


SCHEDULES: dict[ScheduleName, Choice] = {
    "constant": Choice("the rate stays", "short training"),
    "step": Choice(
        "the rate times step_factor at each of step_milestones",
        "long training",
        ("step_factor", "step_milestones"),
    ),
    "cosine": Choice("(1 + cos(pi t)) / 2 at the fraction t of all steps", "a good default"),
    "one_cycle": Choice(
        "linear rise over 3/10 of all steps, then a cosine (Smith 2018)", "few epochs at a high rate"
    ),
    "plateau": Choice(
        "the rate times plateau_factor after plateau_patience epochs without gain",
        "when the number of epochs is not known",
        ("plateau_factor", "plateau_patience"),
    ),
}


SCHEDULE_SETTINGS = ("step_factor", "step_milestones", "plateau_factor", "plateau_patience")


class OptimizerSettings(Config):
    """How a network's weights follow the gradient: the optimiser, its rate and schedule, clipping, precision."""

    optimizer: OptimizerName = setting(
        "adam", "the rule of the steps; see Optimisers", "adam, or adamw with decay"
    )
    learning_rate: float = setting(1e-3, "r, the size of the steps", "try 0.1 down to 0.0001", gt=0)
    momentum: float | None = setting(
        None, "mu, the fraction of the last step that is kept; 0.9 unless set", "0.9 to 0.99",
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
        0.0, "decoupled decay: each step also subtracts r times this fraction of the weights", "0.01 with adamw",
        "optimisers other than adamw", ge=0,
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
        "fractions of all steps at which the rate falls; 0.5 and 0.75 unless set",
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
    clip_norm: float | None = setting(
        None, "the largest norm that the whole gradient may have", "1 to 5 against explosion", gt=0
    )
    clip_value: float | None = setting(
        None,
        "the largest absolute value that each element of the gradient may have",
        "0.5; changes the direction",
        gt=0,
    )
    precision: Precision = setting(
        "float32", "of the matrix products in training; weights and metrics stay float32",
        "bfloat16 is twice as fast on AVX512-BF16 or CUDA", "",
    )  # fmt: skip

    @field_validator("step_milestones")
    @classmethod
    def _fractions(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and (
            not value or any(not 0 < v < 1 for v in value) or list(value) != sorted(value)
        ):
            raise ValueError("milestones are increasing fractions between 0 and 1, one at least")
        return value

    def _without_use(self) -> list[str]:
        """Return a sentence for each setting that the others leave without a use."""
        known = [name for name in (*OPTIMIZER_SETTINGS, "l2") if name in type(self).model_fields]
        # The rule takes one of adam's family, with decay where there is some.
        optimizer: OptimizerName = self.optimizer or "adamw"
        wrong = unused_settings(optimizer, {name: getattr(self, name) for name in known})
        if self.optimizer == "nesterov" and self.momentum == 0:
            wrong.append("optimizer nesterov needs a momentum above 0; use sgd for none")
        for name in SCHEDULE_SETTINGS:
            if getattr(self, name) is not None and name not in SCHEDULES[self.schedule].uses:
                wrong.append(f"schedule {self.schedule} has no use for {name}")
        if self.schedule == "one_cycle" and self.warmup_epochs:
            wrong.append("schedule one_cycle rises by itself: leave warmup_epochs at 0")
        return wrong
