"""Settings of adversarial training that every GAN has."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from layerwise.training.gan.objectives.base import OBJECTIVES, ObjectiveName
from layerwise.utils import Config, Precision, setting


class AdversarialSettings(Config):
    """The objective of a GAN, and how its generator and discriminator learn."""

    objective: ObjectiveName = setting("non_saturating", "objective of the generator and the discriminator")
    epochs: int = setting(
        50, "passes through the training rows, each of them in one discriminator step", "", ge=1
    )
    batch_size: int = setting(100, "rows of a discriminator or generator step", "64 to 500", ge=2)
    optimizer: Literal["adam", "rmsprop", "sgd"] = setting(
        "adam", "of generator and discriminator", "adam; rmsprop for wasserstein"
    )
    generator_learning_rate: float = setting(
        0.0002, "learning rate of the generator", "two time scales: below D's", gt=0
    )
    discriminator_learning_rate: float = setting(0.0002, "learning rate of the discriminator", "", gt=0)
    beta_1: float = setting(0.5, "decay of adam's mean gradient", "0 to 0.5 for GANs", ge=0, lt=1)
    beta_2: float = setting(0.999, "decay of adam's mean square", "", ge=0, lt=1)
    schedule: Literal["constant", "cosine"] = setting(
        "constant",
        "of both learning rates: constant, or a fall to 0",
        "cosine against oscillation at the end",
    )
    discriminator_steps: int = setting(
        1, "discriminator steps for each generator step (n_critic)", "5 for critics", ge=1
    )
    label_smoothing: float = setting(
        0.0, "e of the target 1 - e of real rows; generated ones keep 0 (Salimans et al. 2016)",
        "0.1 when D wins", "wasserstein, wasserstein_penalty, hinge", ge=0, lt=0.5,
    )  # fmt: skip
    instance_noise: float = setting(
        0.0, "standard deviation of noise on D's inputs; falls linearly to 0 (Sonderby et al. 2017)",
        "0.1 when D wins early", ge=0,
    )  # fmt: skip
    weight_clip: float = setting(
        0.01, "the objective wasserstein keeps D's weights within +-weight_clip", "", "other objectives", gt=0
    )
    gradient_penalty: float = setting(
        10.0, "weight of the objective wasserstein_penalty's penalty", "", "other objectives", gt=0
    )
    r1: float = setting(
        0.0, "gamma of the penalty gamma/2 |dD/dx|^2 at real rows (Mescheder et al. 2018)",
        "when training oscillates", "wasserstein, wasserstein_penalty", ge=0,
    )  # fmt: skip
    r1_every: int = setting(
        1, "discriminator steps from one r1 penalty to the next, whose weight is as many times larger (Karras et al. "
        "2020); the penalty costs as much as the step",
        "4 to save time", "r1: 0", ge=1,
    )  # fmt: skip
    reconstruction_weight: float = setting(
        0.0, "weight of |x - G(z, c)| in the generator's loss (Isola et al. 2017)",
        "paired rows", "unpaired rows", ge=0,
    )  # fmt: skip
    ema_decay: float = setting(
        0.999, "decay of the moving average of the generator's weights, which is sampled from; 0 for none",
        "0.99 for short training", ge=0, lt=1,
    )  # fmt: skip
    precision: Precision = setting(
        "float32", "of the networks' products", "bfloat16 on a processor or GPU that knows it"
    )

    @model_validator(mode="after")
    def _fits(self) -> AdversarialSettings:
        objective = OBJECTIVES.find(self.objective)
        if self.label_smoothing and not objective.supports_label_smoothing:
            raise ValueError(f"objective {self.objective} has no target to smooth; set label_smoothing: 0")
        if self.r1 and objective.constrains_gradient:
            raise ValueError(f"objective {self.objective} constrains the gradient itself; set r1: 0")
        if self.optimizer != "adam" and (self.changed("beta_1") or self.changed("beta_2")):
            raise ValueError(f"optimizer {self.optimizer} has no use for beta_1 and beta_2")
        for other in OBJECTIVES.all().values():
            for name in other.own_settings:
                if name not in objective.own_settings and self.changed(name):
                    raise ValueError(
                        f"objective {self.objective} has no use for {name}: it belongs to {other.name}"
                    )
        return self
