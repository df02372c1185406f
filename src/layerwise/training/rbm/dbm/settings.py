"""The settings of a deep Boltzmann machine: its shape, and how all of its layers learn together."""

from __future__ import annotations

from pydantic import PositiveInt

from layerwise.training.rbm.settings import ContrastiveDivergenceSettings
from layerwise.utils import ByRule, Config, setting


class DBMTrainingSettings(Config):
    """A deep Boltzmann machine's shape and its joint training; its layers are pretrained by `pretraining`."""

    hidden_sizes: ByRule[tuple[PositiveInt, PositiveInt]] = setting(
        (500, 1000), "units of the two hidden layers, from the rows up; null: by rows and columns, see Sizes",
        by_rule=True,
    )  # fmt: skip
    mean_field_steps: int = setting(
        5, "steps of mean-field inference, in training and in the network that is fine-tuned", "5 to 25", ge=1
    )
    epochs: ByRule[int] = setting(
        100, "passes of joint training over the rows; null: by the rows, see Sizes", "more for likelihoods",
        by_rule=True, ge=1,
    )  # fmt: skip
    learning_rate: float = setting(
        0.02, "r of joint training at first; it falls to 0 linearly", "0.005 to 0.05", gt=0
    )
    momentum: float = setting(0.5, "the fraction of the last step that is kept", "0.5", ge=0, lt=1)
    weight_decay: float = setting(
        2e-4, "each step also subtracts r times this fraction of the weights", "", ge=0
    )
    chains: int = setting(100, "persistent chains", "as many as rows in a batch", ge=1)
    restart_every: int = setting(
        20, "updates after which the next chain starts anew at coin flips; 0: never", "10 to 50", ge=0
    )
    steps: int = setting(2, "Gibbs steps of the chains in each update", "1 to 10", ge=1)
    centered: bool = setting(
        True, "subtract the units' means in the gradient (Montavon & Müller 2012)", "always"
    )
    bfloat16: bool = setting(
        False,
        "take the products of joint training in 16 bits; weights stay float32",
        "twice as fast on AVX512-BF16 or CUDA",
    )

    def joint(self) -> ContrastiveDivergenceSettings:
        """Return how the joint RBM of all layers learns."""
        own = {"learning_rate", "momentum", "weight_decay", "chains", "steps", "centered", "bfloat16"}
        return ContrastiveDivergenceSettings(
            chain="persistent",
            final_learning_rate=0.0,
            final_momentum=self.momentum,
            **self.model_dump(include=own),
        )
