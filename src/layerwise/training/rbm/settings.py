"""The settings of contrastive divergence, and of a stack's pretraining: rates, chains, regularisers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import field_validator

from layerwise.models.rbm.units import VISIBLE
from layerwise.training.plan import TrainingError
from layerwise.utils import ByRule, Config, Registered, setting


class ContrastiveDivergenceSettings(Config):
    """How an RBM learns: the rate, k and what regularises it."""

    learning_rate: float = setting(
        0.1, "r, the size of the steps, where no unit is Gaussian", "0.05 to 0.1", gt=0
    )
    final_learning_rate: float | None = setting(
        None, "r of the last epoch, reached linearly; null: r stays", "0 for likelihoods and samples", ge=0
    )
    momentum: float = setting(0.5, "the fraction of the last step that is kept, at first", "0.5", ge=0, lt=1)
    final_momentum: float = setting(
        0.9, "the same after momentum_epochs", "0.5 for persistent chains", ge=0, lt=1
    )
    momentum_epochs: int = setting(5, "epochs with the first momentum", "", ge=0)
    weight_decay: float = setting(
        2e-4, "each step also subtracts r times this fraction of the weights", "", ge=0
    )
    steps: int = setting(1, "k: Gibbs steps of the chains in each update", "1 to learn features", ge=1)
    final_steps: int | None = setting(
        None, "k of the last epoch, reached linearly; null: k stays", "25 for likelihoods", ge=1
    )
    sample_visible: bool | None = setting(
        None,
        "sample the visible units of a chain from the batch, or take their means; null: samples for k > 1, of "
        "documents and where variances are learnt, means for k = 1",
        "true for counts",
    )
    chain: Literal["data", "persistent", "tempered"] = setting(
        "data",
        "where the model's statistics come from: chains that start at the batch (CD-k), persistent ones, or "
        "persistent ones at several temperatures",
        "persistent for likelihoods",
    )
    chains: int = setting(100, "persistent chains", "as many as rows in a batch", "chain: data", ge=1)
    temperatures: int = setting(
        10, "temperatures of each tempered chain", "", "chain: data, persistent", ge=2
    )
    centered: bool | None = setting(
        None,
        "subtract the units' means in the gradient (Melchior et al. 2016); null: where there are Gaussian units",
        "likelihoods",
    )
    offset_rate: float = setting(
        0.01,
        "how fast the means that are subtracted follow the data's, a fraction a step",
        "",
        "centered: false",
        ge=0,
        le=1,
    )
    sparsity_target: float | None = setting(
        None, "target of a hidden unit's mean activation, 0 to 1; null: none", "0.01 to 0.1", gt=0, lt=1
    )
    sparsity_cost: float = setting(
        0.1,
        "weight of the pull to sparsity_target",
        "until the mean activation is near it",
        "sparsity_target: null",
        ge=0,
    )
    sparsity_decay: float = setting(
        0.9, "decay of the running mean activation that is compared", "", "sparsity_target: null", ge=0, lt=1
    )
    dropout: float = setting(
        0.0, "fraction of hidden units dropped in each update", "0.5 in wide layers", ge=0, lt=1
    )
    variance_rate_factor: float = setting(
        0.1, "multiplies r for learnt variances", "", "units without a learnt variance", ge=0
    )
    bfloat16: bool = setting(
        False, "take the products in 16 bits; weights stay float32", "twice as fast on AVX512-BF16 or CUDA"
    )

    def _without_use(self) -> list[str]:
        """Return a sentence for each setting that the others leave without a use."""
        has_use = {
            "chains": (self.chain != "data", f"chain: {self.chain}"),
            "temperatures": (self.chain == "tempered", f"chain: {self.chain or 'null'}"),
            "offset_rate": (self.centered is not False, "centered: false"),
            "sparsity_cost": (self.sparsity_target is not None, "sparsity_target: null"),
            "sparsity_decay": (self.sparsity_target is not None, "sparsity_target: null"),
        }
        wrong = [
            f"{reason} has no use for {name}"
            for name, (used, reason) in has_use.items()
            if self.changed(name) and not used
        ]
        if self.changed("variance_rate_factor") and not getattr(self, "learn_variance", True):
            wrong.append("learn_variance: false has no use for variance_rate_factor")
        if self.sample_visible is False and self.chain not in ("data", None):
            wrong.append(f"chain: {self.chain} always samples the visible units; leave sample_visible: null")
        return wrong

    def with_learning_rate(self, rate: float) -> Self:
        """Return these settings at another rate, which falls by the same factor.

        Gaussian units need a smaller one (Hinton 2010, section 13.2: far smaller, of variance 1 and not centred).
        """
        final = self.final_learning_rate
        if final is not None:
            final = final / self.learning_rate * rate
        return self.model_copy(update={"learning_rate": rate, "final_learning_rate": final})


def value_for_layer(value: float | tuple[float, ...], layer: int, name: str) -> float:
    """Return the layer's value of a setting that is one number or a list.

    Raises:
        TrainingError: the list is shorter than the stack.
    """
    if not isinstance(value, tuple):
        return value
    if layer >= len(value):
        raise TrainingError(
            f"pretraining.{name} has {len(value)} value(s) but the stack has a layer {layer + 1}; give one number for "
            "all layers, or one for each"
        )
    return value[layer]


# What a problem's own file has tuned does no harm where `method: none` is compared with it: how long and how fast.
KEPT_WITHOUT_PRETRAINING = (
    "method", "epochs", "batch_size", "learning_rate", "final_learning_rate", "gaussian_learning_rate",
)  # fmt: skip


class UpDownSettings(Config):
    """Training of the whole stack after its layers have learnt one by one (Hinton, Osindero & Teh 2006, section 5)."""

    epochs: int = setting(
        0, "passes of up-down training, the contrastive wake-sleep algorithm, over the whole stack; 0: none",
        "likelihoods and samples of a stack", ge=0,
    )  # fmt: skip
    learning_rate: float = setting(0.01, "at first; it falls to 0 by a cosine", "0.001 to 0.02", gt=0)
    steps: int = setting(3, "Gibbs steps in the top RBM", "3 to 10", ge=1)


class PretrainingSettings(ContrastiveDivergenceSettings):
    """How the hidden layers learn without labels; a list gives each layer its own value.

    A stack of autoencoders takes `method`, `freeze`, `epochs` and `batch_size` from here.
    """

    method: Literal["auto", "rbm", "autoencoder", "none"] = setting(
        "auto",
        "RBMs, autoencoders, or none: the same network from a random start; auto: the pipeline's own (dbn: rbm, "
        "sae: autoencoder)",
        "none to compare",
    )
    freeze: bool = setting(
        False, "train the output layer alone after pretraining", "to evaluate the features"
    )
    epochs: ByRule[int | tuple[int, ...]] = setting(
        20, "passes over the training rows: one for all layers, or a list; null: by the rows, see Sizes",
        by_rule=True,
    )  # fmt: skip
    batch_size: ByRule[int] = setting(
        100, "rows a step; null: by the rows, see Sizes", "10 to 100", by_rule=True, ge=1
    )
    init_from: str | None = setting(
        None,
        "a trained model that the lowest layers start from: a run's id, a registered name@alias or name/version, or a "
        "folder",
        "another problem of the same columns or size of images; few rows",
        "method: none",
    )
    visible: Annotated[str, Registered(VISIBLE, lambda units: units.in_stacks, ("auto",))] = setting(
        "auto", "units of the first layer's inputs; auto: by the columns' kinds"
    )
    features: Literal["probabilities", "samples"] = setting(
        "probabilities",
        "what a layer passes on to the next one: its units' means, or binary states sampled once",
        "probabilities: less noise",
    )
    learning_rate: float | tuple[float, ...] = setting(  # type: ignore[assignment]  # a list gives each layer its own
        0.1, "r of layers without Gaussian units: one for all, or a list", "0.05 to 0.1"
    )
    final_learning_rate: float | None = setting(
        0.0,
        "r of the last epoch, reached linearly; null: r stays",
        "0: the samples of a stack need it",
        ge=0,
    )
    learn_variance: bool = setting(
        True, "Gaussian units learn their variances; else 1", "", "units that are not Gaussian"
    )
    gaussian_learning_rate: float = setting(
        0.02, "r of a layer with Gaussian units", "0.005 to 0.05", "no Gaussian units", gt=0
    )
    up_down: UpDownSettings = UpDownSettings()

    def _without_use(self) -> list[str]:
        wrong = super()._without_use()
        if self.up_down.epochs == 0 and self.up_down != UpDownSettings():
            wrong.append("up_down.epochs: 0 has no use for the other settings of up_down")
        if self.up_down.epochs and self.dropout:
            wrong.append("a stack that is trained with dropout is no belief network, and so none for up_down")
        if self.method == "none":
            names = [name for name in type(self).model_fields if name not in KEPT_WITHOUT_PRETRAINING]
            wrong += [f"method: none has no use for {name}" for name in names if self.changed(name)]
        return wrong

    @field_validator("epochs", "learning_rate")
    @classmethod
    def _positive(cls, value: float | tuple[float, ...] | None) -> float | tuple[float, ...] | None:
        if value is None:
            return None
        values = value if isinstance(value, tuple) else (value,)
        if not values or any(v <= 0 for v in values):
            raise ValueError("has to be above 0 for every layer")
        return value

    def layer_epochs(self, n_layers: int) -> list[int]:
        """Return the epochs of each layer.

        Raises:
            TrainingError: the list is shorter than the stack.
        """
        return [int(value_for_layer(self.epochs, k, "epochs")) for k in range(n_layers)]

    def for_layer(self, layer: int, gaussian: bool) -> Self:
        """Return the settings of one layer, counted from 0, with the rate of its units.

        Raises:
            TrainingError: the list of rates is shorter than the stack.
        """
        rate = value_for_layer(self.learning_rate, layer, "learning_rate")
        own = self.model_copy(update={"learning_rate": rate})
        return own.with_learning_rate(self.gaussian_learning_rate) if gaussian else own
