"""The hyperparameters that every autoencoder shares, alone or as a layer of a stack."""

from __future__ import annotations

from typing import Any, Literal

from layerwise.data.transforms import CorruptionName
from layerwise.models import Activation, Initializer
from layerwise.training.autoencoder.latent_penalties import (
    DEFAULT_SPARSITY_WEIGHTS,
    SPARSITIES,
    SparsityName,
)
from layerwise.training.autoencoder.registry import COMMON_DEFAULTS, find_variant
from layerwise.training.optim import OptimizerSettings
from layerwise.utils import setting

DEFAULT_CORRUPTION_LEVELS = {
    "masking": 0.25,
    "gaussian": 0.3,
    "salt_and_pepper": 0.25,
    "swap": 0.15,
    "none": 0.0,
}


class BaseAutoencoderSettings(OptimizerSettings):
    """The network and the training of one autoencoder; null is the variant's own value."""

    activation: Activation | tuple[Activation, ...] | None = setting(
        None,
        "of the encoder's hidden layers: one for all, or a list; null: the variant's own",
        "silu or relu when deep",
    )
    latent_activation: Activation | None = setting(
        None, "of the latent; null: the variant's own", "linear for a small latent, sigmoid for features"
    )
    decoder_activation: Activation | None = setting(
        None, "of the decoder's hidden layers; null: as in the encoder"
    )
    tied: bool | None = setting(
        None, "the decoder uses the encoder's weights, transposed; null: the variant's own",
        "one layer, few rows", "variational, convolutional",
    )  # fmt: skip
    initializer: Initializer | None = setting(
        None, "of the weights; null: the variant's own", "he with relu and silu"
    )
    initializer_gain: float = setting(
        1.0, "multiplies the initial weights", "0.1: to see a deep net not train", gt=0
    )
    loss: Literal["auto", "binary_cross_entropy", "squared", "mixed", "gaussian"] = setting(
        "auto",
        "the reconstruction loss: cross-entropy in [0, 1], squared error, or by the column's kind (mixed); "
        "gaussian: its variance is learnt", "auto; squared where the squared error is the goal",
        "binary_cross_entropy: inputs outside [0, 1]; gaussian: all but variational",
    )  # fmt: skip
    output: Literal["auto", "sigmoid", "linear"] = setting(
        "auto",
        "activation of the last layer; auto: a sigmoid for pixels",
        "linear for numbers of any size",
        "losses that fix it",
    )
    corruption: CorruptionName | None = setting(
        None,
        "noise on the encoder's input, see Corruption; null: the variant's own",
        "denoising",
        "variational",
    )
    corruption_level: float | None = setting(
        None,
        "the fraction of corrupted columns, or the standard deviation of gaussian; null: masking and "
        "salt_and_pepper 0.25, gaussian 0.3, swap 0.15",
        "0.1 to 0.5",
        "corruption: none",
        ge=0,
    )
    sparsity: SparsityName | None = setting(
        None, "what makes latents sparse, see Sparsity; null: the variant's own", "sparse", "variational"
    )
    sparsity_weight: float | None = setting(
        None,
        "lambda of the penalty; null: 0.5 of kl, 0.05 of l1",
        "until the mean activation is near the target",
        "top_k, none",
        ge=0,
    )
    sparsity_target: float | None = setting(
        None, "rho, the target of kl for the mean activation; 0.05 unless set", "0.02 to 0.1", "l1, top_k",
        gt=0, lt=1,
    )  # fmt: skip
    top_k_units: int | None = setting(
        None, "the k of top_k; a tenth of latent_size unless set", "10 to 40 of 1000", "kl, l1", ge=1
    )
    contraction: float | None = setting(
        None, "lambda of + lambda |J|^2, J the encoder's Jacobian; null: the variant's own", "0.05 to 0.5",
        "variational, top_k", ge=0,
    )  # fmt: skip
    jacobian: Literal["exact", "estimated"] = setting(
        "exact", "|J|^2 by its formula, or by one random direction a row (Hutchinson)", "estimated when deep",
        "exact: convolutional",
    )  # fmt: skip

    def resolved(self, variant: str) -> dict[str, Any]:
        """Return the settings of the network and its penalties by name, with `variant`'s defaults for every null."""
        values = COMMON_DEFAULTS | dict(find_variant(variant).defaults)
        values |= {n: getattr(self, n) for n in values if getattr(self, n, None) is not None}
        # The columns decide what noise `auto` is: its level stays None until then.
        level = self.corruption_level
        values["corruption_level"] = (
            DEFAULT_CORRUPTION_LEVELS.get(values["corruption"]) if level is None else level
        )
        weight = self.sparsity_weight
        values["sparsity_weight"] = DEFAULT_SPARSITY_WEIGHTS[values["sparsity"]] if weight is None else weight
        values["sparsity_target"] = self.sparsity_target or 0.05
        values["top_k_units"] = self.top_k_units
        return values

    def conflicts(self, variant: str) -> list[str]:
        """Return a sentence for every setting that has no use, or makes no sense, with `variant` and the others."""
        resolved, conflicts = self.resolved(variant), []
        if resolved["corruption"] == "none" and self.corruption_level:
            conflicts.append("corruption none has no use for corruption_level")
        if self.changed("jacobian") and not resolved["contraction"]:
            conflicts.append("jacobian says how contraction is computed, and there is none")
        if resolved["corruption"] not in ("gaussian", "none") and (self.corruption_level or 0) > 1:
            conflicts.append(
                f"corruption {resolved['corruption']}: corruption_level is a fraction, at most 1"
            )
        for name in ("sparsity_weight", "sparsity_target", "top_k_units"):
            if getattr(self, name) is not None and name not in SPARSITIES[resolved["sparsity"]].uses:
                conflicts.append(f"sparsity {resolved['sparsity']} has no use for {name}")
        if resolved["sparsity"] == "kl" and resolved["latent_activation"] != "sigmoid":
            conflicts.append(
                "sparsity kl compares activations with a probability, and only sigmoid activations are "
                "probabilities; set latent_activation: sigmoid, or take l1 or top_k"
            )
        if resolved["sparsity"] == "top_k" and resolved["contraction"]:
            conflicts.append(
                "contraction and top_k do not go together: the Jacobian jumps where units change places, and its "
                "norm says nothing about that"
            )
        if self.loss == "gaussian" and find_variant(variant).real_loss != "gaussian":
            conflicts.append("loss gaussian learns a variance, which only a likelihood needs; take squared")
        if self.loss == "binary_cross_entropy" and self.output == "linear":
            conflicts.append("binary_cross_entropy needs probabilities: leave output: auto")
        if self.loss in ("mixed", "gaussian") and self.output == "sigmoid":
            conflicts.append(f"a {self.loss} loss reads its outputs by itself: leave output: auto")
        return conflicts
